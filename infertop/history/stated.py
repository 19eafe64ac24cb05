"""Lines of the ledger that are made of statements: they are made again wherever their source says something else.

What stands in the ledger is at any time what the statements that stand give, also where lines are compacted.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from infertop.history.accounts import Account, Accounts, Entry
from infertop.history.compact import Cells
from infertop.history.connect import put
from infertop.history.statements import Touched, statements_between
from infertop.money.lines import Line
from infertop.money.statement_lines import Before, PricedBefore
from infertop.readings.model import Statement

Say = Callable[[Statement, PricedBefore], Sequence[Line]]
"""Makes the lines of a statement; it can ask for the price that a line had before."""

_Key = tuple[int, int, int]
_Amounts = tuple[int, int | None]
_Rows = dict[_Key, _Amounts]
_IDENTITY = ("source", "provider", "model", "resource", "dimensions")


class Changes(NamedTuple):
    """Lines that are gone from the ledger, and those that are new in it."""

    gone: list[Entry]
    new: list[Entry]


def rebook(connection: sqlite3.Connection, accounts: Accounts, say: Say, touched: Touched) -> Changes:
    """Make the lines of the spans that were touched again and return what that changed.

    The accounts of new lines wait to be written in the same transaction.
    """
    cells = Cells.read(connection)
    gone: list[Entry] = []
    new: list[Entry] = []
    for source, starts in touched.items():
        mine = {number: account for number, account in accounts.by_id.items() if _is_of(account, source)}
        for since, until in _spans(map(cells.of, starts)):
            before = _stored(connection, mine, since, until)
            priced = _priced(connection, accounts, mine, before)
            after = _made(connection, accounts, say, priced, cells, source, since, until)
            gone += [Entry(*key, *amounts) for key, amounts in before.items() if after.get(key) != amounts]
            new += [Entry(*key, *amounts) for key, amounts in after.items() if before.get(key) != amounts]
    put(connection, "DELETE FROM lines WHERE start = ? AND until = ? AND account = ?", [each[:3] for each in gone])
    put(connection, "INSERT INTO lines VALUES (?,?,?,?,?,0)", new)
    return Changes(gone, new)


def _is_of(account: Account, source: str) -> bool:
    return account.source == source and account.is_stated


def _spans(cells: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Join spans that touch or overlap, in order."""
    ordered = sorted(set(cells))
    at = 0
    while at < len(ordered):
        start, end = ordered[at]
        while at < len(ordered) and ordered[at][0] <= end:
            end = max(end, ordered[at][1])
            at += 1
        yield start, end


def _stored(connection: sqlite3.Connection, mine: Iterable[int], since: int, until: int) -> _Rows:
    rows = connection.execute(
        f"""SELECT start, until, account, quantity, usd_nano FROM lines
        WHERE start >= ? AND start < ? AND account IN ({",".join(map(str, mine))}) AND NOT open""",
        (since, until),
    )
    return {(start, end, account): (quantity, usd) for start, end, account, quantity, usd in rows.fetchall()}


def _made(
    connection: sqlite3.Connection,
    accounts: Accounts,
    say: Say,
    priced: PricedBefore,
    cells: Cells,
    source: str,
    since: int,
    until: int,
) -> _Rows:
    """Return the lines that the statements of a span give now."""
    rows: _Rows = {}
    for statement in statements_between(connection, source, since, until):
        for line in say(statement, priced):
            start, end, account, quantity, usd = accounts.entry(line)
            key = (*cells.fit(start, end), account)
            had, had_usd = rows.get(key, (0, None))
            rows[key] = (had + quantity, had_usd if usd is None else usd + (had_usd or 0))
    return rows


def _priced(
    connection: sqlite3.Connection, accounts: Accounts, mine: dict[int, Account], rows: Iterable[_Key]
) -> PricedBefore:
    """Return what tells the price that a line had, by the line that stood at its start."""
    found: dict[tuple[object, ...], list[tuple[int, int, Account]]] = {}
    for start, until, number in rows:
        account = mine[number]
        found.setdefault(_identity(account), []).append((start, until, account))
    for spans in found.values():
        spans.sort(key=lambda span: (-span[0], span[1], span[2].price or ""))

    def before(line: Line) -> Before | None:
        spans = found.get(_identity(line), ())
        held = next((account for start, until, account in spans if start <= line.start < until), None)
        return Before(accounts.price(connection, held.price), held.flags) if held else None

    return before


def _identity(of: Account | Line) -> tuple[object, ...]:
    return tuple(getattr(of, name) for name in _IDENTITY)
