"""What one source said in the last quarter of an hour, in memory.

Its series are placed once for each shape of its page; a poll then appends numbers by position. What a source may fill
is bounded, whatever it sends.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import nan

from infertop.engine.collector import Health
from infertop.engine.frame import Frame, Moment
from infertop.engine.pace import STALE_INTERVALS
from infertop.engine.track import Counter, Gauge, Histogram, Track
from infertop.readings.increase import Continuity
from infertop.readings.model import Batch, Buckets, Series, Value
from infertop.readings.registry import METRICS, Kind

KEEP_SECONDS = 900.0
MAX_SERIES = 2000
_KEEP_POLLS = 1800
# Of histograms every poll is kept for so long (a minute, and some), then one in some seconds.
_FINE_SECONDS = 90.0
_FINE_POLLS = 16  # that may be too many of them
_COARSE_SECONDS = 5.0
_LEAST_GAP = 15.0
_MAX_CELLS = 10_000
_INDEXED = frozenset(("gpu", "model"))  # what screens ask by: a source may have hundreds of either
_KINDS: dict[Kind, type[Track]] = {Kind.GAUGE: Gauge, Kind.COUNTER: Counter, Kind.HISTOGRAM: Histogram}


def gap_seconds(interval: float) -> float:
    """How long a hole in the polls may be before it is a gap."""
    return max(STALE_INTERVALS * interval, _LEAST_GAP)


class Source:
    """A source: its health, its newest batch, and the tracks of its series by metric.

    `dropped` counts series that are beyond what a source may fill, `restarted` is when its process was last found to
    have begun anew.
    """

    def __init__(self, health: Health, moment: Moment) -> None:
        self.health = health
        self.newest: Batch | None = None
        self.dropped = 0
        self.restarted: float | None = None
        self.by_metric: dict[str, tuple[Track, ...]] = {}
        self._by_label: dict[tuple[str, str, str], tuple[Track, ...]] = {}
        self._frame = Frame(moment, STALE_INTERVALS * health.interval_seconds)
        self._continuity = Continuity(gap_seconds(health.interval_seconds))
        self._tracks: dict[Series, Track] = {}
        # None while a batch is being taken in: one that breaks halfway leaves no column out of step.
        self._shape: tuple[Series, ...] | None = None
        self._gauges: list[tuple[int, Gauge]] = []
        self._counters: list[Counter] = []
        self._histograms: list[Histogram] = []
        self._thinned = 0

    def set_health(self, health: Health) -> None:
        """Take how the source is; another interval changes what counts as a gap."""
        if health.interval_seconds != self.health.interval_seconds:
            memory = self._continuity.dump()
            self._continuity = Continuity(gap_seconds(health.interval_seconds))
            self._continuity.load(memory)
            self._frame.stale_seconds = STALE_INTERVALS * health.interval_seconds
        self.health = health

    def tracks(self, metric: str, labels: Mapping[str, str]) -> tuple[Track, ...]:
        """Return the tracks of a metric's series that carry these labels."""
        name = next((name for name in labels if name in _INDEXED), None)
        if name is None:
            found = self.by_metric.get(metric, ())
        else:
            found = self._by_label.get((metric, name, labels[name]), ())
            if len(labels) == 1:
                return found
        wanted = labels.items()
        return tuple(track for track in found if wanted <= dict(track.series.labels).items()) if wanted else found

    def apply(self, batch: Batch) -> None:
        """Take in a batch; one that is not newer than the last is passed over."""
        if self.newest is not None and batch.ts <= self.newest.ts:
            return
        if batch.series is not self._shape:
            self._place(batch)
        self.newest, self._shape = batch, None
        advance = self._continuity.advance(batch)
        self.restarted = batch.ts if advance.restarted else self.restarted
        self._frame.line.append(batch.ts, 0.0 if advance.dt is None or advance.gap else advance.dt)
        # What grew in a gap is for the ledger: here neither it nor the time counts.
        for series, amount in () if advance.gap else advance.increases:
            _grow(self._tracks.get(series), amount)
        self._record(batch.values)
        self._shape = batch.series
        self._trim()

    @property
    def stale(self) -> bool:
        """Whether it has not been read for five intervals."""
        return self.newest is None or self._frame.moment.now - self.newest.ts > self._frame.stale_seconds

    def _record(self, values: tuple[Value, ...]) -> None:
        for place, gauge in self._gauges:
            value = values[place]
            gauge.column.values.append(value if value - value == 0 else nan)  # type: ignore[operator, arg-type]
        for counter in self._counters:
            counter.column.values.append(counter.total)
        poll, thin = self._frame.line.end - 1, self._thin_out()
        for histogram in self._histograms:
            if histogram.row:
                *counts, total = histogram.row
                histogram.fine.append(poll, counts, total)
                if thin is not None:
                    histogram.coarse.append(thin, counts, total)

    def _thin_out(self) -> int | None:
        """Add the newest poll to the coarse timeline where it is due there, and return its number in it."""
        line, coarse = self._frame.line, self._frame.coarse
        if coarse.times and line.times[-1] - coarse.times[-1] < _COARSE_SECONDS:
            return None
        coarse.append(line.times[-1], line.measured[-1] - (coarse.measured[-1] if coarse.times else 0.0))
        return coarse.end - 1

    def _place(self, batch: Batch) -> None:
        """Make or find the track of every series of a new shape, as far as they may fill the memory."""
        here = dict(_admitted(batch))
        self.dropped = len(batch.series) - len(here)
        old = self._tracks
        room = MAX_SERIES - len(here)
        gone = [track for series, track in old.items() if series not in here][-room:] if room else []
        self._tracks = {track.series: track for track in gone}
        for track in gone:
            track.left = track.seen
        self._gauges, self._counters, self._histograms = [], [], []
        for series, place in here.items():
            track = self._tracks[series] = old.get(series) or _KINDS[METRICS[series.metric].kind](series, self._frame)
            track.left = None
            self._enlist(track, place)
        self._index()

    def _enlist(self, track: Track, place: int) -> None:
        """Take a track up among those that get a value a poll, and bridge the polls that it was not part of."""
        end = self._frame.line.end
        match track:
            case Gauge():
                track.column.fill(end, nan)
                self._gauges.append((place, track))
            case Counter():
                track.column.fill(end, track.total)
                self._counters.append(track)
            case Histogram():
                self._histograms.append(track)

    def _index(self) -> None:
        found: dict[str, list[Track]] = {}
        with_label: dict[tuple[str, str, str], list[Track]] = {}
        for track in self._tracks.values():
            metric = track.series.metric
            found.setdefault(metric, []).append(track)
            for name, value in track.series.labels:
                if name in _INDEXED:
                    with_label.setdefault((metric, name, value), []).append(track)
        self.by_metric = {metric: tuple(tracks) for metric, tracks in found.items()}
        self._by_label = {place: tuple(tracks) for place, tracks in with_label.items()}

    def _trim(self) -> None:
        line, coarse = self._frame.line, self._frame.coarse
        if line.end >= self._thinned + _FINE_POLLS:
            self._thinned, fine = line.end, line.back(line.times[-1] - _FINE_SECONDS)
            for histogram in self._histograms:
                histogram.fine.drop_before(fine)
        surplus = line.surplus(KEEP_SECONDS, _KEEP_POLLS)
        if not surplus:
            return
        line.drop(surplus)
        coarse.drop(coarse.back(line.times[0]) - coarse.first)
        for track in self._tracks.values():
            match track:
                case Histogram():
                    track.coarse.drop_before(coarse.first)
                case Gauge() | Counter():
                    track.column.drop_before(line.first)
        kept = {series: track for series, track in self._tracks.items() if track.seen >= line.times[0]}
        if len(kept) < len(self._tracks):
            self._tracks = kept
            self._index()


def _grow(track: Track | None, amount: Value) -> None:
    if isinstance(track, Counter) and not isinstance(amount, Buckets):
        track.total += amount
    elif isinstance(track, Histogram) and isinstance(amount, Buckets):
        track.grow(amount)


def _admitted(batch: Batch) -> Iterator[tuple[Series, int]]:
    """Series and places of a batch, in its order, until a source has filled what it may."""
    cells = 0
    for place, (series, value) in enumerate(zip(batch.series, batch.values, strict=True)):
        cells += len(value.counts) if isinstance(value, Buckets) else 0
        if place >= MAX_SERIES or cells > _MAX_CELLS:
            return
        yield series, place
