"""Statements as rows: stored as said, and replaced by whatever the same source says later about the same span."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from infertop.history.bookmarks import write_bookmarks
from infertop.history.catalog import plain
from infertop.money.statement_lines import span_of
from infertop.readings.model import Batch, Covered, Statement

_COLUMNS = "source, key, start, until, content"
_KEYED = "FROM statements WHERE source = ? AND key = ?"

Touched = dict[str, set[float]]
"""Where each source's statements begin that were stored, replaced or dropped."""


class Page(NamedTuple):
    """What one poll stated, and the spans of which it told all; None: the one that each source's statements span."""

    source: str
    statements: tuple[Statement, ...]
    covered: tuple[Covered, ...] | None = None
    bookmarks: Mapping[str, str] = MappingProxyType({})

    @classmethod
    def of(cls, batch: Batch) -> Page:
        """Return what a batch states."""
        return cls(batch.source, batch.statements, batch.covered, batch.bookmarks)

    @property
    def says(self) -> bool:
        """Whether there is anything to store."""
        return bool(self.statements or self.covered or self.bookmarks)


def write_statements(connection: sqlite3.Connection, poll: int, page: Page) -> Touched:
    """Store a page of statements: it replaces all that its source said inside the spans that it covers.

    One without a usable time is left out, and one that a higher rank stands in the place of.
    Return where the statements begin that are new or gone: what the ledger makes of them is no longer right.
    """
    touched: Touched = {}
    write_bookmarks(connection, page.source, page.bookmarks)
    usable = [each for each in page.statements if span_of(each) is not None]
    for source in {each.source for each in usable} | ({page.source} if page.covered else set()):
        who, starts = plain(source), touched.setdefault(source, set())
        said = []
        for each in _foremost(each for each in usable if each.source == source):
            before = connection.execute(f"SELECT {_COLUMNS} {_KEYED}", (who, plain(each.key))).fetchone()
            if before is None or not each.rank or each.order() < statement_of(*before).order():
                starts.update((each.start,) if before is None else (each.start, before[2]))
                said.append(each)
        for span in _covered(said) if page.covered is None else page.covered:
            inside = "FROM statements WHERE source = ? AND start >= ? AND until <= ? AND substr(key, 1, ?) = ?"
            scope = plain(span.scope)
            gone = (who, span.start, span.end, len(scope), scope)
            starts.update(start for (start,) in connection.execute(f"SELECT start {inside}", gone).fetchall())
            connection.execute(f"DELETE {inside}", gone)
        connection.executemany("INSERT OR REPLACE INTO statements VALUES (?,?,?,?,?,?)", [_row(poll, s) for s in said])
    return touched


def _foremost(said: Iterable[Statement]) -> Iterable[Statement]:
    """Return, of those with one key, the one that stands."""
    kept: dict[str, Statement] = {}
    for each in said:
        before = kept.get(each.key)
        if before is None or not each.rank or each.order() < before.order():
            kept[each.key] = each
    return kept.values()


def _covered(said: Sequence[Statement]) -> list[Covered]:
    return [Covered(min(each.start for each in said), max(each.end for each in said))]


def statements_of(connection: sqlite3.Connection, poll: int) -> tuple[Statement, ...]:
    """Return the statements that came with a poll and still stand."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM statements WHERE poll = ? ORDER BY rowid", (poll,))
    return tuple(statement_of(*row) for row in rows.fetchall())


def statements_between(connection: sqlite3.Connection, source: str, since: float, until: float) -> Iterator[Statement]:
    """Iterate over what a source says of spans that start in [since, until)."""
    rows = connection.execute(
        f"SELECT {_COLUMNS} FROM statements WHERE source = ? AND start >= ? AND start < ? ORDER BY start, key",
        (plain(source), since, until),
    )
    return (statement_of(*row) for row in rows)


def statements_told(connection: sqlite3.Connection, since: float, until: float) -> Iterator[Statement]:
    """Iterate over what all sources say of spans that start in [since, until)."""
    sources = connection.execute("SELECT DISTINCT source FROM statements").fetchall()
    for (source,) in sources:
        yield from statements_between(connection, source, since, until)


def _row(poll: int, each: Statement) -> tuple[str, str, float, float, int, str]:
    return plain(each.source), plain(each.key), each.start, each.end, poll, _content(each)


def _content(each: Statement) -> str:
    content = {
        "provider": each.provider,
        "model": each.model,
        "dimensions": dict(each.dimensions),
        "quantities": dict(each.quantities),
        "requests": each.requests,
        "usd_nano": each.usd_nano,
        "basis": each.basis,
    }
    if each.rank:
        content["rank"] = each.rank
    return json.dumps(content)


def statement_of(source: str, key: str, start: float, until: float, content: str) -> Statement:
    """Return the statement that a row holds."""
    return Statement(source=source, key=key, start=start, end=until, **json.loads(content))
