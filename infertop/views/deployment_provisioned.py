"""A row for reserved throughput: what it costs used or not, and what its traffic would cost by the token."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from infertop.money.deployments import provisioned as formulas
from infertop.money.deployments.booked import price
from infertop.money.deployments.declared import Deployment, Provisioned
from infertop.money.toml_text import heading
from infertop.views.deployment_traffic import ByToken, Traffic, by_token, declared, measured
from infertop.views.deployment_words import amount, dollars, list_price, percent
from infertop.views.facts import Facts
from infertop.views.shapes import DeploymentRow, ModelRow


def provisioned_row(facts: Facts, each: Deployment, terms: Provisioned, rows: tuple[ModelRow, ...]) -> DeploymentRow:
    """Return the row of reserved throughput; what is measured goes before what is declared."""
    traffic = measured(each, rows, facts.prices)
    if not traffic.shares:
        traffic = declared(each, terms.requests_per_hour, terms.tokens)
    usd, cost = terms.usd_per_hour, by_token(each, traffic, facts.prices, facts.now)
    tokens = traffic.tokens
    at = formulas.utilisation(terms, tokens) if tokens else None
    used = None if traffic.mix else at
    per_million = None if used is None else formulas.effective_usd_per_million(usd, _served(tokens, used))
    pays = None if not at or cost.usd is None else formulas.break_even_at(usd, at, cost.usd)
    said = price(each)
    return DeploymentRow(
        name=each.name,
        kind=each.kind,
        provider=each.provider,
        model=each.model,
        usd_per_hour=float(usd),
        usd_per_million_tokens=None if per_million is None else float(per_million),
        utilization=None if used is None else float(used),
        break_even=None if pays is None else float(pays),
        against="pay-as-you-go",
        traffic=traffic.how,
        counts=each.counts,
        basis="computed",
        price_source=said.source if said else each.where,
        verdict=_verdict(each, terms, traffic, cost, used, pays),
        lines=_lines(each, terms, traffic, cost, at, pays),
    )


def _verdict(
    each: Deployment, terms: Provisioned, traffic: Traffic, cost: ByToken, used: Decimal | None, pays: Decimal | None
) -> str:
    if not traffic.shares:
        return "what it serves is unknown: declare input_tokens and output_tokens, or name the source that meters it"
    if cost.usd is None:
        name = cost.unpriced or each.model
        return (
            f"{name} has no list price at {each.provider}: set one under {heading('model', name)} to see when it pays"
        )
    if pays is None:
        return "none of it is used" if used == 0 else "its tokens are free by the list"
    if pays > 1:
        full = dollars(terms.usd_per_hour / pays)
        said = f"never cheaper than pay-as-you-go: the tokens it can serve cost {full}/h, this {_hour(terms)}"
    else:
        said = f"cheaper than pay-as-you-go above {percent(pays)} use"
    if used is None or traffic.mix:
        return f"{said}; how much is used is unknown"
    over = "; more than is reserved waits, is refused or is billed by the token" if used > 1 else ""
    now = f"{said}; now {percent(used)}"
    if pays <= 1:
        full = f"{dollars(cost.usd / used)}/h for what is reserved" if used > 1 else f"{dollars(cost.usd)}/h"
        now += f": pay-as-you-go would cost {full}, this costs {_hour(terms)}"
    return now + over


def _served(tokens: Mapping[str, Decimal], used: Decimal) -> Decimal:
    """Return the tokens an hour that the fixed price pays for: all, or of more than is reserved what is."""
    return sum(tokens.values(), Decimal(0)) / max(used, Decimal(1))


def _hour(terms: Provisioned) -> str:
    return f"{dollars(terms.usd_per_hour)}/h"


def _lines(
    each: Deployment, terms: Provisioned, traffic: Traffic, cost: ByToken, at: Decimal | None, pays: Decimal | None
) -> tuple[str, ...]:
    counted = "spent whether it is used or not" if each.counts else "shown beside what is spent, not added (counts)"
    lines = [f"$/h = {terms.formula} = {_hour(terms)} ({each.where}), {counted}", f"reserved: {_reserved(terms)}"]
    tokens = {name: value for name, value in traffic.tokens.items() if value}
    if not tokens:
        return (*lines, f"traffic: {traffic.told}")
    by_class = ", ".join(f"{name} {amount(value)}" for name, value in tokens.items())
    if traffic.mix or at is None:
        lines.append(f"a request: {by_class} tokens ({traffic.told}); how many there are is unknown")
    else:
        lines.append(f"traffic: {by_class} tokens an hour ({traffic.told})")
        lines.append(f"utilisation = {_used(terms, tokens)} = {percent(at)}")
        served = _served(tokens, at)
        per_million = formulas.effective_usd_per_million(terms.usd_per_hour, served)
        if per_million is not None:
            which = " (of them what is reserved)" if at > 1 else ""
            head = f"$/1M tokens = {_hour(terms)} / {amount(served)} tokens an hour{which}"
            lines.append(f"{head} = {dollars(per_million)}")
    if cost.usd is not None:
        what = "a request" if traffic.mix else "this traffic"
        unit = "" if traffic.mix else "/h"
        lines.append(f"pay-as-you-go: {what} costs {dollars(cost.usd)}{unit}, {list_price(cost.quotes, tokens)}")
    if pays is not None:
        lines.append(
            f"break-even = {_hour(terms)} / what full use at this mix costs by the token "
            f"({dollars(terms.usd_per_hour / pays)}/h) = {percent(pays)}"
            if pays
            else "it costs nothing"
        )
    return tuple(lines)


def _reserved(terms: Provisioned) -> str:
    if terms.tokens_per_minute is None:
        sides = ((terms.input_tokens_per_minute, "input"), (terms.output_tokens_per_minute, "output"))
        return " and ".join(f"{amount(value)} {name} tokens a minute" for value, name in sides if value is not None)
    named = (
        ("an output", terms.weights.output),
        ("a cached", terms.weights.cache_read),
        ("a cache-writing", terms.weights.cache_write),
    )
    weights = "".join(f"; {name} token counts as {value:f}" for name, value in named if value != 1)
    return f"{amount(terms.tokens_per_minute)} tokens a minute{weights}"


def _used(terms: Provisioned, tokens: dict[str, Decimal]) -> str:
    if terms.tokens_per_minute is None:
        return "the nearer to its limit of input and output"
    weighted = formulas.weighted(tokens, terms.weights) / formulas.MINUTES_PER_HOUR
    return f"{amount(weighted)} weighted tokens a minute / {amount(terms.tokens_per_minute)}"
