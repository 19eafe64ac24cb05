"""GPUs: how busy each is, what it costs, and what of that is idle."""

from __future__ import annotations

import re
from collections.abc import Callable

from infertop.views.shapes import GpuRow
from tui import format as fmt
from tui.panels.gpu_detail import detail, memory, of_limit
from tui.panels.panel import Order, TablePanel
from tui.scene import Scene, aged, plain_or
from tui.themes import BOLD, DIM, OK, PLAIN, WARN
from tui.widgets.spark import bar
from tui.widgets.table import Cell, Column

_PACKAGING = re.compile(r"[- ](?:SXM\d?|PCIe|HBM\w{0,3}|\d{1,3}GB)\b")
_LAZY = 0.1
_WASTEFUL = 0.5


def short_name(gpu: GpuRow) -> str:
    """Return index and name without the vendor: `0 H100 80GB HBM3`; of a MIG instance `0:1 MIG 3g.20gb`."""
    name = gpu.name
    for vendor in ("NVIDIA ", "GeForce ", "AMD "):
        name = name.removeprefix(vendor)
    _, mig, profile = name.partition(" MIG ")
    if gpu.parent and mig:
        return f"{gpu.index} {mig.lstrip()}{profile}"
    # Another machine's name stands before the index, and takes the room of what the column of memory says as well.
    return f"{gpu.index} {_PACKAGING.sub('', name) if ':' in gpu.index else name}"


def gpus(scene: Scene) -> list[GpuRow]:
    """Return what the filter lets through, in the order chosen."""
    rows = [g for g in scene.view.gpus if scene.choices.matches(short_name(g), g.name, g.uuid, g.where, *g.models)]
    return GPUS.order(scene).sorted(rows)


def _figure(read: Callable[[GpuRow], str]) -> Callable[[GpuRow, Scene, int], Cell]:
    return lambda gpu, scene, width: (read(gpu), PLAIN)


def _bar(gpu: GpuRow, scene: Scene, width: int) -> Cell:
    lazy = fmt.known(gpu.utilization) and gpu.utilization < _LAZY
    return bar(gpu.utilization, width), WARN if lazy else OK


def _idle(gpu: GpuRow, scene: Scene, width: int) -> Cell:
    idle, whole = gpu.idle_usd_per_hour, gpu.usd_per_hour
    wasteful = fmt.known(idle) and fmt.known(whole) and whole > 0 and idle / whole > _WASTEFUL
    return fmt.money(idle), plain_or(wasteful, WARN)


def _models(gpu: GpuRow, scene: Scene, width: int) -> Cell:
    if gpu.state != "up":
        return aged(gpu.state, gpu.age_seconds), DIM
    return (", ".join(gpu.models), PLAIN) if gpu.models else ("-", DIM)


def _price(gpu: GpuRow, scene: Scene, width: int) -> Cell:
    return (f"default {gpu.price_note}" if gpu.price_default else gpu.price_source or "-"), DIM


def _throttled(gpu: GpuRow, scene: Scene, width: int) -> Cell:
    if gpu.throttled:
        return gpu.throttled, WARN
    return ("-" if gpu.throttle_notes is None else "nothing"), DIM


def _mark(gpu: GpuRow, scene: Scene, width: int) -> Cell:
    """Mark the power of a GPU that is held back where there is no room to say by what."""
    return ("!", WARN) if gpu.throttled else ("", PLAIN)


def _power(gpu: GpuRow, scene: Scene, width: int) -> Cell:
    """Return the watts measured; of a MIG instance, dim, its part of what its GPU draws."""
    if fmt.known(gpu.power_share_watts) and not fmt.known(gpu.power_watts):
        return fmt.count(gpu.power_share_watts), DIM
    return fmt.count(gpu.power_watts), PLAIN


COLUMNS: tuple[Column[GpuRow], ...] = (
    Column("gpu", "GPU", 18, lambda g, s, w: (short_name(g), PLAIN), left=True, grow=26),
    Column("utilization", "UTIL", 8, _bar, rank=7, left=True, grow=22, late=True, gap=2),
    Column("utilization", "", 6, _figure(lambda g: fmt.percent(g.utilization)), rank=3),
    Column("memory_used_bytes", "MEM GiB", 7, _figure(memory), rank=5),
    Column("power_watts", "W", 4, _power, rank=6),
    Column("throttled", "", 1, _mark, rank=6, left=True, gap=0),
    Column("usd_per_hour", "$/h", 6, lambda g, s, w: (fmt.money(g.usd_per_hour), BOLD)),
    Column("default", "", 1, lambda g, s, w: ("d", DIM) if g.price_default else ("", PLAIN), left=True, gap=0),
    Column("idle_usd_per_hour", "idle", 6, _idle, rank=1),
    Column("power_limit_watts", "of limit", 8, _figure(of_limit), rank=13),
    Column("temperature_celsius", "°C", 4, _figure(lambda g: fmt.count(g.temperature_celsius)), rank=11),
    Column("throttled", "HELD DOWN BY", 12, _throttled, rank=12, left=True, grow=24, gap=2),
    Column("models", "MODEL", 12, _models, rank=4, left=True, grow=24, gap=2),
    Column("price_source", "PRICE", 15, _price, rank=14, left=True, grow=14, gap=2),
)


def _none(scene: Scene) -> str:
    if scene.choices.filter:
        return "no GPU matches the filter"
    found = next((each.found for each in scene.view.searched if each.what.casefold() == "gpus"), "")
    return f"no GPU: {found}" if found else ""


GPUS: TablePanel[GpuRow] = TablePanel(
    name="gpus",
    title="GPU",
    columns=COLUMNS,
    items=gpus,
    key=lambda gpu: gpu.uuid,
    label=short_name,
    fresh=lambda gpu: gpu.state == "up",
    empty=_none,
    detail=detail,
    orders=(
        Order(""),
        Order("utilization", lambda g: g.utilization),
        Order("idle_usd_per_hour", lambda g: g.idle_usd_per_hour),
        Order("usd_per_hour", lambda g: g.usd_per_hour),
        Order("memory_used_bytes", lambda g: g.memory_used_bytes),
    ),
)
