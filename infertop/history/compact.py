"""Old lines by the hour, older ones by the UTC day: fewer rows, the same sums."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from infertop.history.meta import read_meta, write_meta

DAY = 86_400
HOUR = 3600
_STEPS = 4  # spans a run, so that no transaction is long
_LEVELS = ((HOUR, 35 * DAY, "compacted_hour"), (DAY, 400 * DAY, "compacted_day"))
_MINUTE = 60

# A line that reaches over the span's edge stays; so do accounts where only some lines have a cost, which must not be
# taken for all.
_INSIDE = "start >= :start AND start < :until AND until <= :until AND NOT open"
_MIXED = f"""
    SELECT account FROM lines WHERE {_INSIDE} GROUP BY account HAVING count(usd_nano) NOT IN (0, count(*))"""
_GROUPS = f"""
    SELECT :start, :until, account, sum(quantity), sum(usd_nano), 0 FROM lines WHERE {_INSIDE} GROUP BY account
    HAVING count(usd_nano) IN (0, count(*))"""


class Cells(NamedTuple):
    """Up to where lines are compacted, in epoch seconds: what is booked there later goes into the same spans."""

    hours: int
    days: int

    @classmethod
    def read(cls, connection: sqlite3.Connection) -> Cells:
        """Return how far compaction has come."""
        hours, days = (int(read_meta(connection, key, "0")) for _, _, key in _LEVELS)
        return cls(hours, days)

    def of(self, start: float) -> tuple[int, int]:
        """Return the span that lines which start at `start` are in, or would be if they fit."""
        width = DAY if start < self.days else HOUR if start < self.hours else _MINUTE
        first = int(start // width * width)
        return first, first + width

    def fit(self, start: int, until: int) -> tuple[int, int]:
        """Return the span of a line after compaction."""
        cell = self.of(start)
        return cell if until <= cell[1] else (start, until)


def compact(connection: sqlite3.Connection, ts: float) -> bool:
    """Compact a few of the spans that have come of age by `ts`; return whether more are left."""
    left = False
    for width, age, key in _LEVELS:
        limit = int((ts - age) // width * width)
        for _ in range(_STEPS):
            start = _next(connection, key, width)
            if start is None or start + width > limit:
                break
            _compact_span(connection, start, start + width)
            write_meta(connection, key, start + width)
        else:
            left = True
    return left


def _next(connection: sqlite3.Connection, key: str, width: int) -> int | None:
    """Return the start of the first span behind the last compacted one that has lines."""
    done = int(read_meta(connection, key, "0"))
    first = connection.execute("SELECT start FROM lines WHERE start >= ? ORDER BY start LIMIT 1", (done,)).fetchone()
    return first[0] // width * width if first else None


def _compact_span(connection: sqlite3.Connection, start: int, until: int) -> None:
    span = {"start": start, "until": until}
    groups = connection.execute(_GROUPS, span).fetchall()
    mixed = [account for (account,) in connection.execute(_MIXED, span).fetchall()]
    kept = ",".join(map(str, mixed))
    connection.execute(f"DELETE FROM lines WHERE {_INSIDE} AND account NOT IN ({kept})", span)
    connection.executemany("INSERT INTO lines VALUES (?,?,?,?,?,?)", groups)
