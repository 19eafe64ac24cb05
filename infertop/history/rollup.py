"""One row a minute and an hour for each series: made in memory from the readings as they come, so nothing is read back.

The sums are those of all polls, unchanged values included, which the rows of the tape alone could not give. Readings
wait as plain doubles, and of histograms only the first and the last do.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress
from typing import TypeVar

from infertop.history.cells import Cell, number_cell
from infertop.history.growth import HistogramGrowth, empty
from infertop.readings.model import Buckets, Series, Value
from infertop.readings.registry import METRICS, Kind

MINUTE = 60
_MOST_POLLS = 64  # readings of a source that wait to be folded
_GAP_SECONDS = 15.0
_INTERVALS = 5
_SAME_START_SECONDS = 1.0
_NAN = float("nan")

T = TypeVar("T")


@dataclass(slots=True)
class _Track:
    """The readings of one source that are not folded yet.

    `before` has the reading before them of every number, NaN for none; `histograms` go by the series' id.
    """

    ids: tuple[int, ...]
    are_numbers: tuple[bool, ...]
    numbers: tuple[int, ...]
    counters: tuple[bool, ...]
    before: Sequence[float]
    histograms: dict[int, HistogramGrowth]
    minute: int
    ts: float
    started: float | None
    spacing: float = _GAP_SECONDS
    polls: list[array[float]] = field(default_factory=list)

    def take(self, values: tuple[Value, ...]) -> None:
        """Take the values of one poll of this shape."""
        if not self.histograms:
            self.polls.append(_doubles(values))
            return
        self.polls.append(_doubles(tuple(compress(values, self.are_numbers))))
        for growth, value in zip(self.histograms.values(), _others(values, self.are_numbers), strict=True):
            growth.add(value)


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
            track = self._tracks[source] = _begin(series, ids, minute, ts, started)
        else:
            anew = _differ(started, track.started)
            if anew or track.ids is not ids or minute != track.minute or len(track.polls) >= _MOST_POLLS:
                self._fold(track)
                if anew or track.ids is not ids:
                    track = self._tracks[source] = _turn(track, series, ids, values, anew)
            track.spacing = ts - track.ts
            track.minute, track.ts = minute, ts
            track.started = track.started if started is None else started
        track.take(values)

    def close(self, until: int) -> list[tuple[int, int, Cell]]:
        """Return (series, minute, cell) of the minutes that end at or before `until`; they are given away once."""
        for track in self._tracks.values():
            if track.minute < until:
                self._fold(track)
        due = [minute for minute in self._cells if minute < until]
        self.closed = max(self.closed, until)
        return [(series, minute, cell) for minute in due for series, cell in self._cells.pop(minute).items()]

    def _fold(self, track: _Track | None) -> None:
        if track is None or not track.polls:
            return
        grown = [(i, *growth.take()) for i, growth in track.histograms.items()]
        if track.minute >= self.closed:
            cells = self._cells.setdefault(track.minute, {})
            columns = zip(track.numbers, track.counters, track.before, zip(*track.polls, strict=True), strict=True)
            for series, is_counter, before, column in columns:
                _put(cells, series, number_cell(column, before, counter=is_counter))
            for series, growth, resets, n in grown:
                _put(cells, series, Cell(n, None, None, None, None, growth, resets))
        track.before = track.polls[-1]
        track.polls = []


def _begin(series: tuple[Series, ...], ids: tuple[int, ...], minute: int, ts: float, started: float | None) -> _Track:
    """Return a track for a shape of which nothing is known yet."""
    kinds = [METRICS[each.metric].kind if each.metric in METRICS else Kind.GAUGE for each in series]
    are_numbers = tuple(kind is not Kind.HISTOGRAM for kind in kinds)
    return _Track(
        ids=ids,
        are_numbers=are_numbers,
        numbers=tuple(compress(ids, are_numbers)),
        counters=tuple(kind is Kind.COUNTER for kind in compress(kinds, are_numbers)),
        before=(_NAN,) * sum(are_numbers),
        histograms={i: HistogramGrowth(None) for i in _others(ids, are_numbers)},
        minute=minute,
        ts=ts,
        started=started,
    )


def _turn(
    track: _Track, series: tuple[Series, ...], ids: tuple[int, ...], values: tuple[Value, ...], anew: bool
) -> _Track:
    """Go on with another shape or process: what is new on a source that was watched counts from 0."""
    turned = _begin(series, ids, track.minute, track.ts, track.started)
    turned.spacing = track.spacing
    known = {} if anew else dict(zip(track.numbers, track.before, strict=True))
    turned.before = [known.get(i, 0.0) for i in turned.numbers]
    for i, value in zip(ids, values, strict=True):
        if i in turned.histograms and isinstance(value, Buckets):
            kept = None if anew else track.histograms.get(i)
            turned.histograms[i] = kept or HistogramGrowth(empty(value))
    return turned


def _put(cells: dict[int, Cell], series: int, cell: Cell) -> None:
    if series in cells:
        cells[series].merge(cell)
    else:
        cells[series] = cell


def _doubles(values: Sequence[Value]) -> array[float]:
    """Return values as plain doubles; a histogram where a number should be is none."""
    try:
        return array("d", values)  # type: ignore[arg-type]
    except TypeError:
        return array("d", [_NAN if isinstance(each, Buckets) else each for each in values])


def _others(values: Sequence[T], are_numbers: Sequence[bool]) -> list[T]:
    return [each for each, is_number in zip(values, are_numbers, strict=True) if not is_number]


def _differ(started: float | None, before: float | None) -> bool:
    return started is not None and before is not None and abs(started - before) > _SAME_START_SECONDS
