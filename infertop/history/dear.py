"""Single requests: statements of one request each, as they come, with what each cost."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from infertop.history.statements import statement_of
from infertop.money.lines import NANO
from infertop.money.price_history import PriceHistory
from infertop.money.statement_lines import statement_lines
from infertop.readings.model import Statement

_MOST = 5000
_ONE = '%"requests": 1,%'


class Request(NamedTuple):
    """One request, what it cost in USD, and what it was to cost at most."""

    statement: Statement
    usd: float
    limit_usd: float

    @property
    def key(self) -> str:
        """What tells it from every other."""
        return f"{self.statement.source} {self.statement.key}"


def newest_poll(connection: sqlite3.Connection) -> int:
    """Return the number of the last poll that stated anything, 0 for none."""
    found: int = connection.execute("SELECT coalesce(max(poll), 0) FROM statements").fetchone()[0]
    return found


def dear_requests(
    connection: sqlite3.Connection, after: int, since: float, prices: PriceHistory, usd: float
) -> tuple[list[Request], int]:
    """Return the requests dearer than `usd` that came with polls behind `after`, and the last poll that was looked at.

    Those that began before `since` (epoch seconds) are left out, and what has no price.
    """
    last = min(newest_poll(connection), _upto(connection, after))
    found = []
    for each in _told(connection, after, last, since):
        if each.requests == 1:
            lines = statement_lines(each, prices)
            cost = sum(line.usd_nano or 0 for line in lines) / NANO
            if cost > usd:
                found.append(Request(each, cost, usd))
    return found, last


def _upto(connection: sqlite3.Connection, after: int) -> int:
    """Return the poll with which a bounded number of statements is looked at."""
    query = "SELECT poll FROM statements WHERE poll > ? ORDER BY poll LIMIT 1 OFFSET ?"
    row = connection.execute(query, (after, _MOST)).fetchone()
    return int(row[0]) if row else newest_poll(connection)


def _told(connection: sqlite3.Connection, after: int, upto: int, since: float) -> Iterator[Statement]:
    rows = connection.execute(
        """SELECT source, key, start, until, content FROM statements
        WHERE poll > ? AND poll <= ? AND start >= ? AND content LIKE ? ORDER BY start, source, key""",
        (after, upto, since, _ONE),
    )
    return (statement_of(*row) for row in rows.fetchall())
