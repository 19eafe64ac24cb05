"""Charts: $/hour by model and tokens by class over time, with events marked below."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from infertop.views.shapes import Stacked
from tui import format as fmt
from tui.moments import clock
from tui.scene import LEVELS, Scene
from tui.themes import DIM, HEAD, OTHER
from tui.widgets import chart
from tui.widgets.cells import MARGIN, Line, Row, blank, cells
from tui.widgets.prose import heading, remark

_LEAST_ROWS, _GOOD_ROWS = 5, 14
_TICK_CELLS, _LAST_CELLS = 16, 11
_TICK_MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10_080, 43_200)
_MORE_CELLS = 8
_GUESSED, _OLD_SECONDS = "~", 90.0
TOKEN_NAMES = {"input": "fresh", "cache_read": "cached", "output": "output", "reasoning": "reasoning"}
TOKEN_COLOURS = {"input": 0, "cache_read": 2, "output": 1, "reasoning": 3}


@dataclass(frozen=True)
class ChartPanel:
    """A stacked chart of what `read` takes from the view; `colour` numbers a layer, `tell` names it in the heading.

    With `early` it is there as soon as something could have a history.
    """

    name: str
    title: str
    read: Callable[[Scene], Stacked]
    colour: Callable[[Scene, str], int]
    tell: Callable[[str], str] | None = None
    early: bool = True

    def rows(self, scene: Scene) -> int:
        """Return the rows of a good chart, 0 where there is nothing that could have a history."""
        return _GOOD_ROWS if self.read(scene).times or (self.early and (scene.view.models or scene.view.gpus)) else 0

    def keys(self, scene: Scene) -> list[str]:
        """Return nothing: a chart has no rows to stand on."""
        return []

    def draw(self, scene: Scene, width: int, height: int) -> list[Row]:
        """Return heading, stack and time axis."""
        history = self.read(scene)
        if height < _LEAST_ROWS or width <= chart.AXIS + 2:
            return [blank(width)] * max(0, height)
        if len(history.times) < 2:
            early = [heading(self.title, width), remark("this chart begins with the second minute", width)]
            return early + [blank(width)] * (height - len(early))
        stack = tuple((self.colour(scene, name), bins) for name, bins in history.layers)
        plot = chart.Plot(_merged(stack), scene.look.coloured)
        top = chart.ceiling(chart.peak(plot, width - 1))
        picture = chart.draw(plot, width - 1, height - 2, top)
        rows = [Row(text + " ", style + " ") for text, style in picture]
        return [self._heading(scene, history, width), *rows, time_axis(scene, history.times, width)]

    def _heading(self, scene: Scene, history: Stacked, width: int) -> Row:
        line = Line(width, HEAD)
        length = history.times[-1] - history.times[0] + history.times[1] - history.times[0]
        x = line.put(MARGIN, f"{self.title}  {fmt.span(length)}", HEAD) + 3
        if self.tell:
            named = [(self.tell(name), self.colour(scene, name)) for name, _ in history.layers]
            for number, (name, colour) in enumerate(named):
                if x + len(cells(name)) + _MORE_CELLS > width and number:
                    line.put(x, f"+{len(named) - number}", DIM)
                    break
                for text, style in chart.legend([(name, colour)], scene.look.coloured):
                    x = line.put(x, cells(text), style)
        return line.row()


def _merged(stack: tuple[tuple[int, chart.Spark], ...]) -> tuple[tuple[int, chart.Spark], ...]:
    """Return the layers with those of no colour of their own summed on top."""
    own = tuple(layer for layer in stack if layer[0] < OTHER)
    rest = [bins for number, bins in stack if number >= OTHER]
    if not rest:
        return own
    summed = tuple(
        sum(v for v in column if fmt.known(v)) if any(fmt.known(v) for v in column) else None
        for column in zip(*rest, strict=False)
    )
    return (*own, (OTHER, summed))


def time_axis(scene: Scene, times: tuple[float, ...], width: int) -> Row:
    """Return times below a chart, and a mark where something happened; a time gives way to a mark."""
    line = Line(width)
    room = width - chart.AXIS - 1
    start, step = times[0], times[1] - times[0]
    length = step * len(times)
    marks = _marks(scene, start, length, room)
    told = [(x, clock(ts, scene.view.timezone)) for x, ts in ticks(start, length, room) if x <= width - _LAST_CELLS]
    guessed = min(_guessed(scene, start, length, room), room)
    line.put(width - 1 - guessed, _GUESSED * guessed, DIM)
    for x, text in (*told, (width - 4, "now")):
        if not any(x - 1 <= place <= x + len(text) for place in marks):
            line.put(x, text, DIM)
    for place, (mark, style) in marks.items():
        line.put(place, mark, style)
    return line.row()


def ticks(start: float, length: float, room: int) -> Iterator[tuple[int, float]]:
    """Yield round times of a chart, each with its cell, as close as they can be read."""
    if length <= 0:
        return
    wanted = _TICK_CELLS * length / max(1, room)
    step = next((minutes * 60 for minutes in _TICK_MINUTES if minutes * 60 >= wanted), _TICK_MINUTES[-1] * 60)
    ts = -(-start // step) * step
    while ts < start + length:
        yield chart.AXIS + int((ts - start) / length * room), ts
        ts += step


def _guessed(scene: Scene, start: float, length: float, room: int) -> int:
    """Return for how many cells providers have not told all yet: they are drawn there as they were before."""
    age = scene.view.headline.api_age_seconds
    if not fmt.known(age) or age < _OLD_SECONDS or length <= 0:
        return 0
    return max(0, min(room, int((start + length - scene.view.at + age) / length * room)))


def _marks(scene: Scene, start: float, length: float, room: int) -> dict[int, tuple[str, str]]:
    """Return what happened within the chart by the cell it belongs to."""
    marks = {}
    for event in scene.view.events:
        place = (event.ts - start) / length if length > 0 else -1.0
        if 0 <= place < 1 and event.level in ("warn", "alarm"):
            marks[chart.AXIS + int(place * room)] = LEVELS[event.level]
    return marks


def _of_apis(scene: Scene) -> Stacked:
    """Return the layers of the models that no engine of one's own serves."""
    own = {row.model for row in scene.view.models if row.provider == "local"}
    asked = {row.model for row in scene.view.models} - own
    history = scene.view.cost_history
    layers = tuple(layer for layer in history.layers if layer[0] in asked)
    return Stacked(history.times, layers) if layers else Stacked()


COST_CHART = ChartPanel(
    "cost_history", "$/HOUR BY MODEL", lambda s: s.view.cost_history, lambda s, name: s.look.colour(name)
)
NAMED_COST_CHART = replace(COST_CHART, tell=lambda name: name)
"""The same on a page without a table whose rows have the colours."""
API_COST_CHART = replace(NAMED_COST_CHART, name="api_history", title="$/HOUR OF APIS", early=False, read=_of_apis)
"""Of models that are paid for by use alone."""
TOKEN_CHART = ChartPanel(
    "tokens_history",
    "TOKENS/S",
    lambda s: s.view.tokens_history,
    lambda s, name: TOKEN_COLOURS.get(name, OTHER),
    lambda name: TOKEN_NAMES.get(name, name),
)
