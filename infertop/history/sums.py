"""Sums of the ledger in SQL, and the one rule for lines that reach over the edge of a span.

Lines that start inside a span count; a line wider than a minute that lies astride an edge counts with its share. The
shares of neighbouring spans sum to the line, to the last unit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from typing import NamedTuple

from infertop.history.accounts import Entry

MINUTE = 60


class Sum(NamedTuple):
    """What an account has in a span; `prorated` says that a line astride an edge is in it."""

    quantity: int
    usd_nano: int | None
    prorated: bool = False

    def plus(self, quantity: int, usd_nano: int | None, prorated: bool = False) -> Sum:
        """Add a line of the same account."""
        usd = self.usd_nano if usd_nano is None else usd_nano + (self.usd_nano or 0)
        return Sum(self.quantity + quantity, usd, self.prorated or prorated)


Sums = dict[int, Sum]

_INSIDE = """
    SELECT account, sum(quantity), sum(usd_nano) FROM lines
    WHERE start >= :since AND start < :until AND (until - start <= 60 OR until <= :until) AND open <= :open
    GROUP BY account"""
_ASTRIDE = """
    SELECT start, until, account, quantity, usd_nano FROM lines INDEXED BY lines_wide
    WHERE until - start > 60 AND until > :since AND start < :until AND (start < :since OR until > :until)
        AND open <= :open"""
_ENTRIES = """
    SELECT start, until, account, quantity, usd_nano FROM lines WHERE start >= ? AND start < ? AND open <= ?"""
_ENDED = """
    SELECT start, until, account, quantity, usd_nano FROM lines
        WHERE start >= :least AND until > :after AND until <= :upto AND NOT open
    UNION ALL SELECT start, until, account, quantity, usd_nano FROM lines INDEXED BY lines_wide
        WHERE until - start > 60 AND until > :after AND until <= :upto AND start < :least AND NOT open"""


def account_sums(connection: sqlite3.Connection, since: float, until: float, *, open_too: bool = True) -> Sums:
    """Return what each account has in [since, until)."""
    span = {"since": since, "until": until, "open": int(open_too)}
    rows = connection.execute(_INSIDE, span).fetchall()
    found: Sums = {account: Sum(quantity, usd) for account, quantity, usd in rows}
    astride = connection.execute(_ASTRIDE, span).fetchall()
    add_entries(found, (Entry(*row) for row in astride), since, until)
    return found


def add_entries(sums: Sums, entries: Iterable[Entry], since: float, until: float, sign: int = 1) -> None:
    """Add lines to sums, each with its share of [since, until); with a `sign` of -1 they are taken away."""
    for entry in entries:
        share = share_of(entry, since, until)
        if share is not None:
            quantity, usd, prorated = share
            before = sums.get(entry.account, Sum(0, None))
            sums[entry.account] = before.plus(sign * quantity, None if usd is None else sign * usd, prorated)


def share_of(entry: Entry, since: float, until: float) -> tuple[int, int | None, bool] | None:
    """Return quantity and cost of a line that fall in [since, until), and whether it was divided; None: nothing."""
    start, end, _, quantity, usd = entry
    if end - start <= MINUTE or (start >= since and end <= until):
        return (quantity, usd, False) if since <= start < until else None
    low, high = max(start, since), min(end, until)
    if low >= high:
        return None
    width, before, upto = (round(each * 1000) for each in (end - start, low - start, high - start))
    return (
        quantity * upto // width - quantity * before // width,
        None if usd is None else usd * upto // width - usd * before // width,
        True,
    )


def accounts_since(connection: sqlite3.Connection, since: float, accounts: Collection[int]) -> set[int]:
    """Return which of these accounts have closed lines that reach behind `since`."""
    if not accounts:
        return set()
    rows = connection.execute(
        f"""SELECT DISTINCT account FROM lines
        WHERE until > ? AND account IN ({",".join(map(str, accounts))}) AND NOT open""",
        (since,),
    )
    return {account for (account,) in rows.fetchall()}


def entries_between(
    connection: sqlite3.Connection, since: float, until: float, *, open_too: bool = True
) -> list[Entry]:
    """Return the lines that start in [since, until), in order of time."""
    return [Entry(*row) for row in connection.execute(_ENTRIES, (since, until, int(open_too))).fetchall()]


def open_entries(connection: sqlite3.Connection) -> list[Entry]:
    """Return the lines of minutes that are not closed."""
    rows = connection.execute("SELECT start, until, account, quantity, usd_nano FROM lines WHERE open").fetchall()
    return [Entry(*row) for row in rows]


def entries_ended(connection: sqlite3.Connection, after: int, upto: int) -> list[Entry]:
    """Return the closed lines that ended behind `after` and no later than `upto`."""
    span = {"least": after - MINUTE, "after": after, "upto": upto}
    return [Entry(*row) for row in connection.execute(_ENDED, span).fetchall()]


def coverage_ms(connection: sqlite3.Connection, since: float, until: float) -> int:
    """Return how many milliseconds of [since, until) were recorded, by whole minutes."""
    found: int = connection.execute(
        "SELECT coalesce(sum(ms), 0) FROM coverage WHERE minute >= ? AND minute < ?", (since, until)
    ).fetchone()[0]
    return found
