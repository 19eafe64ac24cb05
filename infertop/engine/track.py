"""The last minutes of one series, and the questions that screens ask of them.

A window ends at the source's newest poll, not now, and begins at the poll at or before its start, so it is as long
as what was measured; what it really covers comes with the answer.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate, pairwise
from operator import add, mul, sub
from typing import NamedTuple

from infertop.engine.frame import Frame
from infertop.engine.rings import Column
from infertop.engine.rows import Rows
from infertop.readings.model import Buckets, Series

Bins = tuple[float | None, ...]


class Rise(NamedTuple):
    """By how much a counter grew, and the measured seconds in which it did; gaps in the polls are part of neither."""

    amount: float
    seconds: float


class Track:
    """One series. A question that does not fit its kind is answered with None, as is one that cannot be answered yet.

    `left` is when it was last on its source's page, where it no longer is.
    """

    def __init__(self, series: Series, frame: Frame) -> None:
        self.series = series
        self.left: float | None = None
        self.frame = frame
        self._trend: tuple[tuple[float, float, int], Bins] | None = None

    @property
    def seen(self) -> float:
        """When it was last read."""
        return self.frame.newest if self.left is None else self.left

    @property
    def stale(self) -> bool:
        """Whether it has not been read for five intervals: it left the page, or its source does not answer."""
        return self.frame.moment.now - self.seen > self.frame.stale_seconds

    def covered(self, window: float) -> float:
        """Return how many of the last `window` seconds were measured; from the last poll at or before their start."""
        line = self.frame.line
        return line.seconds(line.back(self.frame.newest - window), line.end - 1) if line.times else 0.0

    @property
    def last(self) -> float | None:
        """The newest reading of a gauge."""
        return None

    def mean(self, window: float) -> float | None:
        """Return a gauge's mean over the last `window` seconds, weighted by time."""
        return None

    def even_mean(self, window: float) -> float | None:
        """Return a gauge's mean over the last `window` seconds, as if it had changed evenly from poll to poll."""
        return None

    def max(self, window: float) -> float | None:
        """Return a gauge's highest reading of the last `window` seconds."""
        return None

    def increase(self, window: float) -> Rise | None:
        """Return by how much a counter grew in the last `window` seconds."""
        return None

    def rate(self, window: float) -> float | None:
        """Return a counter's growth per second over the last `window` seconds."""
        rise = self.increase(window)
        return rise.amount / rise.seconds if rise else None

    def buckets(self, window: float) -> Buckets | None:
        """Return what a histogram observed in the last `window` seconds; without buckets where that was nothing."""
        return None

    def bins(self, start: float, end: float, count: int) -> Bins:
        """Return, for each of `count` equal spans between two times, a gauge's mean or a counter's growth per second.

        None stands for a span in which nothing was measured.
        """
        return (None,) * count

    def trend(self, window: float, count: int) -> Bins:
        """Return `bins` over `window` seconds, up to the end of the last whole span: made once for each span."""
        width = window / count
        end = self.frame.newest // width * width
        key = (end, window, count)
        if self._trend is None or self._trend[0] != key:
            self._trend = (key, self.bins(end - window, end, count))
        return self._trend[1]


class Gauge(Track):
    """A gauge. A reading holds for the time before it; one that is not a finite number is none."""

    def __init__(self, series: Series, frame: Frame) -> None:
        super().__init__(series, frame)
        self.column = Column(frame.line.end)

    @property
    def last(self) -> float | None:
        """The newest reading."""
        values = self.column.values
        return values[-1] if values and values[-1] == values[-1] else None

    def mean(self, window: float) -> float | None:
        """Return the mean over the last `window` seconds, weighted by time."""
        start = self._begin(window)
        weights, weight = self.frame.weights(start)
        values = self.column.span(start, self.frame.line.end)
        # Most gauges have a number at every poll: the way through `_weighed` takes three times as long.
        if len(values) != len(weights) or (amount := sum(map(mul, values, weights))) != amount:
            amounts, known = self._weighed(start)
            amount, weight = sum(amounts), sum(known)
        return amount / weight if weight > 0 else self.last

    def even_mean(self, window: float) -> float | None:
        """Return the mean over the last `window` seconds by the trapezoid rule; of one reading alone, that one."""
        line, column, start = self.frame.line, self.column, self._begin(window)
        seconds = self.frame.weights(start)[0]
        first = max(column.start - (start - 1), 0)
        values = [math.nan] * first + list(column.span(start - 1, line.end))
        values += [math.nan] * (len(seconds) + 1 - len(values))
        amount = whole = 0.0
        for before, after, weight in zip(values, values[1:], seconds, strict=False):
            known = [each for each in (before, after) if each == each]
            if known:
                amount += weight * sum(known) / len(known)
                whole += weight
        return amount / whole if whole > 0 else self.last

    def max(self, window: float) -> float | None:
        """Return the highest reading of the last `window` seconds."""
        values = self.column.span(self._begin(window), self.frame.line.end)
        return max((each for each in values if each == each), default=self.last)

    def bins(self, start: float, end: float, count: int) -> Bins:
        """Return the mean in each of `count` equal spans."""
        line = self.frame.line
        first = line.back(start)
        amounts, weights = (list(accumulate(each, initial=0.0)) for each in self._weighed(first + 1))
        return _binned(line.times[first - line.first :], amounts, weights, _edges(start, end, count))

    def _begin(self, window: float) -> int:
        """The first poll whose reading is about the window: each is about the time before it."""
        return self.frame.line.back(self.frame.newest - window) + 1

    def _weighed(self, start: int) -> tuple[list[float], list[float]]:
        """Readings times their seconds, and these seconds, of all polls from `start` on; both 0 where it has none."""
        line, column = self.frame.line, self.column
        start = max(start, line.first + 1)
        weights = list(self.frame.weights(start)[0])
        before, after = max(column.start - start, 0), line.end - max(column.end, start)
        values = [math.nan] * before + list(column.span(start, line.end)) + [math.nan] * after
        for place in [i for i, value in enumerate(values) if value != value]:
            values[place] = weights[place] = 0.0
        return list(map(mul, values, weights)), weights


class Counter(Track):
    """A counter: `total` is what it grew by since its source was first polled, over all restarts."""

    def __init__(self, series: Series, frame: Frame) -> None:
        super().__init__(series, frame)
        self.total = 0.0
        self.column = Column(frame.line.end)

    def increase(self, window: float) -> Rise | None:
        """Return by how much it grew in the last `window` seconds."""
        line = self.frame.line
        start, end = line.back(self.frame.newest - window), line.end - 1
        seconds = line.seconds(start, end)
        return Rise(self._at(end) - self._at(start), seconds) if seconds > 0 else None

    def bins(self, start: float, end: float, count: int) -> Bins:
        """Return its growth per second in each of `count` equal spans."""
        line = self.frame.line
        first = line.back(start)
        totals = [self._at(poll) for poll in range(first, line.end)]
        kept = slice(first - line.first, None)
        return _binned(line.times[kept], totals, line.measured[kept], _edges(start, end, count))

    def _at(self, poll: int) -> float:
        column = self.column
        if poll >= column.end:
            return self.total
        return column.values[poll - column.start] if poll >= column.start else 0.0


class _Reading(NamedTuple):
    """A histogram's running sums at a poll (None before anything came in), and the seconds measured up to then."""

    row: Sequence[float] | None
    measured: float


class Histogram(Track):
    """A histogram: `row` is what came in since its source was first polled, by bucket, and its sum.

    Every poll of the last minute is kept, and one in some seconds of the time before.
    """

    def __init__(self, series: Series, frame: Frame) -> None:
        super().__init__(series, frame)
        self.bounds: tuple[float, ...] = ()
        self.row: tuple[float, ...] = ()
        self.fine, self.coarse = Rows(), Rows()

    def grow(self, amount: Buckets) -> None:
        """Take in what came since the last poll; other bounds than before begin a new memory."""
        row = (*amount.counts, amount.total)
        if amount.bounds != self.bounds:
            self.bounds, self.row = amount.bounds, row
            self.fine, self.coarse = Rows(), Rows()
        else:
            self.row = tuple(map(add, self.row, row))

    def buckets(self, window: float) -> Buckets | None:
        """Return what came in in the last `window` seconds."""
        newest = self.frame.newest
        return self._growth(self._at(newest - window), self._at(newest))

    def _at(self, ts: float) -> _Reading:
        line, rows = self.frame.line, self.fine
        poll = line.back(ts)
        if poll < rows.kept and self.frame.coarse.times:
            line, rows = self.frame.coarse, self.coarse
            poll = line.back(ts)
        return _Reading(rows.at(poll), line.measured[poll - line.first])

    def _growth(self, before: _Reading, after: _Reading) -> Buckets | None:
        if after.measured <= before.measured:
            return None
        zeros = (0.0,) * len(self.row)
        *counts, total = map(sub, after.row or zeros, before.row or zeros) if self.row else (0.0,)
        return Buckets(self.bounds, tuple(counts), total)


def _edges(start: float, end: float, count: int) -> list[float]:
    return [start + (end - start) * place / count for place in range(count + 1)]


def _binned(times: Sequence[float], amounts: Sequence[float], weights: Sequence[float], edges: Sequence[float]) -> Bins:
    """Divide running sums at the polls' `times` among spans, as if each had grown evenly from poll to poll."""
    points = [(_between(times, amounts, edge), _between(times, weights, edge)) for edge in edges]
    return tuple(
        (after[0] - before[0]) / (after[1] - before[1]) if after[1] - before[1] > 1e-9 else None
        for before, after in pairwise(points)
    )


def _between(times: Sequence[float], sums: Sequence[float], ts: float) -> float:
    place = bisect_left(times, ts)
    if place == 0:
        return sums[0]
    if place == len(times):
        return sums[-1]
    share = (ts - times[place - 1]) / (times[place] - times[place - 1])
    return sums[place - 1] + (sums[place] - sums[place - 1]) * share
