"""Drop what is old, in transactions short enough not to hold up the recording."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from infertop.history.tape import Tape

DAY = 86_400
_POLLS = 500
_SPARED_SECONDS = 600  # what a restart may need: the open minute, and the keyframes before it


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """Run statements as one; an error undoes them all."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # where the disk was full, SQLite has undone it by itself
            connection.execute("ROLLBACK")
        raise


def used_bytes(connection: sqlite3.Connection) -> int:
    """Return how much of the database is in use."""
    return _pages(connection, "page_count") - _pages(connection, "freelist_count")


def file_bytes(connection: sqlite3.Connection) -> int:
    """Return how large the database is."""
    return _pages(connection, "page_count")


def _pages(connection: sqlite3.Connection, which: str) -> int:
    count: int = connection.execute(f"PRAGMA {which}").fetchone()[0]
    size: int = connection.execute("PRAGMA page_size").fetchone()[0]
    return count * size


def drop_polls(connection: sqlite3.Connection, before: float) -> bool:
    """Drop some of the polls older than `before`; return whether there may be more."""
    first = _first_poll(connection)
    if first is None:
        return False
    kept = connection.execute(
        "SELECT seq FROM polls WHERE seq < ? AND ts >= ? ORDER BY seq LIMIT 1", (first + _POLLS, before * 1000)
    ).fetchone()
    if kept is None or kept[0] > first:
        _drop_below(connection, kept[0] if kept else first + _POLLS)
    return kept is None


def drop_oldest_polls(connection: sqlite3.Connection, ts: float) -> bool:
    """Drop a hundredth of the polls, whatever their age; return whether there were any that can be spared."""
    first = _first_poll(connection)
    last = Tape(connection).position(ts - _SPARED_SECONDS)
    if first is None or first > last:
        return False
    _drop_below(connection, min(first + max((last - first) // 100, _POLLS), last + 1))
    return True


def drop_oldest_minutes(connection: sqlite3.Connection, _ts: float) -> bool:
    """Drop the oldest day of minutes; return whether there was one."""
    oldest = connection.execute(
        "SELECT min((SELECT min(ts) FROM minute WHERE series = s.id)) FROM series s"
    ).fetchone()[0]
    if oldest is None:
        return False
    with transaction(connection):
        drop_rollups(connection, "minute", oldest + DAY)
    return True


def drop_rollups(connection: sqlite3.Connection, table: str, before: float) -> None:
    """Drop the roll-ups older than `before`, series by series, as they are stored."""
    series = connection.execute("SELECT id FROM series").fetchall()
    connection.executemany(f"DELETE FROM {table} WHERE series = ? AND ts < ?", [(i, before) for (i,) in series])


def drop_unused(connection: sqlite3.Connection, created_before: float, alive: Collection[int]) -> set[int] | None:
    """Drop the shapes and series that nothing refers to any more; return the ids of these series, None: nothing was.

    A series without a minute has no reading older than a few of them; `alive` are those that are read now.
    """
    shapes = connection.execute("DELETE FROM shapes WHERE id NOT IN (SELECT DISTINCT shape FROM polls)").rowcount
    found = connection.execute(
        """SELECT id FROM series WHERE created < ? AND NOT EXISTS (SELECT 1 FROM minute WHERE series = id)
            AND NOT EXISTS (SELECT 1 FROM hour WHERE series = id)""",
        (created_before,),
    ).fetchall()
    gone = {number for (number,) in found} - set(alive)
    connection.executemany("DELETE FROM series WHERE id = ?", [(number,) for number in gone])
    return gone if gone or shapes else None


def _first_poll(connection: sqlite3.Connection) -> int | None:
    found: int | None = connection.execute("SELECT min(seq) FROM polls").fetchone()[0]
    return found


def _drop_below(connection: sqlite3.Connection, seq: int) -> None:
    with transaction(connection):
        connection.execute("DELETE FROM raw WHERE poll < ?", (seq,))
        connection.execute("DELETE FROM polls WHERE seq < ?", (seq,))
