"""A stacked chart in eighth blocks: the foreground is the lower layer, the background the one above."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from tui.format import known, scale
from tui.themes import DIM, PLAIN, layers, series
from tui.widgets.cells import Line, Row, blank
from tui.widgets.spark import LEVELS, resample

AXIS = 7
"""Cells that the scale takes at the left."""
_READABLE = 1e-300
_GOOD_STEP = 4.5
"""Rows from one figure of a scale to the next."""
_STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_EMPTY = -1
FULL = "█"
Cell = tuple[str, str]
Spark = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Plot:
    """What a chart shows: layers from the bottom up as (series number, bins), without colour their sum alone."""

    stack: tuple[tuple[int, Spark], ...]
    coloured: bool = True


def ceiling(value: float) -> float:
    """Return a round number at or above `value` for the top of a scale, steady while the value moves a little."""
    if not known(value) or value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next((step * power for step in _STEPS if step * power >= value * 0.999), 10 * power)


@lru_cache(maxsize=4096)
def _column(numbers: tuple[int, ...], eighths: tuple[int, ...], height: int) -> tuple[Cell, ...]:
    """Return one column from the bottom up; `eighths` are the layers' heights in eighths of a cell."""
    owners = [number for number, size in zip(numbers, eighths, strict=True) for _ in range(size)]
    owners += [_EMPTY] * (height * 8 - len(owners))
    return tuple(_block(owners[8 * y : 8 * y + 8]) for y in range(height))


def _block(owners: list[int]) -> Cell:
    lower = owners[0]
    if lower == _EMPTY:
        return " ", PLAIN
    share = next((n for n, owner in enumerate(owners) if owner != lower), 8)
    if share == 8:
        # A full block, not a blank with a background: multiplexers cut trailing blanks when a screen is copied.
        return FULL, series(lower)
    above = owners[share:]
    upper = max(set(above), key=lambda owner: (above.count(owner), owner))
    return LEVELS[share - 1], layers(lower, None if upper == _EMPTY else upper)


def _heights(values: Sequence[float], top: float, height: int) -> tuple[int, ...]:
    """Return each layer's eighths so that their running sums are rounded, not the layers."""
    edges, total = [0], 0.0
    for value in values:
        total += max(0.0, value)
        edges.append(round(min(1.0, total / top) * height * 8))
    return tuple(after - before for before, after in pairwise(edges))


def _columns(plot: Plot, width: int) -> tuple[tuple[int, ...], list[tuple[float, ...]]]:
    sampled = [resample(bins, width) for _, bins in plot.stack]
    values = [tuple(v if known(v) else 0.0 for v in column) for column in zip(*sampled, strict=True)]
    numbers = tuple(number for number, _ in plot.stack)
    return (numbers, values) if plot.coloured else ((0,), [(sum(column),) for column in values])


def _single(cell: Cell) -> Cell:
    """Return a block of the total in the terminal's own colour."""
    text, _ = cell
    return text, DIM


@dataclass(frozen=True, slots=True)
class Grid:
    """The scale beside a chart: its `rows` up to the top are divided into `parts`, and above may be a row of air."""

    rows: int
    parts: int = 1

    def label(self, y: int, top: float) -> str:
        """Return what the upper edge of row `y` stands for, where it is one of those that are labelled."""
        part, rest = divmod((y + 1) * self.parts, self.rows)
        return scale(top * part / self.parts) if not rest and part <= self.parts else ""


def grid(height: int, top: float) -> Grid:
    """Return the scale of a chart of `height` rows up to `top`: round figures, four rows or so from one to the next."""
    fits = [
        Grid(rows, parts)
        for rows in (height, height - 1)
        for parts in (5, 4, 3, 2)
        if rows >= parts * 2 and rows % parts == 0 and (parts == 2 or _round(top / parts))
    ]
    return min(fits, key=lambda it: (abs(it.rows / it.parts - _GOOD_STEP), height - it.rows), default=Grid(height))


def _round(value: float) -> bool:
    """Return whether a value above 0 has two digits at most; nobody reads those at the edge of what there is."""
    if not _READABLE <= value <= 1 / _READABLE:
        return False
    digits = value / 10.0 ** math.floor(math.log10(value)) * 10
    return abs(digits - round(digits)) < 1e-6


@lru_cache(maxsize=8)
def draw(plot: Plot, width: int, height: int, top: float) -> tuple[Row, ...]:
    """Return `height` rows: a scale from 0 to `top` (above 0) of `AXIS` cells, and the stack beside it."""
    room = width - AXIS
    if room <= 0 or height <= 0 or not plot.stack:
        return (blank(width),) * max(0, height)
    numbers, values = _columns(plot, room)
    beside = grid(height, top)
    columns = [_column(numbers, _heights(each, top * height / beside.rows, height), height) for each in values]
    rows = []
    for y in reversed(range(height)):
        cells = [column[y] for column in columns]
        cells = cells if plot.coloured else [_single(cell) for cell in cells]
        line = Line(width)
        line.put(0, beside.label(y, top).rjust(AXIS - 1), DIM)
        line.put(AXIS, "".join(text for text, _ in cells), "".join(style for _, style in cells))
        rows.append(line.row())
    return tuple(rows)


@lru_cache(maxsize=8)
def peak(plot: Plot, width: int) -> float:
    """Return the largest sum of the layers at any column."""
    _, values = _columns(plot, max(1, width - AXIS)) if plot.stack else ((), [])
    return max((sum(column) for column in values), default=0.0)


def legend(names: Sequence[tuple[str, int]], coloured: bool) -> list[Cell]:
    """Return runs of `■ name` in the series' colours."""
    inks: list[Cell] = []
    for name, number in names:
        inks += [("■ ", series(number) if coloured else DIM), (f"{name}  ", DIM)]
    return inks
