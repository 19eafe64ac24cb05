"""How the figures of a model that an API serves were come by: the window, the classes, the prices, the age."""

from __future__ import annotations

from infertop.money.lines import NANO, Basis
from infertop.readings.registry import TOKEN_CLASSES
from infertop.readings.safe import safe
from infertop.views.api_rates import ApiUse, Window
from infertop.views.api_rows import REQUESTS, model_of
from infertop.views.facts import Facts
from infertop.views.origin import origin
from infertop.views.shapes import Explained, ModelRow
from infertop.views.wording import amount, enough, number, span, usd

_TIERS = "batch, service tiers and long prompts have prices of their own: infertop prices MODEL shows them"


def api_figures(facts: Facts, row: ModelRow) -> dict[str, Explained]:
    """Return the explanations of what such a model costs, and of what it used; none where nothing is told of it."""
    use = facts.api.use(row.source, model_of(row))
    if use is None:
        return {}
    hour = Explained(f"$/h  {usd(row.usd_per_hour)}", _hour(facts, row, use))
    return {
        "usd_per_hour": hour,
        "usd_per_request": Explained(f"$/request  {usd(row.usd_per_request, 6)}", _request(use)),
        "usd_per_million": Explained(f"$/1M  {usd(row.usd_per_million.get('blended'))}", _million(facts, row, use)),
        "basis": Explained("basis", (_basis(use),)),
        "totals": Explained("today", _totals(facts, row)),
    }


def use_figures(facts: Facts, row: ModelRow) -> dict[str, Explained]:
    """Return the explanations of how much of such a model is used."""
    use = facts.api.use(row.source, model_of(row))
    if use is None:
        return {}
    age = Explained("age", (age_line(facts, row.source, use.window),))
    return {
        "tokens_per_second": Explained("tok/s", _tokens(row, use)),
        "requests_per_second": Explained("req/s", _requests(row, use)),
        "trend": Explained("trend", ("output tokens a second, minute by minute, up to the newest whole minute",)),
        **dict.fromkeys(("state", "age_seconds", "window_seconds"), age),
    }


def age_line(facts: Facts, source: str, window: Window) -> str:
    """Return up to when a source has told all, and when it was asked last."""
    asked = facts.age_of(source)
    of_poll = "not asked yet" if asked is None else f"asked {span(asked)} ago"
    if window.until is None:
        return f"unknown: {window.why}; {safe(source, 60)} {of_poll}"
    minutes = number(window.seconds / 60, 1)
    age = span(max(0.0, facts.now - window.until))
    return f"the newest {minutes} min that {safe(source, 60)} has told whole; they ended {age} ago, {of_poll}"


def _basis(use: ApiUse) -> str:
    """Return how the cost was come by, and of what is both, how much of it was charged."""
    if use.basis == Basis.BILLED:
        return f"billed: what {safe(use.source, 60)} says itself that it was charged"
    worked = "tokens as told, times the prices that held for them"
    if use.used is None or not use.used.billed_nano:
        return f"{use.basis}: {worked}"
    billed, whole = usd(use.used.billed_nano / NANO), usd((use.used.usd_nano or 0) / NANO)
    return f"mixed: {billed} of the window's {whole} is what was charged, the rest is {use.basis}: {worked}"


def _hour(facts: Facts, row: ModelRow, use: ApiUse) -> tuple[str, ...]:
    if use.used is None:
        return (age_line(facts, use.source, use.window),)
    age = f"  {row.basis}, {age_line(facts, use.source, use.window)}"
    if use.used.usd_nano is None:
        return ("unknown: no price is known for what it used", age)
    spent, seconds = use.used.usd_nano / NANO, use.window.seconds
    texts = enough(use.usd_per_hour or 0.0, lambda cost, over: cost * 3600 / over, spent, seconds)
    lines = [
        "$/h = cost of the window x 3600 s / window",
        f"  = {texts[0]} x 3600 / {texts[1]} = {amount(use.usd_per_hour or 0.0)} USD/h",
        age,
        *_classes(use, spent),
        *prices(facts, row),
    ]
    if use.used.unpriced_tokens:
        lines.append(f"  {use.used.unpriced_tokens} tokens of it have no price and are in no sum of USD")
    return tuple(lines)


def _classes(use: ApiUse, spent: float) -> list[str]:
    """Return what each class used and cost, and that their sum is the cost of the window."""
    assert use.used is not None
    parts = {name: nano / NANO for name, nano in use.used.stated.items() if nano}
    lines = []
    if len(parts) > 1:
        texts = enough(spent, lambda *some: sum(some), *parts.values())
        lines.append(f"  cost = {' + '.join(texts)} = {amount(spent)} USD: {' + '.join(parts)}")
    lines += [
        f"  {safe(name, 40)}: {count}{' tokens' if name in TOKEN_CLASSES else ''}, {usd(parts.get(name, 0.0), 6)}"
        for name, count in use.used.quantities.items()
        if count and (name in TOKEN_CLASSES or name in parts) and name not in ("cost", "adjustment")
    ]
    return lines


def prices(facts: Facts, row: ModelRow) -> list[str]:
    """Return today's prices of the classes that a model uses, with where they are from and how old they are."""
    # What was charged needs no price.
    providers = [each for each in row.provider.split(", ") if each and row.basis != Basis.BILLED]
    model = model_of(row)
    lines = []
    for provider in providers if model else ():
        quote = facts.prices.quote(provider, model or "", facts.now)
        if quote is None:
            lines.append(f"  no price of {safe(provider, 40)} {safe(model or '', 60)} is known: set it in pricing.toml")
            continue
        found = {name: price for name in row.tokens_per_second if (price := quote.price(name, 0)) is not None}
        for where in dict.fromkeys((price.source, price.since) for price in found.values()):
            said = ", ".join(
                f"{name} {usd(float(price.usd))}"
                for name, price in found.items()
                if (price.source, price.since) == where
            )
            lines.append(f"  per 1M now: {said}; {origin(facts, *where)}")
    return [*lines, f"  {_TIERS}"] if lines else []


def _request(use: ApiUse) -> tuple[str, ...]:
    if use.used is None:
        return (f"unknown: {use.window.why}",)
    requests = use.used.quantities.get(REQUESTS, 0)
    if not requests or use.used.usd_nano is None:
        return (f"unknown: {'no request was told in the window' if not requests else 'it has no price'}",)
    spent = use.used.usd_nano / NANO
    result = spent / requests
    texts = enough(result, lambda cost, done: cost / done, spent, float(requests))
    return (
        "$/request = cost of the window / requests in it",
        f"  = {texts[0]} / {texts[1]} = {amount(result)} USD",
    )


def _million(facts: Facts, row: ModelRow, use: ApiUse) -> tuple[str, ...]:
    blended = row.usd_per_million.get("blended")
    if use.used is None or use.used.usd_nano is None or blended is None:
        return (f"unknown: {use.window.why or 'no token with a price was told in the window'}",)
    counts = [float(use.used.quantities.get(name, 0)) for name in ("input", "cache_read", "output")]
    texts = enough(blended, lambda cost, *tokens: cost / sum(tokens) * 1e6, use.used.usd_nano / NANO, *counts)
    lines = [
        "blended = cost of the window / (input + cache_read + output) x 1M",
        f"  = {texts[0]} / ({' + '.join(texts[1:])}) x 1000000 = {amount(blended)} USD",
    ]
    for name, each in row.usd_per_million.items():
        if name != "blended" and each is not None:
            lines.append(f"  {name}: {usd(each)} for 1M tokens, as they were paid")
    return (*lines, *prices(facts, row))


def _tokens(row: ModelRow, use: ApiUse) -> tuple[str, ...]:
    if use.used is None:
        return (f"unknown: {use.window.why}",)
    known = {name: rate for name, rate in row.tokens_per_second.items() if rate is not None}
    if not known:
        return ("it counts no tokens",)
    lines = [f"tokens that the source told of the window, divided by its {number(use.window.seconds, 1)} s"]
    for name in known:
        count = use.used.quantities.get(name, 0)
        result = number(count / use.window.seconds, 4)
        lines.append(f"  {name} = {count} / {number(use.window.seconds, 1)} = {result}/s: {TOKEN_CLASSES[name].help}")
    return tuple(lines)


def _requests(row: ModelRow, use: ApiUse) -> tuple[str, ...]:
    if use.used is None or row.requests_per_second is None:
        return (f"unknown: {use.window.why or 'the source does not count requests'}",)
    done, seconds = use.used.quantities.get(REQUESTS, 0), number(use.window.seconds, 1)
    return (f"requests told of the window: {done} / {seconds} = {number(row.requests_per_second, 6)}/s",)


def _totals(facts: Facts, row: ModelRow) -> tuple[str, ...]:
    if not row.totals:
        return (f"nothing since midnight in {facts.timezone}",)
    spent = row.totals.get("usd")
    lines = [f"{usd(spent)}: the ledger's lines since midnight in {facts.timezone}, as far as they are told"]
    used = [
        f"{name} {count:.0f}"
        for name, count in row.totals.items()
        if name in (*TOKEN_CLASSES, REQUESTS) and count is not None
    ]
    return (*lines, f"  {', '.join(used)}") if used else tuple(lines)
