"""One series over time, from readings, minutes or hours, whichever is fine enough for the chart and still kept."""

from __future__ import annotations

import math
import sqlite3
from typing import NamedTuple

from infertop.history.growth import counter_growth
from infertop.history.hours import histograms
from infertop.history.tape_writer import series_of
from infertop.readings.histogram import add
from infertop.readings.model import Buckets, Series

_RAW_SECONDS = 2 * 3600
_MINUTE_SECONDS = 31 * 86_400
_BINNED = """
    SELECT CAST((ts - :since) / :width AS INTEGER) AS bin, sum(n), min(low), max(high), sum(total), sum(inc),
        sum(resets) FROM {table} WHERE series = :series AND ts >= :since AND ts < :until GROUP BY bin"""
_HISTOGRAMS = """
    SELECT CAST((ts - :since) / :width AS INTEGER) AS bin, inc FROM {table}
    WHERE series = :series AND ts >= :since AND ts < :until AND typeof(inc) = 'blob'"""
_READINGS = """
    SELECT p.ts / 1000.0, r.value, r.poll IS NOT NULL FROM polls p
    LEFT JOIN raw r ON r.poll = p.seq AND r.series = :series
    WHERE p.source = :source AND p.ts >= :since * 1000 AND p.ts < :until * 1000 ORDER BY p.ts"""
_KEYFRAME = 300  # seconds before a reading's start in which its value was written in full


class Bin(NamedTuple):
    """A series in `width` seconds from `ts`: readings, lowest, mean and highest, growth of a counter, restarts."""

    ts: float
    width: int
    n: int
    low: float | None
    mean: float | None
    high: float | None
    growth: float | None
    resets: int


def series_id(connection: sqlite3.Connection, source: str, series: Series) -> tuple[int, int] | None:
    """Return the ids of a source and its series, None where it was never read."""
    rows = connection.execute(
        """SELECT s.id, s.source, s.metric, s.labels FROM series s JOIN sources o ON o.id = s.source
            WHERE o.name = ? AND s.metric = ?""",
        (source, series.metric),
    )
    return next(((of, number) for number, of, *said in rows.fetchall() if series_of(*said) == series), None)


def series_bins(
    connection: sqlite3.Connection, source: str, series: Series, since: float, until: float, most: int
) -> list[Bin]:
    """Return a gauge or counter over [since, until) in at most `most` bins; bins without a reading are left out."""
    ids = series_id(connection, source, series)
    if ids is None or until <= since:
        return []
    if until - since <= _RAW_SECONDS:
        found = _from_readings(connection, ids, since, until, most)
        if found:
            return found
    table, step = ("minute", 60) if until - since <= _MINUTE_SECONDS else ("hour", 3600)
    span = _span(ids[1], since, until, most, step)
    rows = connection.execute(_BINNED.format(table=table), span).fetchall()
    return [
        Bin(span["since"] + place * span["width"], span["width"], n, low, total / n if total is not None else None,
            high, growth, resets)
        for place, n, low, high, total, growth, resets in rows
    ]  # fmt: skip


def histogram_bins(
    connection: sqlite3.Connection, source: str, series: Series, since: float, until: float, most: int
) -> list[tuple[float, Buckets]]:
    """Return what came into a histogram over [since, until), in at most `most` bins, by minutes or hours."""
    ids = series_id(connection, source, series)
    if ids is None or until <= since:
        return []
    table, step = ("minute", 60) if until - since <= _MINUTE_SECONDS else ("hour", 3600)
    span = _span(ids[1], since, until, most, step)
    parts: dict[int, list[bytes]] = {}
    for place, content in connection.execute(_HISTOGRAMS.format(table=table), span).fetchall():
        parts.setdefault(place, []).append(content)
    return [
        (float(span["since"] + place * span["width"]), add(histograms(connection, each)))
        for place, each in sorted(parts.items())
    ]


def _span(series: int, since: float, until: float, most: int, step: int) -> dict[str, int]:
    first = int(since // step * step)
    width = max(math.ceil((until - first) / max(most, 1) / step) * step, step)
    return {"series": series, "since": first, "until": math.ceil(until), "width": width}


def _from_readings(
    connection: sqlite3.Connection, ids: tuple[int, int], since: float, until: float, most: int
) -> list[Bin]:
    """Bin the readings themselves; a poll without a row has the value of the one before."""
    span = {"source": ids[0], "series": ids[1], "since": since - _KEYFRAME, "until": until}
    width = max(math.ceil((until - since) / max(most, 1)), 1)
    by_bin: dict[int, list[float]] = {}
    value: float | None = None
    before: float | None = None
    for ts, read, is_read in connection.execute(_READINGS, span).fetchall():
        value = (read if isinstance(read, float) else None) if is_read else value
        if value is None:
            continue
        if ts >= since:
            place = int((ts - since) // width)
            by_bin.setdefault(place, [] if before is None else [before]).append(value)
        before = value
    found = []
    for place, path in sorted(by_bin.items()):
        own = path[1:] if len(path) > 1 else path
        growth, resets = counter_growth(path)
        low, mean, high = min(own), sum(own) / len(own), max(own)
        found.append(Bin(since + place * width, width, len(own), low, mean, high, growth, resets))
    return found
