"""How the figures of a GPU were come by."""

from __future__ import annotations

from typing import NamedTuple

from infertop.money.allocate import GpuUse, ModelUse
from infertop.readings.registry import METRICS
from infertop.readings.safe import safe
from infertop.views.costs import UNKNOWN_MODEL, GpuCost
from infertop.views.explain_process import process_lines
from infertop.views.explain_rate import gpu_lines
from infertop.views.facts import Facts
from infertop.views.origin import origin
from infertop.views.shapes import Explained, GpuRow
from infertop.views.tellers import what_to_do
from infertop.views.wording import amount, enough, number, read_ago, usd

_GIB = 2**30


class _Reading(NamedTuple):
    """A column that is the newest reading of a metric; `factor` is from the metric's unit to the one shown."""

    column: str
    title: str
    metric: str
    factor: float
    unit: str


_READINGS = (
    _Reading("memory_used_bytes", "memory used", "gpu_memory_used_bytes", 1 / _GIB, "GiB"),
    _Reading("memory_total_bytes", "memory", "gpu_memory_total_bytes", 1 / _GIB, "GiB"),
    _Reading("power_limit_watts", "power limit", "gpu_power_limit_watts", 1.0, "W"),
    _Reading("temperature_celsius", "temperature", "gpu_temperature_celsius", 1.0, "C"),
    _Reading("sm_clock_hertz", "SM clock", "gpu_sm_clock_hertz", 1e-6, "MHz"),
    _Reading("memory_clock_hertz", "memory clock", "gpu_memory_clock_hertz", 1e-6, "MHz"),
    _Reading("memory_utilization", "memory accesses", "gpu_memory_utilization", 1.0, ""),
    _Reading("sm_occupancy", "multiprocessors", "gpu_sm_occupancy", 1.0, ""),
)
_POWER = _Reading("power_watts", "power", "gpu_power_watts", 1.0, "W")


def gpu_figures(facts: Facts, cost: GpuCost, row: GpuRow) -> dict[str, Explained]:
    """Return the explanations of a GPU's columns."""
    name = Explained("GPU", _named(row))
    source = Explained("price", _source(facts, cost))
    state = Explained("state", (f"{row.state}: {row.meter} as {safe(cost.meter)}, {read_ago(row.age_seconds)}",))
    power = Explained("power", _power_share(cost, row) or _reading(row, _POWER).lines)
    return {
        "usd_per_hour": Explained(f"$/h  {usd(cost.usd_per_hour)}", gpu_lines(facts, cost)),
        "idle_usd_per_hour": Explained(f"idle  {usd(cost.idle_usd_per_hour)}", _idle(cost, row)),
        "models": Explained("whose it is", _shares(facts, cost)),
        "utilization": Explained("utilisation", _busy(facts, cost, row)),
        **dict.fromkeys(("throttled", "throttle_notes"), Explained("held down", _throttled(row))),
        **dict.fromkeys(("power_watts", "power_share_watts"), power),
        **{each.column: _reading(row, each) for each in _READINGS},
        "processes": Explained("processes", process_lines(row)),
        **dict.fromkeys(("price_source", "price_default", "price_note", "default"), source),
        **dict.fromkeys(("uuid", "index", "name", "gpu", "parent", "instances", "slices", "where"), name),
        **dict.fromkeys(("state", "age_seconds", "meter", "source"), state),
        "trend": Explained("trend", ("utilisation over the window, oldest first",)),
    }


def _named(row: GpuRow) -> tuple[str, ...]:
    lines = [f"{safe(row.name)}, {safe(row.uuid)}, index {safe(row.index)}: as {row.meter} names it"]
    if row.where:
        lines.append(f"on {safe(row.where, 120)}")
    if row.parent:
        part = "a part" if row.slices is None else f"{row.slices[0]} of {row.slices[1]} compute slices"
        lines.append(f"a MIG instance: {part} of {safe(row.parent)}, whose clocks and temperature it has")
    if row.instances:
        instances = "1 MIG instance" if row.instances == 1 else f"{row.instances} MIG instances"
        lines.append(f"cut into {instances}: memory and $/h are of what none has, power of the whole GPU")
    return tuple(lines)


def _power_share(cost: GpuCost, row: GpuRow) -> tuple[str, ...]:
    if row.power_share_watts is None or cost.drawn is None or cost.drawn.part is None:
        return ()
    own, every = cost.drawn.part
    whole, digits = number(cost.drawn.whole_watts, 3), number(row.power_share_watts, 6)
    share = f"  = {whole} x {own} / {every} = {digits}"
    return (f"{row.meter} measures watts of the whole GPU alone: its part of them by slices", share)


def _idle(cost: GpuCost, row: GpuRow) -> tuple[str, ...]:
    meaning = "the cost of time in which nothing ran, held or not; part of $/h, never added to it"
    if cost.usd_per_hour is None or cost.busy is None or cost.idle_usd_per_hour is None:
        missing = "its price" if cost.usd_per_hour is None else f"its utilisation, which {row.meter} does not tell,"
        return (f"unknown, because {missing} is", meaning)
    rate, busy = enough(cost.idle_usd_per_hour, lambda one, share: one * (1 - share), cost.usd_per_hour, cost.busy)
    digits = f"{rate} x (1 - {busy}) = {amount(cost.idle_usd_per_hour)}"
    return (f"idle = $/h x (1 - utilisation) = {digits} USD/h", meaning)


def _busy(facts: Facts, cost: GpuCost, row: GpuRow) -> tuple[str, ...]:
    if cost.at.instances:
        return ("0: nothing can run on what no instance has of a GPU that is cut by MIG",)
    read = read_ago(facts.age_of(cost.meter))
    lines = []
    if cost.busy is None:
        why = " (of MIG instances it does on Hopper and later, by GPM)" if row.parent and row.meter == "NVML" else ""
        lines += [f"unknown: {row.meter} does not tell it of this GPU{why}", *what_to_do(row.meter, "gpu_utilization")]
    else:
        seconds = facts.meters.covered(cost.meter, "gpu_utilization")
        span = f"share of the last {number(seconds, 1)} s in which a kernel ran"
        lines.append(f"{number(cost.busy)}: {span}, by {row.meter}, {read}")
        lines.append("a kernel ran: it says nothing of how well the rest of the GPU was used")
    if row.sm_occupancy is not None:
        lines.append(f"of its multiprocessors {number(row.sm_occupancy)} were at work, by its profiling counters")
    if row.memory_utilization is not None:
        lines.append(f"its memory was read or written in {number(row.memory_utilization)} of the time")
    return tuple(lines)


def _reading(row: GpuRow, how: _Reading) -> Explained:
    value: float | None = getattr(row, how.column)
    if value is None:
        unknown = f"unknown: {row.meter} does not tell it of this GPU"
        return Explained(how.title, (unknown, *what_to_do(row.meter, how.metric)))
    figure = f"{number(value * how.factor, 3)} {how.unit}".strip()
    said = f"{figure}: {METRICS[how.metric].help}, {row.meter}'s newest reading"
    return Explained(how.title, (f"{said}, {read_ago(row.age_seconds)}",))


def _throttled(row: GpuRow) -> tuple[str, ...]:
    if row.throttle_notes is None:
        unknown = f"unknown: {row.meter} does not tell why the clock of this GPU is as it is"
        return (unknown, *what_to_do(row.meter, "gpu_throttle_reasons"))
    if not row.throttle_notes:
        return (f"nothing: {row.meter} names no reason why its clock is as it is",)
    held = row.throttled or "nothing that holds a busy GPU back"
    return (f"{held}: what {row.meter} says of the clock", *(f"  {note}" for note in row.throttle_notes))


def _source(facts: Facts, cost: GpuCost) -> tuple[str, ...]:
    price = cost.rate.price
    if price is None:
        return cost.rate.lines
    unset = "; nobody set it, so it is marked d" if price.default else ""
    lines = [f"{usd(float(price.usd))} a GPU hour: {origin(facts, price.source, price.since)}{unset}"]
    if cost.energy is not None:
        lines.append(f"energy apart: {origin(facts, cost.energy.source, cost.energy.since)}")
    return tuple(lines)


def _shares(facts: Facts, cost: GpuCost) -> tuple[str, ...]:
    if not cost.allocation.held:
        return ("no model holds its memory: all of it is unheld, a row of its own",)
    lines = ["a model's part = its part of the busy time + its part of the idle time; all parts sum to $/h"]
    for share in cost.allocation.shares:
        who = f"{safe(share.model or UNKNOWN_MODEL, 60)} ({safe(share.source, 60)})"
        parts = number(share.all_in) if share.idle is None else f"{number(share.busy)} + {number(share.idle)}"
        if cost.usd_per_hour is None:
            lines.append(f"{who}: {parts} of an unknown price")
            continue
        part = cost.usd_per_hour * share.all_in
        rate, *shares = enough(
            part, lambda one, *some: one * sum(some), cost.usd_per_hour, share.busy, share.idle or 0.0, digits=6
        )
        digits = f"({shares[0]} + {shares[1]})" if share.idle is not None else shares[0]
        lines.append(f"{who}:")
        lines.append(f"  {rate} x {digits} = {amount(part)} USD/h")
    if cost.allocation.method:
        lines.append(f"divided: {cost.allocation.method}")
        lines.append("  busy part = utilisation x its work / all work")
        lines.append("  idle part = (1 - utilisation) x its memory / all memory")
        lines += _measures(cost.use)
    return tuple(lines)


def _measures(use: GpuUse) -> list[str]:
    """Return what each holder was measured to do and hold, and what its models did."""
    lines = []
    for holder in use.holders:
        said = [f"SM time {number(holder.busy_seconds)}"] if holder.busy_seconds is not None else []
        if holder.memory_byte_seconds is not None:
            said.append(f"memory {number(holder.memory_byte_seconds / _GIB, 3)} GiB")
        lines.append(f"  {safe(holder.source, 60)}: {', '.join(said) or 'neither SM time nor memory is known'}")
        lines += [f"    {safe(each.model or UNKNOWN_MODEL, 50)}: {_done(each)}" for each in holder.models]
    return lines


def _done(model: ModelUse) -> str:
    known = (
        ("GPU s", model.compute_seconds),
        ("weighted tokens", model.token_weight),
        ("requests", model.requests),
    )
    return ", ".join(f"{number(value, 3)} {what}" for what, value in known if value is not None) or "nothing told"
