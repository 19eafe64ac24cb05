"""How a figure was come by: formula first, then the inputs with their sources and ages."""

from __future__ import annotations

from infertop.views.costs import UNKNOWN_MODEL, GpuCost, ModelCost
from infertop.views.facts import Facts
from infertop.views.model_rows import model_rows
from infertop.views.shapes import Explained, ModelRow


def explain(facts: Facts, panel: str, key: str) -> Explained:
    """Explain the figures of a panel ("headline", "models", "gpus", "budgets", "sources"), or of one row by its key.

    The key of a model is its source and its name with a tab between them, that of a GPU its UUID, of a budget its name.
    """
    if panel == "models" and "\t" in key:
        source, model = key.split("\t", 1)
        row = next((each for each in model_rows(facts) if (each.source, each.model) == (source, model)), None)
        if row:
            return _model(facts, row)
    if panel == "gpus":
        cost = next((each for each in facts.costs.gpus if each.at.gpu == key), None)
        if cost:
            return _gpu(facts, cost)
    return Explained(*_PANELS.get(panel, _PANELS["headline"])) if panel != "headline" else _headline(facts)


def _usd(value: float | None, digits: int = 4) -> str:
    return "unknown" if value is None else f"${value:.{digits}g}" if abs(value) < 0.01 else f"${value:,.{digits}f}"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:,.0f}"


def _headline(facts: Facts) -> Explained:
    costs = facts.costs
    lines = [
        f"$/hour {_usd(costs.total, 2)} = gpu {_usd(costs.gpu, 2)} + host {_usd(costs.host, 2)} + api unknown",
        "What is unknown is left out of the sum, and is never taken for 0.",
        f"gpu: the rate of each GPU present, whether it works or not: {len(facts.costs.gpus)} GPUs and instances",
    ]
    lines += [f"  {cost.index} {cost.at.name}: {_usd(cost.usd_per_hour, 2)}/h  {_price(cost)}" for cost in costs.gpus]
    lines += [
        f"idle {_usd(costs.idle, 2)}: of it, time in which nothing ran, held or not (rate x (1 - utilisation))",
        f"unheld {_usd(costs.unheld, 2)}: GPUs whose memory no model holds",
        f"host: {_usd(costs.host, 2)}, [host] of pricing.toml",
    ]
    usual = facts.past.usual
    if usual:
        lines.append(f"usual: {_usd(usual.mean, 2)} +- {_usd(usual.deviation, 2)}, over {usual.minutes} minutes")
    if facts.past.coverage is not None:
        lines.append(f"today: the ledger since midnight ({facts.timezone}), {facts.past.coverage:.0%} of it recorded")
    return Explained("$/hour", tuple(lines))


def _price(cost: GpuCost) -> str:
    price = cost.rate.price
    return f"{price.source}{' (default: nobody set it)' if price.default else ''}" if price else "no price"


def _gpu(facts: Facts, cost: GpuCost) -> Explained:
    memory = None if cost.memory_bytes is None else int(cost.memory_bytes)
    lines = list(facts.prices.explain_gpu(cost.at.name, memory, cost.slices, facts.now))
    if cost.energy_usd_per_hour:
        lines.append(f"energy at the power of the window: {_usd(cost.energy_usd_per_hour)}/h")
    busy = "unknown" if cost.busy is None else f"{cost.busy:.0%}"
    lines.append(f"utilisation over {facts.meters.window:.0f} s: {busy} (a kernel ran; it says nothing of how well)")
    lines.append(f"idle {_usd(cost.idle_usd_per_hour)}/h = {_usd(cost.usd_per_hour)}/h x (1 - utilisation)")
    if not cost.allocation.held:
        lines.append("no model holds its memory: all of it is unheld")
    for share in cost.allocation.shares if cost.allocation.held else ():
        part = None if cost.usd_per_hour is None else cost.usd_per_hour * share.all_in
        lines.append(f"  {share.all_in:.1%} = {_usd(part)}/h to {share.model or UNKNOWN_MODEL} ({share.source})")
    if cost.allocation.method:
        lines.append(f"divided: {cost.allocation.method}")
    return Explained(f"GPU {cost.index} {cost.at.name}", tuple(lines))


def _model(facts: Facts, row: ModelRow) -> Explained:
    cost = facts.costs.models.get((row.source, row.model), ModelCost())
    seconds = row.window_seconds
    requests = None if row.requests_per_second is None else row.requests_per_second * seconds
    age = "unknown" if row.age_seconds is None else f"{row.age_seconds:.0f} s"
    lines = [
        f"{row.basis}, all-in, over {seconds:.1f} s, {age} old, from {row.source}",
        f"$/h {_usd(row.usd_per_hour)}: its share of {len(cost.gpus)} GPUs{'' if cost.gpus else ' and of the host'}",
    ]
    lines += [f"  {method}" for method in dict.fromkeys(cost.methods) if method]
    lines += [
        f"$/request {_usd(row.usd_per_request)} = {_usd(row.usd_per_hour)}/h x {seconds:.1f} s / 3600"
        f" / {_number(requests)} requests finished",
        f"$/1M blended {_usd(row.usd_per_million.get('blended'))} = the same cost / tokens of all classes",
    ]
    for name, rate in row.tokens_per_second.items():
        tokens = None if rate is None else rate * seconds
        lines.append(f"  {name}: {_number(tokens)} tokens, {_usd(row.usd_per_million.get(name))} per 1M")
    lines.append("input, cache_read and output are weighted 1 : 0.1 : 4, or by the model's shadow prices")
    lines.append(f"usage, idle time apart: {_usd(row.usage_usd_per_hour)}/h")
    if row.requests_per_second is None:
        lines.append("This engine does not count requests, so a request has no price.")
    return Explained(row.model, tuple(lines))


_PANELS: dict[str, tuple[str, tuple[str, ...]]] = {
    "headline": ("$/hour", ()),
    "models": (
        "Models",
        (
            "$/h: what the model's share of GPUs (or of the host) costs an hour, idle time included (all-in)",
            "tok/s: output tokens a second over the window; req/s: requests finished a second",
            "$/req and $/1M: that cost over what was done in the window; unknown where nothing was",
            "~ marks what was divided by an estimate (token weights), not by measured GPU time",
        ),
    ),
    "gpus": (
        "GPUs",
        (
            "UTIL: share of the window in which a kernel ran; $/h: the rate, by pricing.toml or default",
            "IDLE: $/h x (1 - utilisation); MODEL: whose memory is on it; default: nobody set the rate",
        ),
    ),
    "budgets": (
        "Budgets",
        (
            "SPENT: the ledger's lines in the running period, in the configured time zone",
            "NOW/h: what is being spent an hour now; ENDS AT: spent + now x the time left; GONE: when it is used up",
        ),
    ),
    "sources": (
        "Sources",
        ("Each line is a source: its state, the age of its last good reading, and what is wrong with it.",),
    ),
    "events": ("Events", ("Marks, budget levels, restarts and mistakes in pricing.toml, newest first.",)),
}
