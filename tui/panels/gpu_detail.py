"""A GPU in full: what the table has no room for, and the processes that are on it."""

from __future__ import annotations

from infertop.views.shapes import GpuRow
from infertop.views.text import safe
from tui import format as fmt
from tui.scene import Scene
from tui.widgets.spark import spark

_TREND_CELLS = 30
_MOST_PROCESSES = 12


def memory(gpu: GpuRow) -> str:
    """Return memory in use and in all, in GiB."""
    return fmt.gigabytes(gpu.memory_used_bytes, gpu.memory_total_bytes)


def of_limit(gpu: GpuRow) -> str:
    """Return the share of the power limit that is drawn."""
    if not fmt.known(gpu.power_watts) or not fmt.known(gpu.power_limit_watts) or gpu.power_limit_watts <= 0:
        return fmt.UNKNOWN
    return fmt.percent(gpu.power_watts / gpu.power_limit_watts)


def _clocks(gpu: GpuRow) -> str:
    clocks = ((gpu.sm_clock_hertz, "SM"), (gpu.memory_clock_hertz, "memory"))
    return ", ".join(f"{name} {hertz / 1e6:.0f} MHz" for hertz, name in clocks if fmt.known(hertz))


def _use(gpu: GpuRow) -> str:
    """Say how the GPU was used, each share with what it is of."""
    shares = (
        (gpu.utilization, "of the time a kernel ran"),
        (gpu.sm_occupancy, "of its multiprocessors were at work"),
        (gpu.memory_utilization, "of the time its memory was accessed"),
    )
    return ", ".join(f"{fmt.percent(share)} {what}" for share, what in shares if fmt.known(share))


def _memory_used(gpu: GpuRow) -> str:
    used, whole = gpu.memory_used_bytes, gpu.memory_total_bytes
    share = f" ({fmt.percent(used / whole)})" if fmt.known(used) and fmt.known(whole) and whole > 0 else ""
    return f"{memory(gpu)} GiB{share}"


def _watts(gpu: GpuRow) -> str:
    if fmt.known(gpu.power_share_watts):
        part = f", {gpu.slices[0]} of {gpu.slices[1]} slices" if gpu.slices else ""
        return f"{fmt.count(gpu.power_share_watts)} W, its part of what its GPU draws{part}"
    limit = f" of {fmt.count(gpu.power_limit_watts)} W ({of_limit(gpu)})" if fmt.known(gpu.power_limit_watts) else ""
    return f"{fmt.count(gpu.power_watts)} W{limit}"


def _held_down(gpu: GpuRow) -> str:
    if gpu.throttle_notes is None:
        return f"unknown: {gpu.meter or 'its meter'} does not tell"
    return "; ".join(gpu.throttle_notes) or "nothing"


def _kind(gpu: GpuRow) -> list[tuple[str, str]]:
    """Say what an instance is a part of, and what a GPU that is cut still has."""
    if gpu.parent:
        return [("MIG instance of", gpu.parent)]
    if gpu.instances:
        return [("MIG", f"cut into {gpu.instances}: memory and $/h are of what is left, power of all of it")]
    return []


def _gib(size: float | None) -> str:
    return f"{size / 2**30:.1f}" if fmt.known(size) else fmt.UNKNOWN


def _processes(gpu: GpuRow) -> list[tuple[str, str]]:
    lines = [
        f"{each.pid:>7}  {safe(each.user, 10) or '-':<10} {_gib(each.memory_bytes):>6} GiB"
        f"  SM {fmt.percent(each.utilization):>5}  {safe(each.name, 60) or '-'}"
        for each in gpu.processes[:_MOST_PROCESSES]
    ]
    if len(gpu.processes) > _MOST_PROCESSES:
        lines.append(f"and {len(gpu.processes) - _MOST_PROCESSES} more")
    return [("processes" if not at else "", line) for at, line in enumerate(lines)]


def detail(gpu: GpuRow, scene: Scene) -> list[tuple[str, str]]:
    """Return label and text of each line, what matters most first: the screen may end anywhere."""
    price = f"{gpu.price_source} {gpu.price_note}".strip()
    default = "default, nobody set it: " if gpu.price_default else ""
    celsius = f", {fmt.count(gpu.temperature_celsius)} °C" if fmt.known(gpu.temperature_celsius) else ""
    return [
        ("models", ", ".join(gpu.models)),
        ("price", f"{fmt.money(gpu.usd_per_hour)}/h, idle {fmt.money(gpu.idle_usd_per_hour)}/h, {default}{price}"),
        ("power", f"{_watts(gpu)}{celsius}"),
        ("held down by", _held_down(gpu)),
        ("memory", _memory_used(gpu)),
        ("used", _use(gpu)),
        *_processes(gpu),
        ("clocks", _clocks(gpu)),
        *([("utilisation", spark(gpu.trend, _TREND_CELLS, 1.0))] if any(map(fmt.known, gpu.trend)) else []),
        ("uuid", gpu.uuid),
        *_kind(gpu),
        ("state", f"{gpu.state}, {fmt.span(gpu.age_seconds)} old, by {gpu.meter or 'its meter'}"),
        *([("on", gpu.where)] if gpu.where else []),
    ]
