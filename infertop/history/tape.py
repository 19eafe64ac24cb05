"""Read the tape back: the same batches, in the same order, that the recorder was given."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from infertop.history.codec import bounds_id, unpack, unpack_floats, unpack_ids
from infertop.history.statements import statements_of
from infertop.history.tape_writer import series_of
from infertop.readings.model import Batch, Buckets, Series, Value

_PAGE = 500
_GONE = float("nan")
_LAST_BEFORE = """
    SELECT (SELECT seq FROM polls WHERE source = s.id AND ts < ? ORDER BY ts DESC LIMIT 1) FROM sources s"""


@dataclass(slots=True)
class _Source:
    """What is known of a source at one place of the tape."""

    name: str
    shape: int = -1
    ids: tuple[int, ...] = ()
    series: tuple[Series, ...] = ()
    values: dict[int, Value] = field(default_factory=dict)


class Read(NamedTuple):
    """A poll as it was read back; `source` and `ids` are the ids of its source and its series."""

    seq: int
    batch: Batch
    source: int
    ids: tuple[int, ...]


class Tape:
    """A reader of the tape. It keeps what it knows of each source, so that it can be asked again for what came since.

    No cursor stays open between two batches: a writer's log could not be emptied meanwhile.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._sources: dict[int, _Source] = {}
        self._bounds: dict[int, tuple[float, ...]] = {}
        self._at = 0

    def last(self) -> int:
        """Return the number of the last poll, 0 where there is none."""
        found: int = self._connection.execute("SELECT coalesce(max(seq), 0) FROM polls").fetchone()[0]
        return found

    def position(self, ts: float) -> int:
        """Return the number of the last poll before `ts`, 0 where none is kept."""
        rows = self._connection.execute(_LAST_BEFORE, (ts * 1000,)).fetchall()
        return max((seq for (seq,) in rows if seq is not None), default=0)

    def batches(self, since: float, until: float = float("inf")) -> Iterator[Batch]:
        """Iterate over the polls from `since` on, up to the first whose time is `until` or later."""
        return (read.batch for read in self.polls(self.position(since), until) if read.batch.ts >= since)

    def polls(self, after: int, until: float = float("inf")) -> Iterator[Read]:
        """Iterate over the polls behind number `after`, up to the first whose time is `until` or later.

        Unchanged values are filled in. A poll whose earlier values are not kept any more is left out.
        """
        if after != self._at:
            self._sources.clear()
        while True:
            page = self._connection.execute(
                "SELECT seq, ts, source, shape, started, keyframe FROM polls WHERE seq > ? ORDER BY seq LIMIT ?",
                (after, _PAGE),
            ).fetchall()
            for seq, ts, source, shape, started, keyframe in page:
                if ts >= until * 1000:
                    return
                self._at = after = seq
                known = self._source(source, seq, keyframe)
                if known is not None and self._turn(known, seq, shape):
                    values = tuple(known.values.get(i, _GONE) for i in known.ids)
                    said = statements_of(self._connection, seq)
                    yield Read(
                        seq, Batch(known.name, ts / 1000, known.series, values, started, said), source, known.ids
                    )
            if len(page) < _PAGE:
                return

    def _source(self, number: int, seq: int, keyframe: int) -> _Source | None:
        """Return what is known of a source before poll `seq`, going back to its last keyframe where nothing is."""
        if number in self._sources:
            return self._sources[number]
        name = self._one("SELECT name FROM sources WHERE id = ?", number)
        if name is None:
            return None
        known = _Source(str(name))
        if not keyframe:
            start = self._one(
                "SELECT seq FROM polls WHERE source = ? AND keyframe AND seq < ? ORDER BY seq DESC LIMIT 1", number, seq
            )
            if start is None:
                return None
            rows = self._connection.execute(
                "SELECT seq, shape FROM polls WHERE seq >= ? AND seq < ? AND source = ? ORDER BY seq",
                (start, seq, number),
            ).fetchall()
            for earlier, shape in rows:
                self._turn(known, earlier, shape)
        self._sources[number] = known
        return known

    def _turn(self, known: _Source, seq: int, shape: int) -> bool:
        """Take the rows of one poll into account; return False where its shape is not kept."""
        if shape != known.shape:
            content = self._one("SELECT series FROM shapes WHERE id = ?", shape)
            if not isinstance(content, bytes):
                return False
            ids = unpack_ids(content)
            series = tuple(map(self._series, ids))
            if None in series:
                return False
            known.shape, known.ids, known.values = shape, ids, {}
            known.series = tuple(each for each in series if each is not None)
        for i, value in self._connection.execute("SELECT series, value FROM raw WHERE poll = ?", (seq,)).fetchall():
            known.values[i] = self.decode(value)
        return True

    def decode(self, value: object) -> Value:
        """Return a value as it was read; what cannot be told is NaN."""
        if isinstance(value, float):
            return value
        if isinstance(value, bytes):
            try:
                return self._histogram(value)
            except struct.error:
                return _GONE
        return _GONE

    def _histogram(self, content: bytes) -> Buckets:
        number = bounds_id(content)
        if number not in self._bounds:
            row = self._one("SELECT content FROM bounds WHERE id = ?", number)
            self._bounds[number] = unpack_floats(row) if isinstance(row, bytes) else ()
        return unpack(content, self._bounds[number])

    def _series(self, number: int) -> Series | None:
        row = self._connection.execute("SELECT metric, labels FROM series WHERE id = ?", (number,)).fetchone()
        return series_of(*row) if row else None

    def _one(self, query: str, *parameters: object) -> object:
        row = self._connection.execute(query, parameters).fetchone()
        return row[0] if row else None
