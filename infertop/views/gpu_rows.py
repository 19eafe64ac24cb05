"""A row for each GPU and MIG instance: what it does, what it costs, and whose models are on it."""

from __future__ import annotations

from collections.abc import Iterable

from infertop.views.costs import UNKNOWN_MODEL, GpuCost
from infertop.views.facts import Facts
from infertop.views.shapes import GpuRow

_TREND_BINS = 30
# Bits of NVML's clock event reasons (nvml.h, nvmlClocksEventReason*) that hold a busy GPU back.
THROTTLES = (
    (0x004, "power cap"),
    (0x008, "hw slowdown"),
    (0x020, "sw thermal"),
    (0x040, "hw thermal"),
    (0x080, "hw power brake"),
)


def gpu_rows(facts: Facts) -> tuple[GpuRow, ...]:
    """Return the rows in the order of their indices, instances after their GPU."""
    return tuple(sorted((_row(facts, cost) for cost in facts.costs.gpus), key=_order))


def _order(row: GpuRow) -> tuple[int, str]:
    head = row.index.split(":", 1)[0]
    return (int(head) if head.isdecimal() else 1 << 30, row.index)


def _row(facts: Facts, cost: GpuCost) -> GpuRow:
    meters, gpu = facts.meters, cost.at.gpu
    health = next((each for each in facts.healths if each.source == cost.meter), None)
    price = cost.rate.price

    def now(metric: str) -> float | None:
        return meters.total(cost.meter, metric, gpu=gpu)

    reasons = now("gpu_throttle_reasons")
    return GpuRow(
        uuid=gpu,
        index=cost.index,
        name=cost.at.name,
        state=health.state.value if health else "absent",
        age_seconds=None if health is None or health.good_ts is None else max(0.0, facts.now - health.good_ts),
        utilization=cost.busy,
        memory_used_bytes=now("gpu_memory_used_bytes"),
        memory_total_bytes=cost.memory_bytes,
        power_watts=now("gpu_power_watts"),
        power_limit_watts=now("gpu_power_limit_watts"),
        temperature_celsius=now("gpu_temperature_celsius"),
        sm_clock_hertz=now("gpu_sm_clock_hertz"),
        throttled=", ".join(_throttles(reasons)),
        usd_per_hour=cost.usd_per_hour,
        idle_usd_per_hour=cost.idle_usd_per_hour,
        price_source=price.source if price else "",
        price_default=bool(price and price.default),
        price_note=_note(cost),
        models=tuple(dict.fromkeys(_models(cost))),
        trend=meters.trend(cost.meter, "gpu_utilization", _TREND_BINS, gpu=gpu),
    )


def _note(cost: GpuCost) -> str:
    """Return what is to be known of the price beside its source."""
    if cost.rate.price is None:
        return cost.rate.lines[0]
    if cost.energy is None:
        return ""
    if cost.drawn is None:
        return "its energy is unknown and not in it"
    notes = (
        (cost.drawn.guessed, "energy estimated by its power limit"),
        (cost.energy.default, "energy at a default price"),
    )
    return ", ".join(note for holds, note in notes if holds)


def _throttles(reasons: float | None) -> Iterable[str]:
    return (word for bit, word in THROTTLES if reasons is not None and int(reasons) & bit)


def _models(cost: GpuCost) -> Iterable[str]:
    return (share.model or UNKNOWN_MODEL for share in cost.allocation.shares if cost.allocation.held)
