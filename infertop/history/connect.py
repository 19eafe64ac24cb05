"""Connections to the database: one that writes, others that only read."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from pathlib import Path
from urllib.parse import quote, unquote

from infertop.history.trouble import Kind, trouble

BUSY_SECONDS = 0.5
_READ = "mode=ro"
# Readers share memory in a file of their own beside the database: where that cannot be made, they do without.
_NO_ROOM = frozenset({Kind.READ_ONLY, Kind.FULL, Kind.IO})


def uri(path: Path, *, write: bool = False) -> str:
    """Return how SQLite is told to open the file at `path`, which must exist."""
    return f"file:{quote(str(path.absolute()))}?mode={'rw' if write else 'ro'}"


def place(where: str) -> Path:
    """Return the path of what `uri` returned, or of another uri of SQLite's."""
    return Path(unquote(where.removeprefix("file:").partition("?")[0]))


def connect(where: str) -> sqlite3.Connection:
    """Connect without implicit transactions, for use by one thread at a time."""
    return sqlite3.connect(where, uri=True, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)


def put(connection: sqlite3.Connection, statement: str, rows: Collection[Sequence[object]]) -> None:
    """Run `statement` for each row; without rows this costs nothing."""
    if rows:
        connection.executemany(statement, rows)


def connect_reader(where: str) -> sqlite3.Connection:
    """Connect for reading only; raise sqlite3.Error where that cannot be done.

    A folder that cannot be written hides a leftover -wal: then the database is read as of its last checkpoint.
    """
    connection = connect(where)
    try:
        connection.execute("PRAGMA query_only = 1")
        connection.execute("PRAGMA read_uncommitted = 1")  # in memory, a reader must not hold up the writer
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        connection.close()
        if trouble(error, "").kind not in _NO_ROOM or not where.endswith(_READ):
            raise
        connection = connect(_as_it_is(where))
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    return connection


def readable(path: Path) -> str:
    """Return how to read the file at `path`, which another connection may attach; raise sqlite3.Error."""
    where = uri(path)
    connection = connect(where)
    try:
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.OperationalError as error:
        if trouble(error, "").kind not in _NO_ROOM:
            raise
        return _as_it_is(where)
    finally:
        connection.close()
    return where


def _as_it_is(where: str) -> str:
    return where.removesuffix(_READ) + "immutable=1"
