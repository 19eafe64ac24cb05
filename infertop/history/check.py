"""Is this file our database, and is it sound: what is asked before anything is written to it."""

from __future__ import annotations

import sqlite3
import time

from infertop.history.migrations import migrate
from infertop.history.schema import APPLICATION_ID, VERSION
from infertop.history.trouble import Kind, trouble

CHECK_SECONDS = 0.2
_WAL_LIMIT = 8 << 20


class Foreign(Exception):  # noqa: N818 - it is a finding, not a failure
    """The database is another program's."""


class Newer(Exception):  # noqa: N818
    """The database was written by a later version; the text says by which."""


def make_ready(connection: sqlite3.Connection, *, wal: bool) -> None:
    """Check the database, set it up and bring it to this version's schema.

    Raise Foreign, Newer or sqlite3.Error where it cannot be written. One that another program has locked for the
    moment is ready: the writer waits for it.
    """
    try:
        _identify(connection)
        _look_for_damage(connection)
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute(f"PRAGMA journal_mode = {'WAL' if wal else 'DELETE'}")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA journal_size_limit = {_WAL_LIMIT}")
        migrate(connection)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
    except sqlite3.OperationalError as error:
        if trouble(error, "").kind is not Kind.LOCKED:
            raise


def _identify(connection: sqlite3.Connection) -> None:
    """Raise where the database is not one that this version may write. An empty one is ours to fill."""
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    empty = not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    if application != APPLICATION_ID and not (empty and application == 0):
        raise Foreign
    if said := newer(connection):
        raise Newer(said)


def newer(connection: sqlite3.Connection) -> str:
    """Return by how much a later version the database was written, in words; "" where this version knows it."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    return f"schema {version}, this one knows {VERSION}" if version > VERSION else ""


def _look_for_damage(connection: sqlite3.Connection) -> None:
    """Look for a short while; raise sqlite3.DatabaseError where there is some damage."""
    deadline = time.monotonic() + CHECK_SECONDS
    connection.set_progress_handler(lambda: time.monotonic() > deadline, 20_000)
    try:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError as error:
        if error.sqlite_errorname != "SQLITE_INTERRUPT":
            raise
        return
    finally:
        connection.set_progress_handler(None, 0)
    if found != "ok":
        damage = sqlite3.DatabaseError(found)
        damage.sqlite_errorname = "SQLITE_CORRUPT"
        raise damage
