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
from infertop.history.sums import MINUTE
from infertop.money.lines import Line
from infertop.money.statement_lines import Before, PricedBefore
from infertop.readings.model import Statement

Say = Callable[[Statement, PricedBefore], Sequence[Line]]
"""Makes the lines of a statement; it can ask for the price that a line had before."""

Model = tuple[str, str | None]
"""A provider and its model: the lines of one depend on nothing that is said of another."""

_Key = tuple[int, int, int]
_Amounts = tuple[int, int | None]
_Rows = dict[_Key, _Amounts]


class Changes(NamedTuple):
    """Lines that are gone from the ledger, and those that are new in it."""

    gone: list[Entry]
    new: list[Entry]


def rebook(
    connection: sqlite3.Connection,
    accounts: Accounts,
    say: Say,
    touched: Touched,
    concerns: Callable[[Model], bool] = lambda _model: True,
) -> Changes:
    """Make the lines of the spans that were touched again, of models that it concerns, and return what that changed.

    The accounts of new lines wait to be written in the same transaction.
    """
    cells = Cells.read(connection)
    gone: list[Entry] = []
    new: list[Entry] = []
    for source, starts in touched.items():
        mine = {
            number: account
            for number, account in accounts.by_id.items()
            if _is_of(account, source) and concerns((account.provider, account.model))
        }
        for since, until in _spans(map(cells.of, starts)):
            before = _stored(connection, mine, since, until)
            priced = _priced(connection, accounts, mine, before)
            statements = (
                each
                for each in statements_between(connection, source, since, until)
                if concerns((each.provider, each.model))
            )
            after = _made(accounts, (line for each in statements for line in say(each, priced)), cells)
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


def _made(accounts: Accounts, lines: Iterable[Line], cells: Cells) -> _Rows:
    """Return lines as they are stored; those of one account and span are summed."""
    rows: _Rows = {}
    for line in lines:
        start, end, account, quantity, usd = accounts.entry(line)
        key = (*cells.fit(start, end), account)
        had, had_usd = rows.get(key, (0, None))
        rows[key] = (had + quantity, had_usd if usd is None else usd + (had_usd or 0))
    return rows


def _priced(
    connection: sqlite3.Connection, accounts: Accounts, mine: dict[int, Account], rows: Iterable[_Key]
) -> PricedBefore:
    """Return what tells the price that a line had, by the line that stood at its start."""
    narrow: dict[tuple[object, ...], Account] = {}
    wide: dict[tuple[object, ...], list[tuple[int, int, Account]]] = {}
    for start, until, number in sorted(rows, key=lambda row: (*row[:2], mine[row[2]].price or "")):
        account = mine[number]
        if until - start <= MINUTE:
            narrow.setdefault((start, *_identity(account)), account)
        else:
            wide.setdefault(_identity(account), []).append((start, until, account))

    def before(line: Line) -> Before | None:
        who = _identity(line)
        held = narrow.get((line.start // MINUTE * MINUTE, *who))
        if held is None:
            spans = wide.get(who, ())
            held = next((account for start, until, account in spans if start <= line.start < until), None)
        return Before(accounts.price(connection, held.price), held.flags) if held else None

    return before


def _identity(of: Account | Line) -> tuple[object, ...]:
    return of.source, of.provider, of.model, of.resource, of.dimensions
