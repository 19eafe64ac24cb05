"""Statements as rows: stored as said, and replaced by whatever the same source says later about the same span."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence

from infertop.history.catalog import plain
from infertop.money.statement_lines import span_of
from infertop.readings.model import Statement

_COLUMNS = "source, key, start, until, content"

Touched = dict[str, set[float]]
"""Where each source's statements begin that were stored, replaced or dropped."""


def write_statements(connection: sqlite3.Connection, poll: int, statements: Sequence[Statement]) -> Touched:
    """Store a page of statements: it replaces all that its source said inside the span that it covers.

    One without a usable time is left out.
    Return where the statements begin that are new or gone: what the ledger makes of them is no longer right.
    """
    touched: Touched = {}
    statements = [each for each in statements if span_of(each) is not None]
    for source in {each.source for each in statements}:
        page = [each for each in statements if each.source == source]
        who, span = plain(source), (min(each.start for each in page), max(each.end for each in page))
        starts = touched.setdefault(source, set())
        starts.update(each.start for each in page)
        for each in page:
            moved = "SELECT start FROM statements WHERE source = ? AND key = ?"
            starts.update(start for (start,) in connection.execute(moved, (who, plain(each.key))))
        inside = "FROM statements WHERE source = ? AND start >= ? AND until <= ?"
        starts.update(start for (start,) in connection.execute(f"SELECT start {inside}", (who, *span)).fetchall())
        connection.execute(f"DELETE {inside}", (who, *span))
        connection.executemany("INSERT OR REPLACE INTO statements VALUES (?,?,?,?,?,?)", [_row(poll, s) for s in page])
    return touched


def statements_of(connection: sqlite3.Connection, poll: int) -> tuple[Statement, ...]:
    """Return the statements that came with a poll and still stand."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM statements WHERE poll = ? ORDER BY rowid", (poll,))
    return tuple(_statement(*row) for row in rows.fetchall())


def statements_between(connection: sqlite3.Connection, source: str, since: float, until: float) -> Iterator[Statement]:
    """Iterate over what a source says of spans that start in [since, until)."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM statements WHERE source = ? AND start >= ? AND start < ? ORDER BY start, key",
        (plain(source), since, until),
    )
    return (_statement(*row) for row in rows)


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
