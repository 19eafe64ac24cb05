"""Readings made again from roll-ups: what a source would have said at the end of each minute.

A gauge has its mean over the minute, a counter grows by what it grew by. Of times that are kept by the hour only, each
minute has its sixtieth: the picture then is the mean of an hour.
"""

from __future__ import annotations

import sqlite3
import struct
from typing import Any, NamedTuple

from infertop.history.codec import bounds_id, unpack, unpack_floats
from infertop.history.growth import empty, plus
from infertop.history.replay_span import Grain
from infertop.history.tape_writer import series_of
from infertop.readings.model import Batch, Buckets, Series, Value
from infertop.readings.registry import METRICS, Kind

MINUTE = 60
_TABLES = {Grain.MINUTES: "minute", Grain.HOURS: "hour"}
_CELLS = """
    SELECT m.ts, s.id, m.low, m.high, m.n, m.total, m.inc FROM series s
    CROSS JOIN {table} m ON m.series = s.id AND m.ts >= ? AND m.ts < ?"""


class _Known(NamedTuple):
    source: int
    series: Series
    kind: Kind


class Cells:
    """Turns roll-ups into polls, one a minute and source. Counters begin at 0 where the reading began."""

    def __init__(self, grain: Grain) -> None:
        self.grain = grain
        self._table, self._width = _TABLES[grain], int(grain)
        self._known: dict[int, _Known | None] = {}
        self._names: dict[int, str] = {}
        self._bounds: dict[int, tuple[float, ...]] = {}
        self._shapes: dict[int, tuple[tuple[int, ...], tuple[Series, ...]]] = {}
        self._grown: dict[int, Value] = {}
        self._upto = 0

    def begin(self, since: float) -> None:
        """Go on from the minute that `since` is in."""
        self._upto = int(since // MINUTE * MINUTE)
        self._grown.clear()

    def until(self, connection: sqlite3.Connection, upto: float) -> list[Batch]:
        """Return the polls of the minutes that end from where it came to up to `upto`, in order of time."""
        since, end = self._upto, int(upto // MINUTE * MINUTE)
        if end <= since:
            return []
        self._upto = end
        by_start: dict[int, dict[int, list[Any]]] = {}
        first = since // self._width * self._width
        for start, number, *cell in connection.execute(_CELLS.format(table=self._table), (first, end)).fetchall():
            if (known := self._series(connection, number)) is not None:
                by_start.setdefault(start, {}).setdefault(known.source, []).append((number, *cell))
        batches: list[Batch] = []
        for start, sources in sorted(by_start.items()):
            for minute in range(max(start, since), min(start + self._width, end), MINUTE):
                batches += (self._poll(connection, minute, source, rows) for source, rows in sources.items())
        return sorted(batches, key=lambda each: each.ts)

    def _poll(self, connection: sqlite3.Connection, minute: int, source: int, rows: list[Any]) -> Batch:
        ids = tuple(row[0] for row in rows)
        shape = self._shapes.get(source)
        if shape is None or shape[0] != ids:
            found = (self._known[number] for number in ids)
            shape = self._shapes[source] = ids, tuple(each.series for each in found if each is not None)
        values = tuple(self._value(connection, *row) for row in rows)
        return Batch(self._name(connection, source), float(minute + MINUTE), shape[1], values)

    def _value(
        self,
        connection: sqlite3.Connection,
        number: int,
        low: float | None,
        high: float | None,
        n: int,
        total: float | None,
        grown: object,
    ) -> Value:
        known = self._known[number]
        share = MINUTE / self._width
        if known is not None and known.kind is Kind.GAUGE:
            if total is None or not n:
                return float("nan")
            return low if low is not None and low == high else total / n
        if known is not None and known.kind is Kind.HISTOGRAM:
            return self._histogram(connection, number, grown, share)
        before = self._grown.get(number, 0.0)
        after = (before if isinstance(before, float) else 0.0) + (grown if isinstance(grown, float) else 0.0) * share
        self._grown[number] = after
        return after

    def _histogram(self, connection: sqlite3.Connection, number: int, grown: object, share: float) -> Value:
        before = self._grown.get(number)
        more = self._unpacked(connection, grown) if isinstance(grown, bytes) else None
        if more is None:
            return before if before is not None else float("nan")
        if not isinstance(before, Buckets) or before.bounds != more.bounds:
            before = empty(more)
        after = self._grown[number] = plus(before, _scaled(more, share)) or before
        return after

    def _unpacked(self, connection: sqlite3.Connection, content: bytes) -> Buckets | None:
        try:
            number = bounds_id(content)
            if number not in self._bounds:
                row = connection.execute("SELECT content FROM bounds WHERE id = ?", (number,)).fetchone()
                self._bounds[number] = unpack_floats(row[0]) if row else ()
            return unpack(content, self._bounds[number])
        except struct.error:
            return None

    def _series(self, connection: sqlite3.Connection, number: int) -> _Known | None:
        if number not in self._known:
            row = connection.execute("SELECT source, metric, labels FROM series WHERE id = ?", (number,)).fetchone()
            series = series_of(*row[1:]) if row else None
            metric = METRICS.get(series.metric) if series else None
            self._known[number] = _Known(int(row[0]), series, metric.kind) if row and series and metric else None
        return self._known[number]

    def _name(self, connection: sqlite3.Connection, source: int) -> str:
        if source not in self._names:
            row = connection.execute("SELECT name FROM sources WHERE id = ?", (source,)).fetchone()
            self._names[source] = str(row[0]) if row else f"source {source}"
        return self._names[source]


def _scaled(whole: Buckets, share: float) -> Buckets:
    if share == 1:
        return whole
    return Buckets(whole.bounds, tuple(count * share for count in whole.counts), whole.total * share)
