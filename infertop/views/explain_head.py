"""How the first lines of the screen were come by."""

from __future__ import annotations

from infertop.money.deployments.booked import price as deployment_price
from infertop.readings.safe import safe
from infertop.views.explain_api import age_line
from infertop.views.explain_rate import host_lines
from infertop.views.facts import Facts
from infertop.views.origin import origin
from infertop.views.shapes import Explained, Headline
from infertop.views.unpriced import HOW, unpriced_sentence
from infertop.views.wording import amount, enough, number, read_ago, usd

_EQUATION = "models all-in + unheld = gpu; models' usage + idle + busy time of unheld GPUs = gpu"


def head_figures(facts: Facts, head: Headline) -> dict[str, Explained]:
    """Return the explanations of the headline's figures."""
    whole = Explained(f"$/hour in all  {usd(head.usd_per_hour, 2)}", _whole(facts, head))
    gpu = Explained(f"gpu  {usd(head.gpu_usd_per_hour, 2)}", _gpus(facts, head))
    usual = Explained(f"usual  {usd(head.usual_usd_per_hour, 2)}", _usual(facts, head))
    month = Explained(f"month  {usd(head.month_usd, 2)}", _month(facts, head))
    return {
        "usd_per_hour": whole,
        "gpu_usd_per_hour": gpu,
        "host_usd_per_hour": Explained(f"host  {usd(head.host_usd_per_hour, 2)}", _host(facts)),
        "api_usd_per_hour": Explained(f"api  {usd(head.api_usd_per_hour, 2)}", _api(facts, head)),
        "api_age_seconds": Explained("api, age", _ages(facts) or ("unknown: no provider is read, and no log",)),
        "idle_usd_per_hour": Explained(f"idle  {usd(head.idle_usd_per_hour, 2)}", _idle(facts, head)),
        "unheld_usd_per_hour": Explained(f"unheld  {usd(head.unheld_usd_per_hour, 2)}", _unheld(facts, head)),
        "tokens_per_second": Explained("tok/s", _tokens(head)),
        **dict.fromkeys(("usual_usd_per_hour", "usual_note", "marked"), usual),
        "today_usd": Explained(f"today  {usd(head.today_usd, 2)}", _today(facts, head)),
        **dict.fromkeys(("month_usd", "month_forecast_usd", "month_limit_usd"), month),
        "default_prices": Explained("default prices", _defaults(facts, head)),
        "unpriced": Explained("unpriced", _unpriced(facts, head)),
        **dict.fromkeys(("unpriced_models", "unpriced_tokens"), Explained("unpriced models", _tokens_unpriced(facts))),
        "unpriced_own": Explained(
            "unpriced models of your own", (unpriced_sentence(head) or "every model has a price",)
        ),
        "trend": Explained("trend", ("the ledger's $/hour, minute by minute, oldest first",)),
    }


def _sum(result: float, parts: list[float]) -> str:
    """Return parts and their sum in digits, the sum alone where there is one."""
    if len(parts) < 2:
        return f"{amount(result)} USD/h"
    return f"{' + '.join(enough(result, lambda *some: sum(some), *parts))} = {amount(result)} USD/h"


def _whole(facts: Facts, head: Headline) -> tuple[str, ...]:
    named = (("gpu", head.gpu_usd_per_hour), ("host", head.host_usd_per_hour), ("api", head.api_usd_per_hour))
    known = [(name, value) for name, value in named if value is not None]
    if head.usd_per_hour is None or not known:
        said = unpriced_sentence(head)
        return (said or "nothing here has a price yet",)
    names = " + ".join(name for name, _ in known)
    return (
        f"$/hour = {names} = {_sum(head.usd_per_hour, [value for _, value in known])}",
        _EQUATION,
        *((said,) if (said := unpriced_sentence(head)) else ()),
    )


def _gpus(facts: Facts, head: Headline) -> tuple[str, ...]:
    if head.gpu_usd_per_hour is None:
        return ("unknown: no GPU is read that has a price",)
    parts = [cost.usd_per_hour for cost in facts.costs.gpus if cost.usd_per_hour is not None]
    lines = [
        f"gpu = {_sum(head.gpu_usd_per_hour, parts)}",
        "  the rate of each GPU that is there, whether it works or not:",
    ]
    for cost in facts.costs.gpus:
        price = cost.rate.price
        by = origin(facts, price.source, price.since) if price else "no price, not in it"
        lines.append(f"  {safe(cost.index)} {safe(cost.at.name, 50)} {usd(cost.usd_per_hour)}/h: {by}")
    meters = dict.fromkeys(cost.meter for cost in facts.costs.gpus)
    return (*lines, *(f"  GPUs by {safe(each)}, {read_ago(facts.age_of(each))}" for each in meters))


def _host(facts: Facts) -> tuple[str, ...]:
    carried = any(cost.host_share for cost in facts.costs.models.values())
    if facts.costs.host is None:
        return host_lines(facts)
    by = (
        "carried by the local models without a GPU"
        if carried
        else "a row of its own: no local model runs without a GPU"
    )
    return (*host_lines(facts), by, "what the rest of a GPU machine costs: never added to the models on its GPUs")


def _api(facts: Facts, head: Headline) -> tuple[str, ...]:
    if head.api_usd_per_hour is None and facts.costs.api is not None:
        return (f"unknown: what is used has no price: {HOW}",)
    if head.api_usd_per_hour is None:
        return ("unknown: no provider is read, and no reserved throughput declared",)
    prices = [price for each in facts.costs.deployments if (price := deployment_price(each))]
    uses = [(each, rate) for each in facts.api.uses if (rate := each.counted_usd_per_hour) is not None]
    parts = [rate for _, rate in uses if rate] + [float(each.usd) for each in prices]
    return (
        f"api = {_sum(head.api_usd_per_hour, parts or [0.0])}",
        *(
            f"  {safe(use.source, 40)} {safe(use.model or 'no model', 50)}: {usd(rate)}/h, {use.basis}"
            for use, rate in uses
            if rate
        ),
        *(f"  {line}" for line in _ages(facts)),
        *(("  throughput that is reserved at providers, used or not (see deployments)",) if prices else ()),
        *(
            f"  {safe(each.name, 60)}: {usd(float(each.usd))}/h, {origin(facts, each.source, each.since)}"
            for each in prices
        ),
    )


def _ages(facts: Facts) -> tuple[str, ...]:
    return tuple(age_line(facts, name, window) for name, window in facts.api.windows.items())


def _idle(facts: Facts, head: Headline) -> tuple[str, ...]:
    if head.idle_usd_per_hour is None:
        return ("unknown: no GPU is read that has a price and tells its utilisation",)
    known = [cost for cost in facts.costs.gpus if cost.idle_usd_per_hour is not None]
    flat = [each for cost in known for each in (cost.usd_per_hour or 0.0, cost.busy or 0.0)]
    texts = enough(
        head.idle_usd_per_hour,
        lambda *some: sum(a * (1 - b) for a, b in zip(some[::2], some[1::2], strict=True)),
        *flat,
    )
    terms = [f"{rate} x (1 - {busy})" for rate, busy in zip(texts[::2], texts[1::2], strict=True)]
    return (
        "idle = sum of $/h x (1 - utilisation) over the GPUs",
        f"  = {' + '.join(terms)} = {amount(head.idle_usd_per_hour)} USD/h",
        "  GPU time in which nothing ran, held or not; part of gpu, never added to it",
    )


def _unheld(facts: Facts, head: Headline) -> tuple[str, ...]:
    if head.unheld_usd_per_hour is None:
        return ("unknown: no GPU is read that has a price",)
    free = [cost for cost in facts.costs.gpus if not cost.allocation.held and cost.usd_per_hour is not None]
    rates = [cost.usd_per_hour for cost in free if cost.usd_per_hour is not None]
    return (
        f"unheld = {_sum(head.unheld_usd_per_hour, rates)}",
        "  GPUs whose memory no model holds; what MIG instances leave of a GPU is one of them",
        *(f"  {safe(cost.index)} {safe(cost.at.name, 50)} {usd(cost.usd_per_hour)}/h" for cost in free),
        f"  {_EQUATION}",
    )


def _tokens(head: Headline) -> tuple[str, ...]:
    if head.tokens_per_second is None:
        return ("unknown: no engine is read that counts tokens",)
    return (
        f"{number(head.tokens_per_second, 2)}: tokens a second of all models and classes together, over the window",
    )


def _usual(facts: Facts, head: Headline) -> tuple[str, ...]:
    usual = facts.past.usual
    if usual is None:
        return ("what is usual is known after an hour of history",)
    beyond = "the last minute is beyond it" if head.marked else "the last minute is within it"
    return (
        f"{usd(usual.mean, 2)} +- {usd(usual.deviation, 2)}: mean and standard deviation of {usual.minutes} minutes",
        f"  of the last 7 days; {beyond}",
    )


def _today(facts: Facts, head: Headline) -> tuple[str, ...]:
    if head.today_usd is None:
        return ("unknown: nothing with a price is in the ledger of today",)
    lines = [f"{usd(head.today_usd)}: the ledger's lines since midnight in {facts.timezone}"]
    if facts.past.coverage is not None:
        lines.append(f"  {facts.past.coverage:.0%} of today was recorded: what ran besides is not in it")
    return tuple(lines)


def _month(facts: Facts, head: Headline) -> tuple[str, ...]:
    if head.month_usd is None:
        return ("unknown: nothing with a price is in the ledger of this month",)
    lines = [f"{usd(head.month_usd)}: the ledger's lines since the month began in {facts.timezone}"]
    if head.month_limit_usd is None:
        lines.append('  no forecast: it needs a [[budget]] for everything with period = "month"')
    elif head.month_forecast_usd[1] is not None:
        lines.append(
            f"  ends near {usd(head.month_forecast_usd[1], 2)}{_between(head)} of {usd(head.month_limit_usd, 2)}:"
            " see the budget"
        )
    return tuple(lines)


def _between(head: Headline) -> str:
    low, _, high = head.month_forecast_usd
    return "" if low is None or high is None else f", between {usd(low, 2)} and {usd(high, 2)},"


def _defaults(facts: Facts, head: Headline) -> tuple[str, ...]:
    if not head.default_prices:
        return ("0: no GPU has a default rate",)
    names = dict.fromkeys(c.at.name for c in facts.costs.gpus if c.rate.price is not None and c.rate.price.default)
    return (
        f"{head.default_prices} GPUs have a default rate: {', '.join(safe(name, 50) for name in names)}",
        '  yours may differ by a factor of 2 to 4: set usd_per_hour under [gpu."..."] in pricing.toml',
    )


def _unpriced(facts: Facts, head: Headline) -> tuple[str, ...]:
    lines = [cost.rate.lines[0] for cost in facts.costs.gpus if cost.rate.price is None]
    return (f"{head.unpriced} GPUs without a price: counted, and in no sum", *(f"  {line}" for line in lines))


def _tokens_unpriced(facts: Facts) -> tuple[str, ...]:
    found = facts.past.unpriced
    if not found:
        return ("0: every model that was used today, and whose price should be known, has one",)
    return (
        "used today, and in no sum of USD because nobody says what they cost:",
        *(f"  {safe(model, 60)}: {count} tokens" for model, count in found.items()),
    )
