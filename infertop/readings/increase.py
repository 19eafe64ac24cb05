"""How much counters and histograms grew from one poll to the next, across restarts, gaps and series that come and go.

The live rates and the ledger both stand on this, so that they agree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from infertop.readings.histogram import difference
from infertop.readings.model import Batch, Buckets, Series, Value
from infertop.readings.registry import METRICS, Kind

_SAME_START_SECONDS = 1.0
_REMEMBERED = 100_000
# So many pages in a row may lack the start that the others have before the counters decide alone.
_SILENT_PAGES = 3
# So many whole pages in a row without any counter are no accident: what appears after them is new.
EMPTY_PAGES = 2
# A page that shows this above 0 may hide series: what appears later need not be new.
UNREADABLE = "unreadable_lines"
# Meters older than any process that reads them: their first value is a baseline whenever it comes.
_LIFELONG = frozenset({"gpu_energy_joules"})


class Increase(NamedTuple):
    """By how much one counter or histogram grew; never zero."""

    series: Series
    amount: Value


@dataclass(frozen=True, slots=True)
class Advance:
    """What one batch added. `dt` is the seconds since the last good poll, None at the first and where none was taken.

    `restarted`: the process that is read began anew, and what it did between the last poll and its end is unknown.
    `gap`: a span longer than a gap may be, in which the same process ran and nobody polled.
    """

    ts: float
    dt: float | None
    restarted: bool
    gap: tuple[float, float] | None
    increases: tuple[Increase, ...]


class _Meter(NamedTuple):
    place: int
    series: Series
    histogram: bool
    lifelong: bool


class Continuity:
    """The memory of one source: the last good value of each of its counters and histograms.

    The first page with counters is a baseline and adds nothing, unless several without any came before it: an engine
    that was not asked anything yet may show none. Later, a series that appears counts from 0 and a value that fell
    counts in full; after a restart everything counts in full. Readings that are not finite or below 0 are passed over,
    and so is a whole page without the start that those before it had: it may be that of another process, and the next
    page makes up for it. Where lines of the first page could not be read, a series that appears later may be one of
    them: it is a baseline, until a page was whole.
    """

    def __init__(self, gap_seconds: float) -> None:
        self._gap_seconds = gap_seconds
        self._ts: float | None = None
        self._started: float | None = None
        self._silent = 0
        self._seen = False
        self._empty = 0
        self._doubtful = False
        self._unreadable: int | None = None
        self._series: tuple[Series, ...] | None = None
        self._meters: tuple[_Meter, ...] = ()
        self._last: list[Value | None] = []  # parallel to _meters
        self._past: dict[Series, Value] = {}  # as it was when the page last changed its shape

    def advance(self, batch: Batch) -> Advance:
        """Take the next batch of the source, in order of time."""
        if self._is_silent(batch):
            return Advance(batch.ts, None, False, None, ())
        self._align(batch.series)
        lost = self._unreadable is not None and batch.values[self._unreadable] != 0
        self._doubtful = self._doubtful or (lost and not self._seen)
        news = [batch.values[meter.place] for meter in self._meters]
        restarted = self._seen and self._restarted(batch.started, news)
        increases = self._take(news, restarted)
        self._doubtful = self._doubtful and lost and not restarted
        self._empty = 0 if lost or self._meters else min(self._empty + 1, EMPTY_PAGES)
        self._seen = self._seen or self._empty >= EMPTY_PAGES
        if restarted:
            self._past.clear()
        before, self._ts = self._ts, batch.ts
        self._started = self._started if batch.started is None else batch.started
        if before is None or before >= batch.ts:
            return Advance(batch.ts, None, restarted, None, increases)
        dt = batch.ts - before
        gap = (before, batch.ts) if dt > self._gap_seconds and not restarted else None
        return Advance(batch.ts, dt, restarted, gap, increases)

    def begin(self) -> None:
        """Count what the next page has from 0: others before it had no counters."""
        self._seen = True

    def dump(self) -> dict[str, Any]:
        """Return the memory as plain JSON: no NaN, no infinities."""
        values = self._remembered().items()
        return {
            "ts": self._ts,
            "started": self._started,
            "silent": self._silent,
            "seen": self._seen,
            "doubtful": self._doubtful,
            "empty": self._empty,
            "values": [[series.metric, list(map(list, series.labels)), _plain(value)] for series, value in values],
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what `dump` returned, in place of what is remembered."""
        self._ts, self._started, self._seen = state["ts"], state["started"], state["seen"]
        self._silent, self._doubtful = state["silent"], bool(state.get("doubtful"))
        self._empty = state.get("empty", 0)
        self._series, self._meters, self._last = None, (), []
        self._past = {
            Series(metric, tuple((key, text) for key, text in labels)): _value(value)
            for metric, labels, value in state["values"]
        }

    def _is_silent(self, batch: Batch) -> bool:
        """Say whether the page leaves open which process it is about; if so for long, it tells no start at all."""
        if batch.started is not None or self._started is None:
            self._silent = 0
        elif self._silent < _SILENT_PAGES:
            self._silent += 1
        else:
            self._silent, self._started = 0, None
        return self._silent > 0

    def _remembered(self) -> dict[Series, Value]:
        here = ((meter.series, last) for meter, last in zip(self._meters, self._last, strict=True))
        return self._past | {series: last for series, last in here if last is not None}

    def _align(self, series: tuple[Series, ...]) -> None:
        """Put `_meters` and `_last` in the order of a new page; nothing to do while the page keeps its shape."""
        if series is self._series:
            return
        past = self._remembered()
        self._series = series
        self._unreadable = next((at for at, each in enumerate(series) if each.metric == UNREADABLE), None)
        self._meters = tuple(_meters(series))
        self._last = [past.get(meter.series) for meter in self._meters]
        self._past = past if len(past) <= _REMEMBERED else {}

    def _restarted(self, started: float | None, news: list[Value]) -> bool:
        """Tell a new process by its start time, or else by most of the counters above 0 having fallen."""
        if started is not None and self._started is not None:
            return abs(started - self._started) > _SAME_START_SECONDS
        fell = above = 0
        for meter, new, old in zip(self._meters, news, self._last, strict=True):
            if old is None or not (level := _level(old)) or not _good(new, meter.histogram):
                continue
            above += 1
            fell += _level(new) < level
        return fell * 2 > above

    def _take(self, news: list[Value], restarted: bool) -> tuple[Increase, ...]:
        increases = []
        for at, (meter, new, old) in enumerate(zip(self._meters, news, self._last, strict=True)):
            forget = restarted and not meter.lifelong
            if forget:
                self._last[at] = old = None
            if new == old or not _good(new, meter.histogram) or _lost_a_bucket(new, old):
                continue
            self._last[at] = new
            first_is_baseline = meter.lifelong or (self._doubtful and not restarted)
            amount = _growth(new, old, first_is_baseline) if self._seen else None
            if amount is not None and _level(amount) > 0:
                increases.append(Increase(meter.series, amount))
        self._seen = self._seen or any(last is not None for last in self._last)
        return tuple(increases)


def _meters(series: tuple[Series, ...]) -> list[_Meter]:
    kinds = ((place, each, METRICS.get(each.metric)) for place, each in enumerate(series))
    return [
        _Meter(place, each, metric.kind is Kind.HISTOGRAM, each.metric in _LIFELONG)
        for place, each, metric in kinds
        if metric and metric.kind is not Kind.GAUGE
    ]


def _good(value: Value, histogram: bool) -> bool:
    """Say whether a reading can be counted with."""
    if not isinstance(value, Buckets):
        return not histogram and 0 <= value < math.inf
    if not histogram or not value.counts or len(value.counts) != len(value.bounds):
        return False
    return min(value.counts) >= 0 and sum(value.counts) < math.inf and 0 <= value.total < math.inf


def _lost_a_bucket(new: Value, old: Value | None) -> bool:
    """Say whether a histogram lacks bounds that it had: a line that could not be read; it says no less later."""
    if not isinstance(new, Buckets) or not isinstance(old, Buckets) or new.bounds == old.bounds:
        return False
    return set(new.bounds) < set(old.bounds) and _level(new) >= _level(old)


def _level(value: Value) -> float:
    return value.observations if isinstance(value, Buckets) else value


def _growth(new: Value, old: Value | None, first_is_baseline: bool) -> Value | None:
    """Return what came in since `old`, or None where that cannot be known."""
    if old is None:
        return None if first_is_baseline else new
    if _level(new) < _level(old):
        return new
    if isinstance(new, Buckets) and isinstance(old, Buckets):
        return difference(new, old)
    if isinstance(new, Buckets) or isinstance(old, Buckets):
        return None
    return new - old


def _plain(value: Value) -> float | list[Any]:
    if not isinstance(value, Buckets):
        return value
    return [[None if bound == math.inf else bound for bound in value.bounds], list(value.counts), value.total]


def _value(plain: float | list[Any]) -> Value:
    if not isinstance(plain, list):
        return float(plain)
    bounds, counts, total = plain
    return Buckets(tuple(math.inf if bound is None else float(bound) for bound in bounds), tuple(counts), total)
