"""Statements as rows: stored as said, and replaced by whatever the same source says later about the same span."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from infertop.history.catalog import plain
from infertop.readings.model import Statement

_COLUMNS = "source, key, start, until, content"


def write_statements(connection: sqlite3.Connection, poll: int, statements: Sequence[Statement]) -> None:
    """Store a page of statements: it replaces all that its source said inside the span that it covers."""
    for source in {each.source for each in statements}:
        page = [each for each in statements if each.source == source]
        span = (min(each.start for each in page), max(each.end for each in page))
        connection.execute(
            "DELETE FROM statements WHERE source = ? AND start >= ? AND until <= ?", (plain(source), *span)
        )
        connection.executemany("INSERT OR REPLACE INTO statements VALUES (?,?,?,?,?,?)", [_row(poll, s) for s in page])


def statements_of(connection: sqlite3.Connection, poll: int) -> tuple[Statement, ...]:
    """Return the statements that came with a poll and still stand."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM statements WHERE poll = ? ORDER BY rowid", (poll,))
    return tuple(_statement(*row) for row in rows.fetchall())


def _row(poll: int, each: Statement) -> tuple[str, str, float, float, int, str]:
    content = {
        "provider": each.provider,
        "model": each.model,
        "dimensions": dict(each.dimensions),
        "quantities": dict(each.quantities),
        "requests": each.requests,
        "usd_nano": each.usd_nano,
        "basis": each.basis,
    }
    return plain(each.source), plain(each.key), each.start, each.end, poll, json.dumps(content)


def _statement(source: str, key: str, start: float, until: float, content: str) -> Statement:
    return Statement(source=source, key=key, start=start, end=until, **json.loads(content))
