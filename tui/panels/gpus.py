"""GPUs: how busy each is, what it costs, and what of that is idle."""

from __future__ import annotations

from collections.abc import Callable

from infertop.views.shapes import GpuRow
from tui import format as fmt
from tui.panels.panel import Order, TablePanel
from tui.scene import Scene, aged, plain_or
from tui.themes import BOLD, DIM, OK, PLAIN, WARN
from tui.widgets.spark import bar, spark
from tui.widgets.table import Cell, Column

_LAZY = 0.1
_WASTEFUL = 0.5
_TREND_CELLS = 60


def short_name(gpu: GpuRow) -> str:
    """Return index and name without the vendor: `0 H100 80GB HBM3`."""
    return f"{gpu.index} {gpu.name.removeprefix('NVIDIA ').removeprefix('GeForce ')}"


def gpus(scene: Scene) -> list[GpuRow]:
    """Return what the filter lets through, in the order chosen."""
    rows = [g for g in scene.view.gpus if scene.choices.matches(short_name(g), g.uuid, *g.models)]
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
    return (f"! {gpu.throttled}", WARN) if gpu.throttled else ("-", DIM)


def _memory(gpu: GpuRow) -> str:
    return fmt.gigabytes(gpu.memory_used_bytes, gpu.memory_total_bytes)


def _limit(gpu: GpuRow) -> str:
    if not fmt.known(gpu.power_watts) or not fmt.known(gpu.power_limit_watts) or gpu.power_limit_watts <= 0:
        return fmt.UNKNOWN
    return fmt.percent(gpu.power_watts / gpu.power_limit_watts)


COLUMNS: tuple[Column[GpuRow], ...] = (
    Column("gpu", "GPU", 18, lambda g, s, w: (short_name(g), PLAIN), left=True, grow=26),
    Column("utilization", "UTIL", 8, _bar, rank=7, left=True, grow=22, late=True, gap=2),
    Column("utilization", "", 6, _figure(lambda g: fmt.percent(g.utilization)), rank=3),
    Column("memory_used_bytes", "MEM GB", 7, _figure(_memory), rank=5),
    Column("power_watts", "W", 4, _figure(lambda g: fmt.count(g.power_watts)), rank=6),
    Column("usd_per_hour", "$/h", 6, lambda g, s, w: (fmt.money(g.usd_per_hour), BOLD), gap=2),
    Column("default", "", 1, lambda g, s, w: ("d", DIM) if g.price_default else ("", PLAIN), left=True, gap=0),
    Column("idle_usd_per_hour", "idle", 6, _idle, rank=1),
    Column("power_limit_watts", "of limit", 8, _figure(_limit), rank=13),
    Column("temperature_celsius", "°C", 4, _figure(lambda g: fmt.count(g.temperature_celsius)), rank=11),
    Column("models", "MODEL", 12, _models, rank=4, left=True, grow=24, gap=2),
    Column("price_source", "PRICE", 18, _price, rank=12, left=True, grow=10, gap=2),
    Column("throttled", "THROTTLED", 11, _throttled, rank=14, left=True, grow=12, gap=2),
)


def _detail(gpu: GpuRow, scene: Scene) -> list[tuple[str, str]]:
    clock = f"{gpu.sm_clock_hertz / 1e6:.0f} MHz" if fmt.known(gpu.sm_clock_hertz) else fmt.UNKNOWN
    power = f"{fmt.count(gpu.power_watts)} W of {fmt.count(gpu.power_limit_watts)} W ({_limit(gpu)})"
    price = (
        f"{fmt.money(gpu.usd_per_hour)}/h, {'default, nobody set it: ' if gpu.price_default else ''}{gpu.price_source}"
    )
    return [
        ("uuid", gpu.uuid),
        ("models", ", ".join(gpu.models)),
        ("price", f"{price} {gpu.price_note}".strip()),
        ("idle", f"{fmt.money(gpu.idle_usd_per_hour)}/h"),
        ("power", power),
        ("SM clock", clock),
        ("held down by", gpu.throttled or "nothing that NVML tells of"),
        ("utilisation", spark(gpu.trend, _TREND_CELLS)),
        ("state", f"{gpu.state}, {fmt.span(gpu.age_seconds)} old"),
    ]


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
    detail=_detail,
    orders=(
        Order(""),
        Order("utilization", lambda g: g.utilization),
        Order("idle_usd_per_hour", lambda g: g.idle_usd_per_hour),
        Order("usd_per_hour", lambda g: g.usd_per_hour),
        Order("memory_used_bytes", lambda g: g.memory_used_bytes),
    ),
)
