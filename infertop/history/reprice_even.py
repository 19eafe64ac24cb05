"""Price many lines again at once, in SQL: where all that is rounded together has one new price.

It gives what `costed` gives: the exact cost of a group is rounded once, half to even, and divided among its lines by
largest remainder, ties going to the first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence

from infertop.history.accounts import Accounts
from infertop.money.repricing import Even
from infertop.money.unit_cost import nano_per_unit

_MOST = 1 << 62  # SQLite's integers end at 2^63
_TABLES = (
    """CREATE TEMP TABLE IF NOT EXISTS moves (
        account INTEGER PRIMARY KEY, new INTEGER, grp INTEGER, place INTEGER, num INTEGER, den INTEGER)""",
    """CREATE TEMP TABLE IF NOT EXISTS stuck (
        start INTEGER, until INTEGER, grp INTEGER, PRIMARY KEY (start, until, grp))""",
    """CREATE TEMP TABLE IF NOT EXISTS moved (
        start INTEGER, until INTEGER, account INTEGER, quantity INTEGER, usd_nano INTEGER)""",
)
_SPAN = "l.start >= :start AND l.start < :end AND l.until <= :end AND NOT l.open"
_STUCK = f"""
    INSERT OR IGNORE INTO stuck SELECT l.start, l.until, m.grp FROM lines l JOIN moves m ON m.account = l.account
    WHERE {_SPAN} AND m.new IS NULL"""
_MOVING = f"""
    FROM lines l JOIN moves m ON m.account = l.account WHERE {_SPAN} AND m.new IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM stuck s WHERE s.start = l.start AND s.until = l.until AND s.grp = m.grp)"""
_PRICE = f"""
    INSERT INTO moved
    WITH summed AS (
        SELECT l.start AS start, l.until AS until, m.new AS new, m.grp AS grp, min(m.place) AS place, m.num AS num,
            m.den AS den, sum(l.quantity) AS quantity {_MOVING} GROUP BY l.start, l.until, m.grp, m.new),
    whole AS (
        SELECT *, sum(quantity) OVER (PARTITION BY start, until, grp) AS units FROM summed),
    costing AS (
        SELECT *, units * num / den + (2 * (units * num % den) > den
            OR (2 * (units * num % den) = den AND units * num / den % 2)) AS cost FROM whole),
    divided AS (
        SELECT *, iif(units, cost * quantity / units, 0) AS down, iif(units, cost * quantity % units, 0) AS rest
        FROM costing),
    ranked AS (
        SELECT *, cost - sum(down) OVER (PARTITION BY start, until, grp) AS missing,
            row_number() OVER (PARTITION BY start, until, grp ORDER BY rest DESC, place) AS nth FROM divided)
    SELECT start, until, new, quantity, down + (nth <= missing) FROM ranked"""
_DELETE = f"""
    DELETE FROM lines WHERE (start, until, account) IN (SELECT l.start, l.until, l.account {_MOVING})"""
_DELETE_ALL = """
    DELETE FROM lines WHERE start >= :start AND start < :end AND until <= :end AND NOT open
        AND account IN (SELECT account FROM moves)"""
_INSERT = """
    INSERT INTO lines SELECT start, until, account, quantity, usd_nano, 0 FROM moved ORDER BY start, until, account"""


def reprice_even(
    connection: sqlite3.Connection,
    accounts: Accounts,
    bundles: Iterable[Sequence[Even]],
    most: Mapping[int, int],
    start: float,
    end: float,
) -> int:
    """Price lines within [start, end) again, as far as their group is whole, and return how many were changed.

    What is in one bundle hangs together: it is done all or not at all.
    `most` is the largest quantity of each account. What does not fit 64 bits is left as it is.
    """
    groups = [each for bundle in bundles if all(_fits(each, most) for each in bundle) for each in bundle]
    moves = [row for number, each in enumerate(groups) for row in _moves(accounts, number, each)]
    if not moves:
        return 0
    for table in _TABLES:
        connection.execute(table)
    for name in ("moves", "stuck", "moved"):
        connection.execute(f"DELETE FROM temp.{name}")
    connection.executemany("INSERT INTO temp.moves VALUES (?,?,?,?,?,?)", moves)
    span = {"start": start, "end": end}
    some_stay = any(row[1] is None for row in moves)
    if some_stay:
        connection.execute(_STUCK, span)
    connection.execute(_PRICE, span)
    changed = connection.execute(_DELETE if some_stay else _DELETE_ALL, span).rowcount
    connection.execute(_INSERT)
    accounts.write(connection)
    return changed


def _fits(group: Even, most: Mapping[int, int]) -> bool:
    if any(number not in most for number in group.moved):
        return False
    if group.price is None:
        return True
    units = sum(most[number] for number in group.moved)
    per_unit = nano_per_unit(group.price)
    cost = units * per_unit.numerator // per_unit.denominator + 1
    return max(2 * units * per_unit.numerator, cost * units) < _MOST


def _moves(accounts: Accounts, number: int, group: Even) -> Iterator[tuple[int, int | None, int, int, int | None, int]]:
    num, den = nano_per_unit(group.price).as_integer_ratio() if group.price else (None, 1)
    for place, (account, line) in enumerate(group.moved.items()):
        yield account, accounts.entry(line).account, number, place, num, den
    for account in group.stays:
        yield account, None, number, 0, num, den
