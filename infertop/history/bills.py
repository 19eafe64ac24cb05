"""What providers' cost APIs said, by the provider's day: kept as said, and replaced by whatever is said later."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from infertop.history.catalog import plain
from infertop.history.statements import Touched
from infertop.readings.account import Bill, BillPage


class BillDay(NamedTuple):
    """A day that a source has bills for, in epoch seconds; it settles `settles_seconds` after its end."""

    source: str
    start: int
    until: int
    settles_seconds: int
    leaves_out: tuple[tuple[str, str], ...]

    @property
    def settles_at(self) -> int:
        """When its bills are taken for final, in epoch seconds."""
        return self.until + self.settles_seconds


def write_bills(connection: sqlite3.Connection, page: BillPage) -> None:
    """Store what a cost API said of a span; days of which it says nothing have no bill, and are not settled.

    Where it says the same as before, nothing is settled again.
    """
    who = plain(page.source)
    inside = (who, page.start, page.end)
    good = [each for each in page.bills if page.start <= each.start < each.end <= page.end]
    rows = [(who, each.start, each.end, json.dumps(_content(each))) for each in good]
    days = [
        (who, start, end, page.settles_seconds, json.dumps(page.leaves_out))
        for start, end in sorted({(each.start, each.end) for each in good})
    ]
    if _stands(connection, inside, rows, days):
        return
    connection.execute("DELETE FROM bills WHERE source = ? AND start >= ? AND until <= ?", inside)
    # A day that has no bill any more is settled again too: what adjusted it goes.
    connection.execute("UPDATE bill_days SET due = 1 WHERE source = ? AND start >= ? AND until <= ?", inside)
    connection.executemany("INSERT INTO bills VALUES (?,?,?,?)", rows)
    connection.executemany("INSERT OR REPLACE INTO bill_days VALUES (?,?,?,?,?,1)", days)


def _stands(
    connection: sqlite3.Connection,
    inside: tuple[str, int, int],
    rows: list[tuple[str, int, int, str]],
    days: list[tuple[str, int, int, int, str]],
) -> bool:
    """Say whether exactly this is stored for a span already."""
    where = "WHERE source = ? AND start >= ? AND until <= ?"
    before = connection.execute(f"SELECT source, start, until, content FROM bills {where}", inside).fetchall()
    if not rows or len(before) != len(rows) or sorted(before) != sorted(rows):
        return False
    known = connection.execute(f"SELECT source, start, until, settles, leaves_out FROM bill_days {where}", inside)
    return set(days) <= set(known.fetchall())


def mark_due(connection: sqlite3.Connection, touched: Touched) -> None:
    """Let the days be settled again in which statements are new or gone."""
    for source, starts in touched.items():
        if starts:
            connection.execute(
                "UPDATE bill_days SET due = 1 WHERE source = ? AND until > ? AND start <= ?",
                (plain(source), min(starts), max(starts)),
            )


def mark_all_due(connection: sqlite3.Connection) -> None:
    """Let every day be settled again: prices changed."""
    connection.execute("UPDATE bill_days SET due = 1")


def days_due(connection: sqlite3.Connection, now: float) -> list[BillDay]:
    """Return the days whose bills are final by `now` and not settled yet, and let them be so."""
    days = _days(connection.execute(f"{_DAYS} WHERE due AND until + settles <= ?", (now,)))
    put = [(each.source, each.start) for each in days]
    connection.executemany("UPDATE bill_days SET due = 0 WHERE source = ? AND start = ?", put)
    return days


def bill_days(connection: sqlite3.Connection, since: float, until: float) -> list[BillDay]:
    """Return the days that have bills and start in [since, until), oldest first."""
    found = _days(connection.execute(f"{_DAYS} WHERE start >= ? AND start < ? ORDER BY start, source", (since, until)))
    return [each for each in found if bills_of(connection, each)]


def bills_of(connection: sqlite3.Connection, day: BillDay) -> list[Bill]:
    """Return the bills of a day."""
    rows = connection.execute(
        "SELECT start, until, content FROM bills WHERE source = ? AND start >= ? AND until <= ? ORDER BY rowid",
        (plain(day.source), day.start, day.until),
    )
    return [Bill(start, end, **json.loads(content)) for start, end, content in rows.fetchall()]


_DAYS = "SELECT source, start, until, settles, leaves_out FROM bill_days"


def _days(rows: Iterable[tuple[str, int, int, int, str]]) -> list[BillDay]:
    return [
        BillDay(source, start, until, settles, tuple((name, value) for name, value in json.loads(leaves_out)))
        for source, start, until, settles, leaves_out in rows
    ]


def _content(bill: Bill) -> dict[str, object]:
    return {
        "provider": bill.provider,
        "model": bill.model,
        "resource": bill.resource,
        "dimensions": dict(bill.dimensions),
        "usd_nano": bill.usd_nano,
        "text": bill.text,
    }
