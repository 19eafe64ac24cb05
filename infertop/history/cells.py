"""A series in one minute, as it is folded and as it is stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from infertop.history.connect import put
from infertop.history.growth import counter_growth, plus
from infertop.readings.model import Buckets, Value


@dataclass(slots=True)
class Cell:
    """Polls, lowest, highest, sum and last value (of gauges and counters), growth (of counters and histograms)."""

    n: int
    low: float | None
    high: float | None
    total: float | None
    last: float | None
    growth: Value | None
    resets: int

    def merge(self, later: Cell) -> None:
        """Take in what came later in the same minute."""
        self.n += later.n
        if self.low is None or self.high is None or self.total is None:
            self.low, self.high, self.total = later.low, later.high, later.total
        elif later.low is not None and later.high is not None and later.total is not None:
            self.low, self.high = min(self.low, later.low), max(self.high, later.high)
            self.total += later.total
        self.last = later.last if later.last is not None else self.last
        self.growth = _sum(self.growth, later.growth)
        self.resets += later.resets


def number_cell(column: tuple[float, ...], before: float, *, counter: bool) -> Cell:
    """Return the cell of a gauge's or counter's readings; `before` is the reading before them, NaN for none."""
    total = sum(column)
    numbers = column if total == total else tuple(each for each in column if each == each)
    if not numbers:
        return Cell(len(column), None, None, None, None, None, 0)
    grown: float | None = None
    resets = 0
    if counter:
        grown, resets = counter_growth((before, *numbers) if before == before else numbers)
    return Cell(len(column), min(numbers), max(numbers), sum(numbers), numbers[-1], grown, resets)


def minute_row(series: int, minute: int, cell: Cell, encode: Callable[[Value], Any]) -> tuple[Any, ...]:
    """Return a cell as it is stored."""
    growth = None if cell.growth is None else encode(cell.growth)
    return series, minute, cell.n, cell.low, cell.high, cell.total, cell.last, growth, cell.resets


def write_minutes(connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
    """Store minutes; the same minute again replaces what was there."""
    put(connection, "INSERT OR REPLACE INTO minute VALUES (?,?,?,?,?,?,?,?,?)", rows)


def _sum(one: Value | None, other: Value | None) -> Value | None:
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, Buckets) or isinstance(other, Buckets):
        return plus(*(each if isinstance(each, Buckets) else None for each in (one, other)))
    return one + other
