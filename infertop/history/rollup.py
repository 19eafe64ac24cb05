"""One row a minute and an hour for each series: made in memory from the readings as they come, so nothing is read back.

The sums are those of all polls, unchanged values included, which the rows of the tape alone could not give.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from infertop.history.connect import put
from infertop.history.growth import counter_growth, histogram_growth, nothing_yet
from infertop.readings.histogram import add
from infertop.readings.model import Buckets, Series, Value
from infertop.readings.registry import METRICS, Kind

MINUTE = 60
_MOST_POLLS = 64  # readings of a source that wait to be folded
_GAP_SECONDS = 15.0
_INTERVALS = 5
_SAME_START_SECONDS = 1.0


@dataclass(slots=True)
class Cell:
    """A series in one minute: polls, lowest, highest, sum and last value (gauges and counters), growth, restarts."""

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
        self.last = later.last
        self.growth = _sum(self.growth, later.growth)
        self.resets += later.resets


@dataclass(slots=True)
class _Track:
    """The readings of one source that are not folded yet; `before` is the reading before them, by series."""

    ids: tuple[int, ...]
    kinds: tuple[Kind, ...]
    minute: int
    ts: float
    started: float | None
    spacing: float = _GAP_SECONDS
    before: tuple[Value | None, ...] = ()
    polls: list[tuple[Value, ...]] = field(default_factory=list)


class Rollups:
    """Folds readings into cells. `closed` is the end of the last minute that was given away."""

    def __init__(self, closed: int = 0) -> None:
        self.closed = closed
        self._tracks: dict[int, _Track] = {}
        self._cells: dict[int, dict[int, Cell]] = {}

    def add(
        self,
        source: int,
        series: tuple[Series, ...],
        ids: tuple[int, ...],
        ts: float,
        values: tuple[Value, ...],
        started: float | None,
    ) -> None:
        """Take one poll of a source; `ids` belong to `series`, both are the same objects while the shape is."""
        minute = int(ts // MINUTE * MINUTE)
        track = self._tracks.get(source)
        if track is None or ts - track.ts > max(_GAP_SECONDS, _INTERVALS * track.spacing):
            self._fold(track)
            track = self._tracks[source] = _Track(ids, _kinds(series), minute, ts, started, before=(None,) * len(ids))
        else:
            restarted = _differ(started, track.started)
            if restarted or track.ids is not ids or minute != track.minute or len(track.polls) >= _MOST_POLLS:
                self._fold(track)
                self._turn(track, series, ids, values, restarted)
            track.spacing = ts - track.ts
            track.minute, track.ts = minute, ts
            track.started = track.started if started is None else started
        track.polls.append(values)

    def close(self, until: int) -> list[tuple[int, int, Cell]]:
        """Return (series, minute, cell) of the minutes that end at or before `until`; they are given away once."""
        for track in self._tracks.values():
            if track.minute < until:
                self._fold(track)
        due = [minute for minute in self._cells if minute < until]
        self.closed = max(self.closed, until)
        return [(series, minute, cell) for minute in due for series, cell in self._cells.pop(minute).items()]

    def _turn(
        self,
        track: _Track,
        series: tuple[Series, ...],
        ids: tuple[int, ...],
        values: tuple[Value, ...],
        restarted: bool,
    ) -> None:
        """Go on with another shape or process: what is new on a source that was watched counts from 0."""
        if track.ids is not ids or restarted:
            known = {} if restarted else dict(zip(track.ids, track.before, strict=True))
            track.before = tuple(known.get(i, nothing_yet(v)) for i, v in zip(ids, values, strict=True))
            track.ids, track.kinds = ids, _kinds(series)

    def _fold(self, track: _Track | None) -> None:
        if track is None or not track.polls:
            return
        columns = zip(track.ids, track.kinds, track.before, zip(*track.polls, strict=True), strict=True)
        if track.minute >= self.closed:
            cells = self._cells.setdefault(track.minute, {})
            for series, kind, before, column in columns:
                cell = _cell(kind, before, column)
                if series in cells:
                    cells[series].merge(cell)
                else:
                    cells[series] = cell
        track.before = track.polls[-1]
        track.polls = []


def minute_row(series: int, minute: int, cell: Cell, encode: Callable[[Value], Any]) -> tuple[Any, ...]:
    """Return a cell as it is stored."""
    growth = None if cell.growth is None else encode(cell.growth)
    return series, minute, cell.n, cell.low, cell.high, cell.total, cell.last, growth, cell.resets


def write_minutes(connection: sqlite3.Connection, rows: list[tuple[Any, ...]]) -> None:
    """Store minutes; the same minute again replaces what was there."""
    put(connection, "INSERT OR REPLACE INTO minute VALUES (?,?,?,?,?,?,?,?,?)", rows)


def _cell(kind: Kind, before: Value | None, column: tuple[Value, ...]) -> Cell:
    if kind is Kind.HISTOGRAM:
        read = [each for each in (before, *column) if isinstance(each, Buckets)]
        growth, resets = histogram_growth(read) if read else (None, 0)
        return Cell(len(column), None, None, None, None, growth, resets)
    numbers = _numbers(column)
    if not numbers:
        return Cell(len(column), None, None, None, None, None, 0)
    grown: float | None = None
    resets = 0
    if kind is Kind.COUNTER:
        path = numbers if before is None or isinstance(before, Buckets) else (before, *numbers)
        grown, resets = counter_growth(path)
    return Cell(len(column), min(numbers), max(numbers), sum(numbers), numbers[-1], grown, resets)


def _numbers(column: tuple[Any, ...]) -> tuple[float, ...]:
    """Return the readings without those that are no number; that there are none is seen by their sum."""
    try:
        if sum(column) == sum(column):
            return column
    except TypeError:
        pass
    return tuple(each for each in column if not isinstance(each, Buckets) and each == each)


def _kinds(series: tuple[Series, ...]) -> tuple[Kind, ...]:
    return tuple(METRICS[each.metric].kind if each.metric in METRICS else Kind.GAUGE for each in series)


def _differ(started: float | None, before: float | None) -> bool:
    return started is not None and before is not None and abs(started - before) > _SAME_START_SECONDS


def _sum(one: Value | None, other: Value | None) -> Value | None:
    if one is None or other is None:
        return other if one is None else one
    if isinstance(one, Buckets) or isinstance(other, Buckets):
        return add(each for each in (one, other) if isinstance(each, Buckets))
    return one + other
