"""Batches become rows: only what changed since the last poll, with a full reading every few minutes."""

from __future__ import annotations

import json
import sqlite3
from collections import deque
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from infertop.history.catalog import Catalog, plain
from infertop.history.codec import pack, pack_floats, pack_ids, unpack_floats
from infertop.history.connect import put
from infertop.history.statements import Page, Touched, write_statements
from infertop.readings.model import Batch, Buckets, Series, Value

KEYFRAME_MS = 300_000
MEMORY_ROWS = 200_000
# One statement for many rows of a poll takes half the time of one for each.
_INSERTS = tuple(
    (rows, "INSERT OR REPLACE INTO raw VALUES " + ",".join(f"(?1,?{at},?{at + 1})" for at in range(2, 2 + 2 * rows, 2)))
    for rows in (64, 16, 4, 1)
)


@dataclass(slots=True)
class Shape:
    """What a source's polls have in common while the series that they read stay the same."""

    source: int
    series: tuple[Series, ...]
    ids: tuple[int, ...]
    id: int
    last: tuple[Value, ...]
    keyframe_ts: int


@dataclass(slots=True)
class Poll:
    """One poll as it will be stored; `ts` in milliseconds. `said` is flat: a series, its value, the next series, ..."""

    seq: int
    ts: int
    source: int
    shape: int
    started: float | None
    keyframe: bool
    said: list[Any] = field(default_factory=list)
    pages: tuple[Page, ...] = ()


class TapeWriter:
    """Keeps polls until they are stored. `lost` counts the samples that had to be dropped meanwhile.

    `torn` says that some were dropped since the last time all was stored: what waits is no basis to derive from.
    """

    def __init__(self, connection: sqlite3.Connection, memory_rows: int = MEMORY_ROWS) -> None:
        self._memory_rows = memory_rows
        self._created = 0
        self._shapes: dict[str, Shape] = {}
        self._waiting: deque[Poll] = deque()
        self._rows = 0
        self.lost = 0
        self.torn = False
        self.last_seq: int = connection.execute("SELECT coalesce(max(seq), 0) FROM polls").fetchone()[0]
        self._sources: Catalog[str] = Catalog(
            "INSERT OR REPLACE INTO sources VALUES (?,?)",
            lambda number, name: (number, plain(name)),
            {name: number for number, name in connection.execute("SELECT id, name FROM sources")},
        )
        self._series: Catalog[tuple[int, Series]] = Catalog(
            "INSERT OR REPLACE INTO series VALUES (?,?,?,?,?)", self._series_row, _known_series(connection)
        )
        self._shape_ids: Catalog[tuple[int, ...]] = Catalog(
            "INSERT OR REPLACE INTO shapes VALUES (?,?)",
            lambda number, ids: (number, pack_ids(ids)),
            last=connection.execute("SELECT coalesce(max(id), 0) FROM shapes").fetchone()[0],
        )
        self._bounds: Catalog[tuple[float, ...]] = Catalog(
            "INSERT OR REPLACE INTO bounds VALUES (?,?)",
            lambda number, bounds: (number, pack_floats(bounds)),
            {unpack_floats(content): i for i, content in connection.execute("SELECT id, content FROM bounds")},
        )
        self._catalogs = (self._sources, self._series, self._shape_ids, self._bounds)

    @property
    def sources(self) -> int:
        """How many sources are being recorded."""
        return len(self._shapes)

    def add(self, batch: Batch) -> Shape:
        """Take a poll; its number is `last_seq` afterwards."""
        ts = round(batch.ts * 1000)
        self.last_seq += 1
        shape = self._shapes.get(batch.source)
        keyframe = shape is None or shape.series is not batch.series or ts - shape.keyframe_ts >= KEYFRAME_MS
        if shape is None or keyframe:
            shape, said = self._keyframe(batch, ts, shape)
        else:
            said = self._changes(shape, batch.values)
            shape.last = batch.values
        page = Page.of(batch)
        pages = (page,) if page.says else ()
        self._waiting.append(Poll(self.last_seq, ts, shape.source, shape.id, batch.started, keyframe, said, pages))
        self._rows += len(said) // 2
        while self._rows > self._memory_rows and len(self._waiting) > 1:
            self._drop_oldest()
        return shape

    def encode(self, value: Value) -> float | bytes:
        """Return a value as it is stored."""
        if isinstance(value, Buckets):
            return pack(value, self._bounds.id(value.bounds))
        return float(value)

    def write(self, connection: sqlite3.Connection) -> Touched:
        """Store what waits; return where statements are new or gone."""
        for catalog in self._catalogs:
            catalog.write(connection)
        polls = [(p.seq, p.ts, p.source, p.shape, p.started, p.keyframe) for p in self._waiting]
        put(connection, "INSERT OR REPLACE INTO polls VALUES (?,?,?,?,?,?)", polls)
        for poll in self._waiting:
            _insert(connection, poll.seq, poll.said)
        touched: Touched = {}
        for poll in self._waiting:
            for page in poll.pages:
                for source, starts in write_statements(connection, poll.seq, page).items():
                    touched.setdefault(source, set()).update(starts)
        return touched

    def written(self) -> None:
        """Forget what waited."""
        for catalog in self._catalogs:
            catalog.written()
        self._waiting.clear()
        self._rows = 0
        self.torn = False

    def restart(self) -> None:
        """Begin again in another, empty database: every source's next poll is a keyframe."""
        for catalog in self._catalogs:
            catalog.restart()
        self._shapes.clear()

    def alive(self) -> set[int]:
        """Return the ids of the series that are being read."""
        return {number for shape in self._shapes.values() for number in shape.ids}

    def forget(self, series: Collection[int]) -> None:
        """Forget series whose rows were deleted, and all shapes: every source's next poll is a keyframe."""
        self._shapes.clear()
        self._shape_ids.forget()
        self._series.forget(series)

    def _changes(self, shape: Shape, values: tuple[Value, ...]) -> list[Any]:
        said: list[Any] = []
        say = said.append
        for i, value, before in zip(shape.ids, values, shape.last):  # noqa: B905 - equal lengths, and it is hot
            if value != before:
                say(i)
                say(value if value.__class__ is float else self.encode(value))
        return said

    def _keyframe(self, batch: Batch, ts: int, before: Shape | None) -> tuple[Shape, list[Any]]:
        source = self._sources.id(batch.source)
        self._created = ts // 1000
        if before is not None and before.series is batch.series:
            ids, number = before.ids, before.id
        else:
            ids = tuple(self._series.id((source, each)) for each in batch.series)
            number = self._shape_ids.id(ids)
        shape = Shape(source, batch.series, ids, number, batch.values, ts)
        self._shapes[batch.source] = shape
        said: list[Any] = []
        for i, value in zip(ids, batch.values, strict=True):
            said += (i, self.encode(value))
        if before is not None and before.id != number:
            for gone in set(before.ids) - set(ids):
                said += (gone, None)
        return shape, said

    def _drop_oldest(self) -> None:
        """Drop the oldest poll that waits; what it changed is said by the source's next one instead."""
        self.torn = True
        oldest = self._waiting.popleft()
        following = next((poll for poll in self._waiting if poll.source == oldest.source), None)
        self._rows -= len(oldest.said) // 2
        self.lost += len(oldest.said) // 2
        if following is None:
            self._shapes = {name: shape for name, shape in self._shapes.items() if shape.source != oldest.source}
            return
        there = set(following.said[::2])
        for i, value in zip(oldest.said[::2], oldest.said[1::2], strict=True):
            if i not in there:
                following.said += (i, value)
                self._rows += 1
                self.lost -= 1
        following.keyframe |= oldest.keyframe and following.shape == oldest.shape
        following.pages = (*oldest.pages, *following.pages)

    def _series_row(self, number: int, key: tuple[int, Series]) -> tuple[Any, ...]:
        source, series = key
        return number, source, plain(series.metric), json.dumps(dict(series.labels)), self._created


def _insert(connection: sqlite3.Connection, seq: int, said: list[Any]) -> None:
    at = 0
    for rows, statement in _INSERTS:
        while len(said) - at >= 2 * rows:
            connection.execute(statement, (seq, *said[at : at + 2 * rows]))
            at += 2 * rows


def series_of(metric: str, labels: str) -> Series:
    """Return a series from its row."""
    return Series(metric, tuple(sorted(json.loads(labels).items())))


def _known_series(connection: sqlite3.Connection) -> dict[tuple[int, Series], int]:
    rows = connection.execute("SELECT id, source, metric, labels FROM series")
    return {(source, series_of(metric, labels)): number for number, source, metric, labels in rows}
