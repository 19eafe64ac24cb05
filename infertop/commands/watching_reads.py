"""What the work of watching asks the ledger besides its minutes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence

from infertop.commands.watching_scope import MINUTE

_READ_MINUTES = 30


def runs(minutes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the first and last of minutes that follow each other, a bounded number at a time."""
    at = 0
    while at < len(minutes):
        end = at
        while end + 1 < len(minutes) and end - at < _READ_MINUTES - 1 and minutes[end + 1] == minutes[end] + MINUTE:
            end += 1
        yield minutes[at], minutes[end]
        at = end + 1


def first_minute(connection: sqlite3.Connection) -> int | None:
    """Return the start of the ledger's first minute, None where there is none."""
    found: int | None = connection.execute("SELECT min(start) FROM lines WHERE NOT open").fetchone()[0]
    return None if found is None else found // MINUTE * MINUTE


def first_covered(connection: sqlite3.Connection) -> int | None:
    """Return the first minute in which it was recorded, None where there is none."""
    found: int | None = connection.execute("SELECT min(minute) FROM coverage").fetchone()[0]
    return found


def used_by(connection: sqlite3.Connection, before: int) -> set[int]:
    """Return the accounts that had anything before a moment."""
    rows = connection.execute("SELECT DISTINCT account FROM lines WHERE start < ?", (before,)).fetchall()
    return {number for (number,) in rows}


def used_before(connection: sqlite3.Connection, numbers: Sequence[int], before: int) -> bool:
    """Say whether any of these accounts had anything before a moment."""
    marks = ",".join(map(str, numbers))
    query = f"SELECT EXISTS (SELECT 1 FROM lines WHERE start < ? AND account IN ({marks}))"
    return bool(connection.execute(query, (before,)).fetchone()[0])
