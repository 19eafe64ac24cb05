"""What is known of watched figures, as rows: written in the recorder's transaction, read at the start."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from infertop.history.catalog import plain
from infertop.history.connect import put


class Known(NamedTuple):
    """What is known under a key as of the end of the minute `until`; without content the row is gone."""

    key: str
    until: int
    content: str


class Wish(NamedTuple):
    """The state that somebody wants an incident to have."""

    key: str
    state: str
    ts: float


def read_watched(connection: sqlite3.Connection) -> list[Known]:
    """Return all that is known, by key; nothing from a database of an older version."""
    try:
        rows = connection.execute("SELECT key, until, content FROM watched ORDER BY key").fetchall()
    except sqlite3.OperationalError:
        return []
    return [Known(*row) for row in rows]


def write_watched(connection: sqlite3.Connection, known: Mapping[str, Known]) -> None:
    """Store what waits."""
    rows = [(plain(each.key), each.until, each.content) for each in known.values() if each.content]
    gone = [(plain(each.key),) for each in known.values() if not each.content]
    put(connection, "INSERT OR REPLACE INTO watched VALUES (?,?,?)", rows)
    put(connection, "DELETE FROM watched WHERE key = ?", gone)


def read_wishes(connection: sqlite3.Connection) -> tuple[Wish, ...]:
    """Return what viewers wish."""
    return tuple(Wish(*row) for row in connection.execute("SELECT key, state, ts FROM wishes ORDER BY ts").fetchall())


def write_wish(connection: sqlite3.Connection, wish: Wish) -> None:
    """Leave a wish to the recorder; raise sqlite3.Error where that is not possible."""
    connection.execute("INSERT OR REPLACE INTO wishes VALUES (?,?,?)", (plain(wish.key), wish.state, wish.ts))


def forget_wishes(connection: sqlite3.Connection, wishes: Sequence[Wish]) -> None:
    """Drop wishes that were heard, unless another came for the same incident."""
    put(connection, "DELETE FROM wishes WHERE key = ? AND ts <= ?", [(plain(each.key), each.ts) for each in wishes])
