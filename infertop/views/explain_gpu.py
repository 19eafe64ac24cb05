"""How the figures of a GPU, and of the headline, were come by."""

from __future__ import annotations

from infertop.views.costs import UNKNOWN_MODEL, Costs, GpuCost
from infertop.views.facts import Facts
from infertop.views.shapes import Explained


def usd(value: float | None, digits: int = 4) -> str:
    """Return an amount as a person reads it; what is unknown is said to be."""
    if value is None:
        return "unknown"
    return f"${value:.{digits}g}" if 0 < abs(value) < 0.01 else f"${value:,.{digits}f}".rstrip("0").rstrip(".")


def gpu_figures(facts: Facts, cost: GpuCost) -> dict[str, Explained]:
    """Return the explanations of a GPU's columns."""
    return {
        "usd_per_hour": Explained(f"$/h  {usd(cost.usd_per_hour)}", _rate(facts, cost)),
        "utilization": Explained("utilisation", (_busy(facts, cost), "a kernel ran; it says nothing of how well")),
        "idle_usd_per_hour": Explained(
            f"idle  {usd(cost.idle_usd_per_hour)}",
            (f"{usd(cost.usd_per_hour)}/h x (1 - utilisation): time in which nothing ran, held or not",),
        ),
        "models": Explained("whose it is", _shares(cost)),
    }


def _busy(facts: Facts, cost: GpuCost) -> str:
    busy = "unknown" if cost.busy is None else f"{cost.busy:.1%}"
    return f"{busy}: share of the last {facts.meters.window:.0f} s in which a kernel ran, by NVML"


def _rate(facts: Facts, cost: GpuCost) -> tuple[str, ...]:
    memory = None if cost.memory_bytes is None else int(cost.memory_bytes)
    explained = facts.prices.explain_gpu(cost.at.name, memory, cost.slices, facts.now)
    lines = list(explained if cost.rate.price else cost.rate.lines)
    if cost.energy_usd_per_hour:
        lines.append(f"energy at the mean power of the window: {usd(cost.energy_usd_per_hour)}/h")
    return tuple(lines)


def _shares(cost: GpuCost) -> tuple[str, ...]:
    if not cost.allocation.held:
        return ("no model holds its memory: all of it is unheld",)
    lines = []
    for share in cost.allocation.shares:
        part = None if cost.usd_per_hour is None else cost.usd_per_hour * share.all_in
        busy = f", {share.busy:.1%} busy" if share.idle is not None else ""
        lines.append(f"{share.all_in:.1%}{busy} = {usd(part)}/h to {share.model or UNKNOWN_MODEL} ({share.source})")
    if cost.allocation.method:
        lines.append(f"divided: {cost.allocation.method}")
    return tuple(lines)


def _parts(costs: Costs) -> tuple[tuple[str, float | None], ...]:
    return (("gpu", costs.gpu), ("host", costs.host), ("api", costs.api))


def headline(facts: Facts) -> Explained:
    """Explain the first lines of the screen."""
    costs, past = facts.costs, facts.past
    parts = [(name, value) for name, value in _parts(costs) if value is not None]
    lines = [
        " + ".join(f"{name} {usd(value, 2)}" for name, value in parts) or "nothing here has a price yet",
        "gpu is the rate of each GPU present, whether it works or not:",
    ]
    for cost in costs.gpus:
        price = cost.rate.price
        source = f"{price.source}{', default: nobody set it' if price.default else ''}" if price else "no price"
        lines.append(f"  {cost.index} {cost.at.name}: {usd(cost.usd_per_hour, 2)}/h  {source}")
    if costs.api is not None:
        lines.append(f"api {usd(costs.api, 2)}: throughput reserved at providers, used or not (see deployments)")
    lines.append(f"idle {usd(costs.idle, 2)}: the part of gpu in which nothing ran")
    lines.append(f"unheld {usd(costs.unheld, 2)}: GPUs whose memory no model holds; models + unheld = gpu")
    if past.usual:
        usual = past.usual
        lines.append(
            f"usual {usd(usual.mean, 2)} +- {usd(usual.deviation, 2)}: {usual.minutes} minutes of the last 7 days"
        )
    else:
        lines.append("what is usual is known after an hour of history")
    if past.coverage is not None:
        lines.append(f"today {usd(past.today_usd, 2)}: the ledger since midnight in {facts.timezone}")
        lines.append(f"  {past.coverage:.0%} of today was recorded: what ran besides is not in it")
    return Explained(f"$/hour in all  {usd(costs.total, 2)}", tuple(lines))
