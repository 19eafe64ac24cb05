"""What of the time before it was recorded is read back, source by source: noted in the transaction that counts it.

A source that another one tells of (a target of a Prometheus) has a past there. A span of it is given to the reading
back when the source is first read, or is read again after a gap: from then on it is no part of what the polls add.
Lines of such a span, and how much of it is left, are stored together, so that nothing of it is ever counted twice.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from infertop.history.connect import put
from infertop.history.meta import read_meta, write_meta
from infertop.history.tape import Tape
from infertop.money.lines import Line
from infertop.readings.model import Batch

_KEY = "recalls"
_KEEP_COVERAGE = """
    INSERT INTO coverage VALUES (?,?) ON CONFLICT (minute) DO UPDATE SET ms = max(ms, excluded.ms)"""


class Span(NamedTuple):
    """A span of a source's past that is not read back yet, in epoch seconds; `until` is the time of a poll."""

    source: str
    since: float
    until: float


@dataclass(frozen=True, slots=True)
class Recalled:
    """What was read back: final lines, recorded milliseconds by minute, and up to where each span is still open.

    `left` maps each span to where it ends now; one of no length is over.
    """

    lines: Sequence[Line] = ()
    covered_ms: Mapping[int, int] = field(default_factory=dict)
    left: Mapping[Span, float] = field(default_factory=dict)


class Recalls:
    """The spans that are open, and the polls with which each source's counters begin anew after one."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        noted = _read(connection)
        self._spans: dict[str, list[list[float]]] = noted["spans"]
        self._begins: dict[str, float] = noted["begins"]
        self._seen: set[str] = set(noted["seen"])
        self._covered: dict[int, int] = {}
        self._news = False

    def begins(self, batch: Batch) -> bool:
        """Say whether what was between the source's last poll and this one is read back, and is not this one's."""
        return self._begins.get(batch.source) == batch.ts

    def open(self, span: Span, *, gap: bool) -> None:
        """Give a span to the reading back; with `gap` the poll at its end is the first of its source again."""
        # One that overlaps is of a session that ended before it had recorded anything.
        spans = [each for each in self._spans.get(span.source, []) if not overlaps(Span(span.source, *each), span)]
        self._spans[span.source] = [*spans, [span.since, span.until]]
        self._seen.add(span.source)
        if gap:
            self._begins[span.source] = span.until
        self._news = True

    def take(self, recalled: Recalled) -> None:
        """Take what was read back."""
        for span, until in recalled.left.items():
            spans = self._spans.get(span.source, [])
            if [span.since, span.until] in spans:
                spans.remove([span.since, span.until])
                if until > span.since:
                    spans.append([span.since, until])
            if not spans:
                self._spans.pop(span.source, None)
        for minute, ms in recalled.covered_ms.items():
            self._covered[minute] = max(ms, self._covered.get(minute, 0))
        self._news = True

    def is_open(self, spans: Iterable[Span]) -> bool:
        """Say whether all of these spans are still open as they are."""
        return all([each.since, each.until] in self._spans.get(each.source, []) for each in spans)

    def write(self, connection: sqlite3.Connection) -> None:
        """Store what changed."""
        if self._news:
            noted = {"spans": self._spans, "begins": self._begins, "seen": sorted(self._seen)}
            write_meta(connection, _KEY, json.dumps(noted))
            put(connection, _KEEP_COVERAGE, self._covered.items())

    def written(self) -> None:
        """Forget what waited."""
        self._news = False
        self._covered = {}

    def restart(self) -> None:
        """Begin again in another database."""
        self._news = True


def overlaps(one: Span, other: Span) -> bool:
    """Say whether two spans of a source have a time in common."""
    return one.since < other.until and other.since < one.until


class Known(NamedTuple):
    """What the history has of a source: its first line or poll, its last poll, and whether its past was asked for."""

    first: float
    last: float
    seen: bool


def open_spans(connection: sqlite3.Connection) -> list[Span]:
    """Return all spans that are not read back yet."""
    return [Span(name, since, until) for name, spans in _read(connection)["spans"].items() for since, until in spans]


def known_sources(connection: sqlite3.Connection) -> dict[str, Known]:
    """Return what is known of each source that the tape still has."""
    seen = set(_read(connection)["seen"])
    lines = dict(
        connection.execute(
            """SELECT source, min((SELECT min(start) FROM lines WHERE account = a.id)) FROM accounts a
            WHERE source IN (SELECT name FROM sources) GROUP BY source"""
        ).fetchall()
    )
    rows = connection.execute(
        """SELECT name, (SELECT min(ts) FROM polls WHERE source = s.id), (SELECT max(ts) FROM polls WHERE source = s.id)
        FROM sources s"""
    ).fetchall()
    return {
        name: Known(min(first / 1000, lines.get(name) or first / 1000), last / 1000, name in seen)
        for name, first, last in rows
        if first is not None
    }


def poll_at(connection: sqlite3.Connection, source: str, ts: float) -> Batch | None:
    """Return the poll of a source at exactly this time, None where the tape has it no more."""
    row = connection.execute(
        "SELECT seq FROM polls WHERE source = (SELECT id FROM sources WHERE name = ?) AND ts = ? ORDER BY seq LIMIT 1",
        (source, round(ts * 1000)),
    ).fetchone()
    if row is None:
        return None
    read = next(Tape(connection).polls(row[0] - 1), None)
    return read.batch if read is not None and read.seq == row[0] else None


def _read(connection: sqlite3.Connection) -> dict[str, Any]:
    noted: dict[str, Any] = json.loads(read_meta(connection, _KEY, "{}"))
    return {"spans": {}, "begins": {}, "seen": []} | noted
