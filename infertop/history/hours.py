"""Hours from minutes, in SQL; histograms, which SQL cannot add, one by one."""

from __future__ import annotations

import sqlite3
import struct

from infertop.history.codec import bounds_id, pack, unpack, unpack_floats
from infertop.readings.histogram import add
from infertop.readings.model import Buckets

HOUR = 3600

_NUMBERS = """
    INSERT OR REPLACE INTO hour
    SELECT m.series, :start, sum(m.n), min(m.low), max(m.high), sum(m.total),
        (SELECT last FROM minute l WHERE l.series = m.series AND l.ts >= :start AND l.ts < :until
            ORDER BY l.ts DESC LIMIT 1),
        sum(CASE typeof(m.inc) WHEN 'blob' THEN NULL ELSE m.inc END), sum(m.resets)
    FROM series s CROSS JOIN minute m ON m.series = s.id AND m.ts >= :start AND m.ts < :until
    GROUP BY m.series"""
_HISTOGRAMS = """
    SELECT m.series, m.inc FROM series s CROSS JOIN minute m ON m.series = s.id AND m.ts >= :start AND m.ts < :until
    WHERE typeof(m.inc) = 'blob'"""


def write_hour(connection: sqlite3.Connection, start: int) -> None:
    """Store the hour that begins at `start` from its minutes; the same hour again replaces what was there."""
    span = {"start": start, "until": start + HOUR}
    connection.execute(_NUMBERS, span)
    parts: dict[int, list[bytes]] = {}
    for series, content in connection.execute(_HISTOGRAMS, span).fetchall():
        parts.setdefault(series, []).append(content)
    rows = [(merged(connection, each), series, start) for series, each in parts.items()]
    connection.executemany("UPDATE hour SET inc = ? WHERE series = ? AND ts = ?", rows)


def merged(connection: sqlite3.Connection, parts: list[bytes]) -> bytes:
    """Return the sum of packed histograms under the bounds of the last one; those with other bounds are left out."""
    number = bounds_id(parts[-1])
    total = add(histograms(connection, [each for each in parts if bounds_id(each) == number]))
    return pack(total, number)


def histograms(connection: sqlite3.Connection, parts: list[bytes]) -> list[Buckets]:
    """Return packed histograms as they were, without those that cannot be read."""
    found = []
    bounds: dict[int, tuple[float, ...]] = {}
    for content in parts:
        number = bounds_id(content)
        if number not in bounds:
            row = connection.execute("SELECT content FROM bounds WHERE id = ?", (number,)).fetchone()
            bounds[number] = unpack_floats(row[0]) if row else ()
        try:
            found.append(unpack(content, bounds[number]))
        except struct.error:
            continue
    return found
