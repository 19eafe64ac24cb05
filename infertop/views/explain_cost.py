"""How a model's cost was come by: all-in, by usage, its margin, its GPUs. Unit costs are in `explain_unit.py`."""

from __future__ import annotations

from infertop.money.toml_text import heading
from infertop.readings.safe import safe
from infertop.views.costs import UNKNOWN_MODEL, GpuCost, ModelCost
from infertop.views.explain_rate import host_lines
from infertop.views.explain_unit import unit_figures
from infertop.views.facts import Facts
from infertop.views.model_rows import is_own
from infertop.views.origin import origin
from infertop.views.shapes import Explained, ModelRow
from infertop.views.wording import amount, enough, number, read_ago, usd


def cost_figures(facts: Facts, row: ModelRow) -> dict[str, Explained]:
    """Return the explanations of what a model costs."""
    cost = facts.costs.models.get((row.source, row.model), ModelCost())
    hour = Explained(f"$/h  {usd(row.usd_per_hour)}", _hour(facts, row, cost))
    return {
        "usd_per_hour": hour,
        "usage_usd_per_hour": Explained(f"usage  {usd(row.usage_usd_per_hour)}", _usage(facts, row, cost)),
        **unit_figures(facts, row),
        "shadow_margin_usd_per_hour": Explained(f"margin  {usd(row.shadow_margin_usd_per_hour)}", _margin(facts, row)),
        "totals": Explained("today", _totals(facts, row)),
        "basis": Explained("basis", (_basis(facts, row, cost),)),
        "gpus": Explained("GPUs", _gpus(facts, row, cost)),
    }


def _on(facts: Facts, row: ModelRow, cost: ModelCost) -> list[tuple[GpuCost, float, float | None]]:
    """Return the GPUs that the model is on, its whole part of each, and its busy part."""
    by_uuid = {gpu.at.gpu: gpu for gpu in facts.costs.gpus}
    found = []
    for gpu in (by_uuid[uuid] for uuid in dict.fromkeys(cost.gpus) if uuid in by_uuid):
        mine = [
            each
            for each in gpu.allocation.shares
            if (each.source, each.model or UNKNOWN_MODEL) == (row.source, row.model)
        ]
        busy = None if any(each.idle is None for each in mine) else sum(each.busy for each in mine)
        found.append((gpu, sum(each.all_in for each in mine), busy))
    return found


def _hour(facts: Facts, row: ModelRow, cost: ModelCost) -> tuple[str, ...]:
    told = f"{row.basis}, all-in, over {number(row.window_seconds, 1)} s, {read_ago(row.age_seconds)}"
    terms = [(share, gpu.usd_per_hour) for gpu, share, _ in _on(facts, row, cost) if gpu.usd_per_hour is not None]
    if cost.host_share and facts.costs.host is not None:
        terms.append((cost.host_share, facts.costs.host))
    if cost.all_in is None or not terms:
        return (_unknown(cost), f"  {told}", *_gpus(facts, row, cost))
    lines = [f"$/h = {_products(cost.all_in, terms)} = {amount(cost.all_in)} USD/h", f"  {told}"]
    lines += _gpus(facts, row, cost)
    if cost.host_share:
        lines.append(f"  {number(cost.host_share)} of the host's hour, because it runs without a GPU:")
        lines += [f"    {line.strip()}" for line in host_lines(facts)]
    return (*lines, *(f"  divided: {method}" for method in dict.fromkeys(cost.methods) if method))


def _products(result: float, terms: list[tuple[float, float]]) -> str:
    """Return "share x rate + ..." with the digits that give the result."""
    flat = [each for pair in terms for each in pair]
    texts = enough(result, lambda *some: sum(a * b for a, b in zip(some[::2], some[1::2], strict=True)), *flat)
    return " + ".join(f"{share} x {rate}" for share, rate in zip(texts[::2], texts[1::2], strict=True))


def _unknown(cost: ModelCost) -> str:
    if cost.gpus:
        return "unknown: its GPUs have no price; `?` on a GPU says what to set"
    return "unknown: no GPU of it is known, and [host] has no price"


def _gpus(facts: Facts, row: ModelRow, cost: ModelCost) -> tuple[str, ...]:
    lines = []
    for gpu, share, busy in _on(facts, row, cost):
        price = gpu.rate.price
        by = origin(facts, price.source, price.since) if price else "no price"
        parts = "" if busy is None else f" (busy {number(busy)} + idle {number(share - busy)})"
        lines.append(f"  {number(share)} of GPU {safe(gpu.index)} {safe(gpu.at.name, 60)}{parts}")
        missing = "" if price else ", so this part is not in it"
        if gpu.energy is not None and gpu.drawn is None:
            missing = "; its energy is unknown and not in it"
        lines.append(f"    at {usd(gpu.usd_per_hour)}/h: {by}{missing}")
    return tuple(lines) or ("  no GPU of it is known",)


def _usage(facts: Facts, row: ModelRow, cost: ModelCost) -> tuple[str, ...]:
    if row.stated and not cost.gpus:
        return ("unknown: what is paid by use has no idle part that could be left out",)
    meaning = "its busy part alone; models' usage + idle (+ busy time of GPUs that no model holds) = gpu"
    if not cost.gpus:
        return ("unknown: no GPU of it is known, and a host's busy time is not told from its idle time", meaning)
    if cost.usage is None:
        why = "the utilisation of its GPUs is" if not cost.metered else "a price of its GPUs is"
        return (f"unknown, because {why} not known", meaning)
    terms = [
        (busy, gpu.usd_per_hour) for gpu, _, busy in _on(facts, row, cost) if busy is not None and gpu.usd_per_hour
    ]
    if not terms:
        return (f"usage = {amount(cost.usage)} USD/h", meaning)
    return (f"usage = {_products(cost.usage, terms)} = {amount(cost.usage)} USD/h", meaning)


def _margin(facts: Facts, row: ModelRow) -> tuple[str, ...]:
    if row.stated:
        return ("unknown: a margin is of models that you serve, over what their tokens would cost elsewhere",)
    shadow = facts.prices.shadow_price(row.model, facts.now)
    if not shadow:
        return (f"no shadow price: set input and output under {heading('model', row.model)} in pricing.toml",)
    used = [name for name, rate in row.tokens_per_second.items() if rate is not None and name in shadow]
    prices = [
        f"  {name} {number(shadow[name].usd)} USD per 1M{'' if is_own(name, shadow[name]) else ' (has no own price)'}:"
        f" {origin(facts, shadow[name].source, shadow[name].since)}"
        for name in used
    ]
    if row.shadow_margin_usd_per_hour is None or row.usd_per_hour is None or not used:
        return ("unknown: its $/h is, or no token was counted", *prices)
    rates = [row.tokens_per_second[name] or 0.0 for name in used]
    of = [float(shadow[name].usd) for name in used]
    texts = enough(
        row.shadow_margin_usd_per_hour,
        lambda hour, *some: sum(a * b for a, b in zip(some, of, strict=True)) * 3600 / 1e6 - hour,
        row.usd_per_hour,
        *rates,
    )
    brought = " + ".join(f"{rate} x {number(price, 12)}" for rate, price in zip(texts[1:], of, strict=True))
    return (
        "margin = tokens a second x shadow price x 3600 / 1M - $/h; never part of spend",
        f"  = ({brought}) x 3600 / 1000000 - {texts[0]} = {amount(row.shadow_margin_usd_per_hour)} USD/h",
        *prices,
    )


def _totals(facts: Facts, row: ModelRow) -> tuple[str, ...]:
    if not row.totals:
        return ("nothing of it is in the ledger yet",)
    return (f"the ledger's lines of this source and model since midnight in {facts.timezone}",)


def _basis(facts: Facts, row: ModelRow, cost: ModelCost) -> str:
    if row.basis != "estimated":
        return f"{row.basis}: every part of its cost was measured, or it has its GPUs alone"
    guessed = any(gpu.estimated for gpu, _, _ in _on(facts, row, cost))
    return f"estimated: {'energy by the power limit' if guessed else 'shared by tokens, by requests or equally'}"
