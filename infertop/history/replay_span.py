"""What a history reaches over, and how fine what it kept of some time is."""

from __future__ import annotations

import sqlite3
from enum import IntEnum
from typing import NamedTuple

from infertop.history.meta import read_meta

DAY = 86_400
_FIRST_POLL = "SELECT ts / 1000.0 FROM polls WHERE seq = (SELECT min(seq) FROM polls)"
_LAST_POLL = "SELECT ts / 1000.0 FROM polls WHERE seq = (SELECT max(seq) FROM polls)"
_COVERED = "SELECT min(minute), max(minute) + 60 FROM coverage"
_FIRST_LINE = "SELECT start FROM lines ORDER BY start LIMIT 1"
_LAST_LINE = "SELECT until FROM lines ORDER BY start DESC LIMIT 1"
_ANY_CELL = "SELECT 1 FROM series s WHERE EXISTS (SELECT 1 FROM {} WHERE series = s.id AND ts >= ? AND ts < ?) LIMIT 1"


class Recorded(NamedTuple):
    """From when until when there is anything, in epoch seconds."""

    start: float
    end: float

    @property
    def last_day(self) -> float:
        """Where the last 24 hours of it begin, at a full minute."""
        return max(self.start, self.end - DAY) // 60 * 60


class Grain(IntEnum):
    """What readings of some time are kept as; the value is how many seconds one of them stands for."""

    READINGS = 1
    MINUTES = 60
    HOURS = 3600


def recorded(connection: sqlite3.Connection) -> Recorded | None:
    """Return what the history reaches over, None where nothing was recorded."""
    covered = connection.execute(_COVERED).fetchone()
    starts = _known(_one(connection, _FIRST_POLL), covered[0], _one(connection, _FIRST_LINE))
    closed = int(read_meta(connection, "closed", "0")) or None
    # Lines are asked last: hours that are reserved may be booked ahead.
    ends = _known(_one(connection, _LAST_POLL), covered[1], closed) or _known(_one(connection, _LAST_LINE))
    return Recorded(min(starts), max(*ends, min(starts))) if starts and ends else None


def finest(connection: sqlite3.Connection, ts: float) -> Grain | None:
    """Return how fine readings of `ts` are kept, None where none are."""
    first, last = _one(connection, _FIRST_POLL), _one(connection, _LAST_POLL)
    if first is not None and last is not None and first - 60 <= ts <= last + 300:
        return Grain.READINGS
    return coarser(connection, ts)


def coarser(connection: sqlite3.Connection, ts: float) -> Grain | None:
    """Return the finest roll-up that is kept of the time around `ts`, None where none is."""
    for table, grain in (("minute", Grain.MINUTES), ("hour", Grain.HOURS)):
        around = max(grain, 900)
        if connection.execute(_ANY_CELL.format(table), (ts - around, ts + around)).fetchone():
            return grain
    return None


def _known(*times: float | None) -> list[float]:
    return [float(each) for each in times if each is not None]


def _one(connection: sqlite3.Connection, query: str) -> float | None:
    row = connection.execute(query).fetchone()
    return None if row is None or row[0] is None else float(row[0])
