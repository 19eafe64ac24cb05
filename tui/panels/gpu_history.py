"""What the GPU under the cursor did over the window: a chart a meter, with what it is now and was on average."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from infertop.views.shapes import GpuRow, Spark
from tui import format as fmt
from tui.panels.charts import time_axis
from tui.panels.gpus import GPUS
from tui.scene import Scene
from tui.themes import HEAD, HEAD_STRONG
from tui.widgets import chart
from tui.widgets.cells import MARGIN, Line, Row, blank
from tui.widgets.prose import heading, remark

_LEAST_ROWS, _GOOD_ROWS = 5, 11
_GIB = 2.0**30


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter as it is drawn: `scale` makes the unit of its `title` of it, `limit` is where its chart ends."""

    name: str
    title: str
    scale: float
    limit: Callable[[GpuRow], float | None]
    show: Callable[[float | None], str]


METERS = (
    Meter("gpu_utilization", "UTIL %", 100.0, lambda gpu: 1.0, fmt.count),
    Meter("gpu_power_watts", "POWER W", 1.0, lambda gpu: gpu.power_limit_watts, fmt.count),
    Meter("gpu_memory_used_bytes", "MEMORY GiB", 1 / _GIB, lambda gpu: gpu.memory_total_bytes, fmt.count),
    Meter("gpu_temperature_celsius", "°C", 1.0, lambda gpu: 100.0, fmt.count),
)


@dataclass(frozen=True)
class GpuCharts:
    """Charts below each other, the most useful ones where there is not room for all."""

    name: str = "gpu history"

    def keys(self, scene: Scene) -> list[str]:
        """Return nothing: the cursor stays in the table."""
        return []

    def rows(self, scene: Scene) -> int:
        """Return the rows of good charts and their time axis, 0 where nothing is known of the GPU."""
        drawn = self._drawn(scene)
        return 1 + _GOOD_ROWS * len(drawn) if drawn else 0

    def draw(self, scene: Scene, width: int, height: int) -> list[Row]:
        """Return the charts, all of one height, and below them the time."""
        drawn, history = self._drawn(scene), scene.gpu
        shown = drawn[: max(1, (height - 1) // _LEAST_ROWS)]
        if not shown or history is None or height < _LEAST_ROWS or width <= chart.AXIS + 2:
            return [blank(width)] * max(0, height)
        if max(sum(map(fmt.known, bins)) for _, bins, _ in shown) < 2:
            early = [heading(f"{shown[0][0].title}", width), remark("its course begins with the next readings", width)]
            return early + [blank(width)] * (height - len(early))
        size, more = divmod(height - 1, len(shown))
        length = history.times[-1] - history.times[0] + history.times[1] - history.times[0]
        rows: list[Row] = []
        for number, (meter, bins, top) in enumerate(shown):
            rows.append(_heading(meter, bins, length, width))
            plot = chart.Plot(((number, bins),), scene.look.coloured)
            picture = chart.draw(plot, width - 1, size + (number < more) - 1, top)
            rows += [Row(text + " ", style + " ") for text, style in picture]
        return [*rows, time_axis(scene, history.times, width)]

    def _drawn(self, scene: Scene) -> list[tuple[Meter, Spark, float]]:
        """Return each meter of which something is known, its bins in its unit and the top of its scale."""
        gpu, history = GPUS.chosen(scene), scene.gpu
        if gpu is None or history is None or history.uuid != gpu.uuid or len(history.times) < 2:
            return []
        found = []
        for meter in METERS:
            bins = tuple(v * meter.scale if fmt.known(v) else None for v in history.meters.get(meter.name, ()))
            known = [value for value in bins if fmt.known(value)]
            if known:
                limit = meter.limit(gpu)
                most = max(*known, limit * meter.scale) if fmt.known(limit) else max(known)
                found.append((meter, bins, chart.ceiling(most)))
        return found


def _heading(meter: Meter, bins: Spark, length: float, width: int) -> Row:
    """Return the meter's name, and what it was last and in the mean."""
    known = [value for value in bins if fmt.known(value)]
    line = Line(width, HEAD)
    x = line.put(MARGIN, f"{meter.title}  {fmt.span(length)}", HEAD) + 3
    for label, value in (("last", known[-1]), ("mean", sum(known) / len(known)), ("most", max(known))):
        x = line.put(x, f"{label} ", HEAD)
        x = line.put(x, meter.show(value), HEAD_STRONG) + 2
    return line.row()


GPU_CHARTS = GpuCharts()
