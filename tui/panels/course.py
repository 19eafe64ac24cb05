"""The course of what is compared: $/hour over time, with the two windows marked in it."""

from __future__ import annotations

from infertop.views.event_shapes import Course
from tui import format as fmt
from tui.moments import clock, day, day_clock
from tui.panels.charts import ticks
from tui.scene import Scene
from tui.themes import BOLD, DIM, HEAD, OTHER, series
from tui.widgets import chart
from tui.widgets.cells import MARGIN, Line, Row
from tui.widgets.spark import resample, spark
from tui.windows import AFTER, BEFORE, BOTH, Window

COUNT = 180
"""Bins of a course: a minute each in the shortest, of three hours."""
_MINUTES = (1, 2, 4, 8, 16, 24, 56, 112, 240, 480, 960, 3360)
_GRIDS, _MARGIN = 6, 1.25
_LEAST_CHART, _MOST_CHART = 6, 22
_DAY = 86_400.0
_OUTSIDE, _BEFORE, _AFTER = OTHER, 2, 0


def bins_of(before: Window, after: Window, now: float) -> tuple[float, float] | None:
    """Return begin and width of the bins of a course that holds both windows: the same while they move a little.

    None for times that no history has.
    """
    if not all(fmt.known(ts) and 0 <= ts <= now + _DAY for ts in (*before, *after)):
        return None
    first, last = min(before[0], after[0]), max(before[1], after[1])
    wanted = (last - first) * _MARGIN
    width = next((60.0 * each for each in _MINUTES if 60.0 * each * COUNT >= wanted), 60.0 * _MINUTES[-1])
    grid = width * COUNT / _GRIDS
    end = min(-(-last // grid) * grid, max(now, last) // 60 * 60)
    return end - width * COUNT, width


def course_height(height: int) -> int:
    """Return the rows of a course on a page of `height` rows: a line where there are few, none where they are fewer."""
    return 0 if height < 20 else 2 if height < 32 else min(_MOST_CHART, height // 3)


def course_rows(scene: Scene, width: int, height: int, windows: tuple[Window, Window], side: str = "") -> list[Row]:
    """Return the course in `height` rows: from six rows up as a chart, in two as a line; `side` is what keys move."""
    made, room = scene.course, width - chart.AXIS - 1
    if made is None or height < 2 or room < 20 or not any(map(fmt.known, made.usd_per_hour)):
        return [Line(width).row()] * (height if made is None and height >= 2 else 0)
    marks = _marks(made, width, windows, side)
    if height < _LEAST_CHART:
        return [_line(made, scene, width, windows), marks]
    values = resample(made.usd_per_hour, room)
    inside = _inside(values, made, windows)
    layers = tuple(
        (number, tuple(v if at == number else None for v, at in zip(values, inside, strict=True)))
        for number in (_OUTSIDE, _BEFORE, _AFTER)
    )
    plot = chart.Plot(layers, scene.look.coloured)
    picture = chart.draw(plot, width - 1, height - 3, chart.ceiling(chart.peak(plot, width - 1)))
    heading = Line(width, HEAD)
    heading.put(MARGIN, f"$/HOUR  {fmt.span(made.width * COUNT)}", HEAD)
    return [heading.row(), *(Row(t + " ", s + " ") for t, s in picture), marks, _axis(made, scene, width)]


def _inside(values: tuple[float | None, ...], made: Course, windows: tuple[Window, Window]) -> list[int]:
    """Return for each of equal bins over the course the number of the layer that it belongs to."""
    size = made.width * COUNT / len(values)
    before, after = windows
    found = []
    for number in range(len(values)):
        span = made.since + number * size, made.since + (number + 1) * size
        found.append(_AFTER if _is_in(span, after) else _BEFORE if _is_in(span, before) else _OUTSIDE)
    return found


def _is_in(span: Window, window: Window) -> bool:
    """Return whether most of a bin lies in a window, or most of the window in the bin."""
    common = min(span[1], window[1]) - max(span[0], window[0])
    return common > 0 and common >= 0.5 * min(span[1] - span[0], window[1] - window[0])


def _line(made: Course, scene: Scene, width: int, windows: tuple[Window, Window]) -> Row:
    """Return the course as one line, its span before it."""
    room = width - chart.AXIS - 1
    line = Line(width)
    line.put(0, fmt.span(made.width * COUNT).rjust(chart.AXIS - 1), DIM)
    values = resample(made.usd_per_hour, room)
    styles = {number: series(number) if scene.look.coloured else BOLD for number in (_BEFORE, _AFTER)}
    letters = "".join(styles.get(number, DIM) for number in _inside(values, made, windows))
    line.put(chart.AXIS, spark(values, room), letters)
    return line.row()


def _marks(made: Course, width: int, windows: tuple[Window, Window], side: str) -> Row:
    """Return where the windows are: a bracket each, bold where keys move it."""
    line, room = Line(width), width - chart.AXIS - 1
    for name, (start, end) in zip((BEFORE, AFTER), windows, strict=True):
        left, right = (_place(made, ts, room) for ts in (start, end))
        cells, style = max(1, right - left), BOLD if side in (BOTH, name) else DIM
        left = min(left, room - cells)
        if cells >= len(name) + 4:
            bracket = f"├{f' {name} '.center(cells - 2, '─')}┤"
        else:
            bracket = f"├{'─' * (cells - 2)}┤" if cells >= 2 else "│"
            beside = left + cells + 1 if left + cells + 1 + len(name) <= room else left - 1 - len(name)
            line.put(chart.AXIS + beside, name, style)
        line.put(chart.AXIS + left, bracket, style)
    return line.row()


def _place(made: Course, ts: float, room: int) -> int:
    return max(0, min(room, round((ts - made.since) / (made.width * COUNT) * room)))


def _axis(made: Course, scene: Scene, width: int) -> Row:
    """Return times below a chart, with their day where it is longer than one."""
    line, length = Line(width), made.width * COUNT
    told = clock if length <= _DAY else day_clock if length <= 3 * _DAY else day
    taken = 0
    for x, ts in ticks(made.since, length, width - chart.AXIS - 1):
        text = told(ts, scene.view.timezone)
        if x >= taken and x + len(text) < width:
            taken = line.put(x, text, DIM) + 1
    return line.row()
