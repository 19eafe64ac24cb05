"""Take what a history that cannot be written has into memory, so that what is measured now stands on top of it.

Of the ledger that is as much as the longest period of a budget needs, of the tape what a restart goes on from. The rest
stays where it is: reports read the file itself.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

from infertop.history.connect import readable

DAY = 86_400
LEDGER_SECONDS = 40 * DAY
TAPE_SECONDS = 1800  # the live window, behind a keyframe of every source

_WHOLE = (
    "sources", "series", "shapes", "bounds", "prices", "accounts", "meta", "inventory", "health", "names", "bookmarks",
    "bills", "bill_days", "watched", "wishes", "budget_levels", "outbox",
)  # fmt: skip
_SINCE = {
    "lines": "start >= :since",
    "coverage": "minute >= :since",
    "statements": "until >= :since",
    "events": "ts >= :since",
    "polls": "seq > :poll",
    "raw": "poll > :poll",
}
_FIRST_POLL = """
    SELECT max((SELECT seq FROM old.polls WHERE source = s.id AND ts < :tape ORDER BY ts DESC LIMIT 1))
    FROM old.sources s"""


def carry_over(connection: sqlite3.Connection, path: Path, ts: float) -> None:
    """Copy from the history at `path` into an empty one what counts at `ts`; raise sqlite3.Error where it cannot be."""
    connection.execute("ATTACH ? AS old", (readable(path),))
    try:
        connection.execute("BEGIN")
        last = connection.execute("SELECT max(ts) FROM old.polls").fetchone()[0] or 0
        asked = {"since": int(ts - LEDGER_SECONDS), "tape": last - TAPE_SECONDS * 1000}
        asked["poll"] = connection.execute(_FIRST_POLL, asked).fetchone()[0] or 0
        kept = {name for (name,) in connection.execute("SELECT name FROM old.sqlite_master WHERE type = 'table'")}
        for table in (*_WHOLE, *_SINCE):
            if table in kept:  # an older history lacks the newer ones
                where = _SINCE.get(table, "1")
                connection.execute(f"INSERT INTO main.{table} SELECT * FROM old.{table} WHERE {where}", asked)
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute("DETACH old")
