"""Price lines again after pricing.toml was edited: amounts of money change, quantities never."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby, pairwise
from typing import Protocol

from infertop.history.accounts import Account, Accounts, Entry, read_price
from infertop.history.ledger import INSERT_CLOSED
from infertop.history.reprice_even import reprice_even
from infertop.history.sums import MINUTE
from infertop.money.lines import Basis, Line, Price
from infertop.money.repricing import Even

_CHUNK_SECONDS = 6 * 3600


class Repricing(Protocol):
    """What costs something else now."""

    def concerns(self, resource: str) -> bool:
        """Say whether lines of this resource are needed to price those of the same span."""
        ...

    def edges(self) -> Sequence[float]:
        """Return the times between which `outdated` gives one answer, in order."""
        ...

    def outdated(self, resource: str, dimensions: tuple[tuple[str, str], ...], price: Price | None, ts: float) -> bool:
        """Say whether lines like this at a time may have another price now."""
        ...

    def even(self, lines: Mapping[int, Line]) -> Iterable[Sequence[Even]]:
        """Return bundles of what can be priced again by its quantities alone.

        `lines` has one as an example for each account.
        """
        ...

    def lines(self, lines: Sequence[Line]) -> Sequence[Line]:
        """Return the lines of one span as they cost now, with the same quantities."""
        ...


_Priced = Mapping[int, tuple[Account, Price | None]]


def reprice(connection: sqlite3.Connection, accounts: Accounts, repricing: Repricing) -> int:
    """Price the closed lines again and return how many were changed.

    A part of a day is done at a time, so that a long ledger fits in memory; the caller's transaction holds it together.
    """
    priced = {
        number: (account, read_price(connection, account.price) if account.price else None)
        for number, account in accounts.by_id.items()
        if account.basis != Basis.BILLED and repricing.concerns(account.resource)
    }
    changed = 0
    for start, end in _spans(connection, repricing.edges()):
        outdated = [
            number
            for number, (account, price) in priced.items()
            if repricing.outdated(account.resource, account.dimensions, price, start)
        ]
        if outdated:
            most = _most(connection, priced, start, end)
            there = {number: _line(priced, Entry(int(start), int(start) + MINUTE, number, 0, None)) for number in most}
            changed += reprice_even(connection, accounts, repricing.even(there), most, start, end)
        for first, last in _chunks(connection, outdated, start, end):
            changed += _reprice_chunk(connection, accounts, repricing, priced, outdated, first, last)
    return changed


def _most(connection: sqlite3.Connection, numbers: Iterable[int], since: float, until: float) -> dict[int, int]:
    """Return the largest quantity of each of the accounts that have lines in the span; negative ones are too large."""
    rows = connection.execute(
        f"""SELECT account, iif(min(quantity) < 0, 1 << 62, max(quantity)) FROM lines
        WHERE start >= ? AND start < ? AND NOT open AND account IN ({_list(numbers)}) GROUP BY account""",
        (since, until),
    )
    return dict(rows.fetchall())


def _spans(connection: sqlite3.Connection, edges: Sequence[float]) -> Iterator[tuple[float, float]]:
    """Yield the spans between the edges in which there are lines."""
    bounds = "SELECT (SELECT min(start) FROM lines), (SELECT max(start) FROM lines)"
    first, last = connection.execute(bounds).fetchone()
    if first is None:
        return
    ends = [edge for edge in edges if edge > first]
    yield from (span for span in pairwise([first, *ends, float("inf")]) if span[0] <= last)


def _chunks(
    connection: sqlite3.Connection, outdated: Sequence[int], since: float, until: float
) -> Iterator[tuple[float, float]]:
    """Yield spans that hold all lines of these accounts."""
    if not outdated:
        return
    query = f"""SELECT min(start), max(start) FROM lines
        WHERE start >= ? AND start < ? AND NOT open AND account IN ({_list(outdated)})"""
    first, last = connection.execute(query, (since, until)).fetchone()
    while first is not None and first <= last:
        yield first, min(first + _CHUNK_SECONDS, until)
        first += _CHUNK_SECONDS


def _reprice_chunk(
    connection: sqlite3.Connection,
    accounts: Accounts,
    repricing: Repricing,
    priced: _Priced,
    outdated: Sequence[int],
    start: float,
    end: float,
) -> int:
    rows = connection.execute(
        f"""SELECT start, until, account, quantity, usd_nano FROM lines
        WHERE start >= :start AND start < :end AND NOT open AND account IN ({_list(priced)}) AND start IN (
            SELECT start FROM lines
            WHERE start >= :start AND start < :end AND NOT open AND account IN ({_list(outdated)}))
        ORDER BY start, until""",
        {"start": start, "end": end},
    ).fetchall()
    gone: dict[Line, int] = {}
    added: list[Line] = []
    for _, span in groupby(rows, key=lambda row: (row[0], row[1])):
        before = {_line(priced, Entry(*row)): row[2] for row in span}
        after = repricing.lines(list(before))
        kept = before.keys() & set(after)
        gone |= {line: number for line, number in before.items() if line not in kept}
        added += [line for line in after if line not in kept]
    if sum(line.quantity for line in gone) != sum(line.quantity for line in added):
        raise ValueError("pricing again has changed a quantity")
    keys = [(line.start, line.end, number) for line, number in gone.items()]
    entries = [accounts.entry(line) for line in added]
    accounts.write(connection)
    connection.executemany("DELETE FROM lines WHERE start = ? AND until = ? AND account = ?", keys)
    connection.executemany(INSERT_CLOSED, entries)
    return len(gone)


def _list(numbers: Iterable[int]) -> str:
    return ",".join(map(str, numbers))


def _line(priced: _Priced, entry: Entry) -> Line:
    account, price = priced[entry.account]
    return account.line(entry, price)
