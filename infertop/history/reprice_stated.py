"""Price the lines of statements again whose price is another one now.

Where a unit costs a whole number of 1e-9 USD, before and then, nothing is rounded, and SQL does it at once. The others
are made of their statements again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from infertop.history.accounts import MOST, Account, Accounts
from infertop.history.stated import Model, Say, rebook
from infertop.history.statements import Touched
from infertop.money.lines import Price
from infertop.money.restating import Restating
from infertop.money.unit_cost import nano_per_unit

_SPANS = """
    SELECT account, min(start), max(until), max(abs(quantity)) FROM lines
    WHERE NOT open AND account IN ({}) GROUP BY account"""
_TABLES = (
    "CREATE TEMP TABLE IF NOT EXISTS whole (account INTEGER, start REAL, end REAL, new INTEGER, nano INTEGER)",
    "CREATE TEMP TABLE IF NOT EXISTS anew (account INTEGER, start REAL, end REAL)",
    """CREATE TEMP TABLE IF NOT EXISTS restated (
        start INTEGER, until INTEGER, account INTEGER, new INTEGER, nano INTEGER)""",
)
_FIND = """
    INSERT INTO restated SELECT l.start, l.until, l.account, w.new, w.nano
    FROM lines l JOIN whole w ON w.account = l.account AND l.start >= w.start AND l.start < w.end AND l.until <= w.end
    WHERE NOT l.open"""
_ADD = """
    INSERT INTO lines SELECT r.start, r.until, r.new, l.quantity, l.quantity * r.nano, 0
    FROM restated r JOIN lines l ON l.start = r.start AND l.until = r.until AND l.account = r.account WHERE true
    ON CONFLICT (start, until, account) DO UPDATE SET
        quantity = lines.quantity + excluded.quantity, usd_nano = lines.usd_nano + excluded.usd_nano"""
_REMOVE = "DELETE FROM lines WHERE (start, until, account) IN (SELECT start, until, account FROM restated)"
_LEFT = """
    SELECT DISTINCT l.account, l.start FROM lines l
    JOIN anew a ON a.account = l.account AND l.start >= a.start AND l.start < a.end WHERE NOT l.open"""


class _Asked(NamedTuple):
    number: int
    account: Account
    price: Price | None
    start: int
    until: int
    most: int


def reprice_stated(connection: sqlite3.Connection, accounts: Accounts, say: Say, restating: Restating) -> None:
    """Price the lines again that have another price now."""
    whole: list[tuple[int, float, float, int, int | None]] = []
    anew: list[tuple[int, float, float]] = []
    for each in _asked(connection, accounts, restating):
        for start, end, line in restating.differing(each.account, each.price, each.start, each.until):
            anew.append((each.number, start, end))
            nano = _whole(line.price)
            if nano is not None and _whole(each.price) is not None and each.most * max(nano, 1) < MOST:
                whole.append((each.number, start, end, accounts.entry(line).account, nano if line.price else None))
    if not anew:
        return
    _fill(connection, whole, anew)
    connection.execute(_FIND)
    connection.execute(_ADD)
    connection.execute(_REMOVE)
    touched: Touched = {}
    models: set[Model] = set()
    for number, start in connection.execute(_LEFT).fetchall():
        account = accounts.by_id[number]
        touched.setdefault(account.source, set()).add(start)
        models.add((account.provider, account.model))
    rebook(connection, accounts, say, touched, models.__contains__)
    accounts.write(connection)


def _asked(connection: sqlite3.Connection, accounts: Accounts, restating: Restating) -> Iterable[_Asked]:
    priced = {
        number: (account, accounts.price(connection, account.price))
        for number, account in list(accounts.by_id.items())
        if account.is_stated and not account.is_paid
    }
    asked = {number: each for number, each in priced.items() if restating.may_differ(*each)}
    if not asked:
        return ()
    rows = connection.execute(_SPANS.format(",".join(map(str, asked)))).fetchall()
    return [_Asked(number, *asked[number], *span) for number, *span in rows]


def _whole(price: Price | None) -> int | None:
    """Return what a unit costs in 1e-9 USD where that is a whole number; what has no price costs nothing yet."""
    nano = nano_per_unit(price) if price else 0
    return int(nano) if nano == int(nano) else None


def _fill(
    connection: sqlite3.Connection,
    whole: list[tuple[int, float, float, int, int | None]],
    anew: list[tuple[int, float, float]],
) -> None:
    for table in _TABLES:
        connection.execute(table)
    for name in ("whole", "anew"):
        connection.execute(f"CREATE INDEX IF NOT EXISTS temp.{name}_of ON {name} (account, start)")
    for name in ("whole", "anew", "restated"):
        connection.execute(f"DELETE FROM temp.{name}")
    connection.executemany("INSERT INTO temp.whole VALUES (?,?,?,?,?)", whole)
    connection.executemany("INSERT INTO temp.anew VALUES (?,?,?)", anew)
