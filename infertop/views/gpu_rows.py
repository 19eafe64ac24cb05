"""A row for each GPU and MIG instance: what it does, what it costs, and whose models are on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from infertop.readings.throttle import Reason, reasons, throttles
from infertop.views.costs import UNKNOWN_MODEL, GpuCost
from infertop.views.facts import Facts
from infertop.views.gpu_processes import processes_by_gpu
from infertop.views.shapes import GpuRow, ProcessRow
from infertop.views.tellers import teller

_TREND_BINS = 30
Processes = Mapping[str, tuple[ProcessRow, ...]]


def gpu_rows(facts: Facts) -> tuple[GpuRow, ...]:
    """Return the rows in the order of their indices, instances after their GPU."""
    costs = facts.costs.gpus
    processes = {source: processes_by_gpu(facts.meters, source) for source in {cost.meter for cost in costs}}
    return tuple(sorted((_row(facts, cost, processes[cost.meter]) for cost in costs), key=_order))


def _order(row: GpuRow) -> tuple[tuple[bool, int, str], ...]:
    """Order `2`, `2:0`, `10`, `node1:2`, `node1:10` as a person would."""
    return tuple(
        (not part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in row.index[:200].split(":")
    )


def _row(facts: Facts, cost: GpuCost, processes: Processes) -> GpuRow:
    health = next((each for each in facts.healths if each.source == cost.meter), None)
    part = cost.drawn.part if cost.drawn else None
    row = GpuRow(
        uuid=cost.at.gpu,
        index=cost.index,
        name=cost.at.name,
        state=health.state.value if health else "absent",
        age_seconds=None if health is None or health.good_ts is None else max(0.0, facts.now - health.good_ts),
        utilization=cost.busy,
        memory_total_bytes=cost.memory_bytes,
        models=tuple(dict.fromkeys(_models(cost))),
        meter=teller(facts, cost.meter),
        parent=cost.at.parent,
        instances=len(cost.at.instances),
        slices=part or cost.rate.part,
        power_share_watts=cost.drawn.watts if cost.drawn and part and cost.at.parent else None,
        where=_where(facts, cost),
        processes=processes.get(cost.at.gpu, ()),
        source=cost.meter,
    )
    return _with_price(_with_meters(row, facts, cost), cost)


def _with_meters(row: GpuRow, facts: Facts, cost: GpuCost) -> GpuRow:
    """Return the row with what its meter measured."""
    meters, gpu = facts.meters, cost.at.gpu

    def now(metric: str) -> float | None:
        return meters.total(cost.meter, metric, gpu=gpu)

    def of_chip(metric: str) -> float | None:
        """Return what an instance has in common with its GPU, which alone may measure it."""
        own = now(metric)
        return own if own is not None or not cost.at.parent else meters.total(cost.meter, metric, gpu=cost.at.parent)

    held_by = of_chip("gpu_throttle_reasons")
    return replace(
        row,
        memory_used_bytes=now("gpu_memory_used_bytes"),
        power_watts=now("gpu_power_watts"),
        power_limit_watts=now("gpu_power_limit_watts"),
        temperature_celsius=of_chip("gpu_temperature_celsius"),
        sm_clock_hertz=of_chip("gpu_sm_clock_hertz"),
        memory_clock_hertz=of_chip("gpu_memory_clock_hertz"),
        memory_utilization=now("gpu_memory_utilization"),
        sm_occupancy=now("gpu_sm_occupancy"),
        throttled=", ".join(throttles(held_by)),
        throttle_notes=None if held_by is None else tuple(_note_of(each) for each in reasons(held_by)),
        trend=meters.trend(cost.meter, "gpu_utilization", _TREND_BINS, gpu=gpu),
    )


def _with_price(row: GpuRow, cost: GpuCost) -> GpuRow:
    """Return the row with what it costs, and where that is from."""
    price = cost.rate.price
    return replace(
        row,
        usd_per_hour=cost.usd_per_hour,
        idle_usd_per_hour=cost.idle_usd_per_hour,
        price_source=price.source if price else "",
        price_default=bool(price and price.default),
        price_note=_note(cost),
    )


def _note_of(reason: Reason) -> str:
    return f"{reason.word}: {reason.meaning}"


def _where(facts: Facts, cost: GpuCost) -> str:
    """Return the machine and the pods that the meter of another machine names."""
    infos = facts.meters.tracks(cost.meter, "gpu_info", gpu=cost.at.gpu)
    labels = next((dict(each.series.labels) for each in infos), {})
    pod = "/".join(filter(None, (labels.get("namespace"), labels.get("pod"))))
    return ", ".join(filter(None, (labels.get("host"), f"pod {pod}" if pod else "")))


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


def _models(cost: GpuCost) -> Iterable[str]:
    return (share.model or UNKNOWN_MODEL for share in cost.allocation.shares if cost.allocation.held)
