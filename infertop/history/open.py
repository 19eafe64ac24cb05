"""Open the database: as its one writer, as a viewer beside one, or in memory where nothing can be kept."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import count
from pathlib import Path

from infertop.history.carried import carry_over
from infertop.history.check import Foreign, Newer, make_ready
from infertop.history.claim import refusal
from infertop.history.connect import connect, uri
from infertop.history.files import Lock, Locked, create, move_aside, network_filesystem
from infertop.history.trouble import Kind, trouble
from infertop.readings.safe import safe

_memories = count()


class Mode(StrEnum):
    """What this process may do with the database."""

    WRITER = "writer"
    VIEWER = "viewer"
    READ_ONLY = "read_only"
    MEMORY = "memory"


@dataclass(slots=True)
class Store:
    """An opened database. `notices` are sentences for the person at the screen.

    `connection` is there for the writer alone (modes writer and memory) and belongs to one thread at a time. Everyone
    else reads through `uri`. `writer_pid` is who writes, where this process is a viewer.
    """

    mode: Mode
    path: Path | None
    uri: str
    connection: sqlite3.Connection | None = None
    lock: Lock | None = None
    writer_pid: int | None = None
    notices: list[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        """Where the history is kept, for a sentence."""
        return "memory" if self.path is None else str(self.path)

    def close(self) -> None:
        """Close the connection and let another process write."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None
        if self.lock is not None:
            self.lock.release()
            self.lock = None


def open_store(path: Path, ts: float) -> Store:
    """Open the database at `path` for writing, whatever state it is in; `ts` is the time now.

    A viewer is returned where another process writes it. A damaged file is moved aside and a new one made. Another
    program's database is left alone. Where nothing can be written, the history is kept in memory, on top of what can be
    read of the file. All of that is said in `notices`; nothing is raised.
    """
    try:
        create(path)
        lock = Lock(path)
    except Locked as locked:
        return Store(Mode.VIEWER, path, uri(path), writer_pid=locked.pid)
    except OSError as error:
        return _above(path, f"{safe(path)} cannot be written ({_reason(error)})", ts)
    return reopen(Store(Mode.WRITER, path, uri(path), lock=lock), ts, carry=True)


def reopen(store: Store, ts: float, *, again: bool = True, carry: bool = False) -> Store:
    """Open the file of a store that has the lock and no connection; return the store, or one of another mode.

    A damaged file is moved aside, unless `again` is False: a new file that is damaged too is a broken disk. With
    `carry` a history in memory begins with what a file that cannot be written has.
    """
    assert store.path is not None
    try:
        store.connection = _ready(store, store.path)
    except Foreign:
        why = f"{safe(store.path)} is another program's database and was left alone; choose another --db"
    except Newer as newer:
        store.close()
        store.mode = Mode.READ_ONLY
        store.notices.append(
            f"{safe(store.path)} was written by a newer infertop ({newer}); until this one is upgraded it is only read"
        )
        return store
    except OSError as error:
        why = f"{safe(store.path)} cannot be written ({_reason(error)})"
    except sqlite3.Error as error:
        found = trouble(error, store.path)
        what = refusal(store.path) if found.kind is Kind.DAMAGED else ""
        if found.kind is Kind.DAMAGED and again and not what:
            return begin_anew(store, ts)
        why = f"{safe(store.path)} is {what} and was left alone; choose another --db" if what else found.reason
    else:
        return store
    store.close()
    return _above(store.path, why, ts, store.notices) if carry else open_memory(why, store.notices)


def begin_anew(store: Store, ts: float) -> Store:
    """Move the damaged file of a store that has the lock and no connection aside, and open a new one."""
    assert store.path is not None
    try:
        aside = move_aside(store.path, ts)
    except OSError as error:
        store.close()
        return open_memory(f"{safe(store.path)} is damaged and cannot be moved ({_reason(error)})", store.notices)
    store.notices.append(f"{safe(store.path)} was damaged; it is now {safe(aside.name)}, and a new history was begun")
    return reopen(store, ts, again=False)


def _above(path: Path, why: str, ts: float, notices: list[str] | None = None) -> Store:
    """Open a database in memory that begins with what the one at `path`, which cannot be written, has."""
    store = open_memory(why, notices)
    assert store.connection is not None
    if not path.is_file() or not path.stat().st_size or refusal(path):
        return store
    try:
        carry_over(store.connection, path, ts)
    except sqlite3.Error as error:
        said = f"is in no total, because {trouble(error, path).reason}"
    else:
        said = "still counts; start again once it can be written, or with another --db"
    store.notices.append(f"what {safe(path)} has {said}")
    return store


def open_memory(why: str, notices: list[str] | None = None) -> Store:
    """Open a database that is gone when the process ends."""
    where = f"file:infertop-{os.getpid()}-{next(_memories)}?mode=memory&cache=shared"
    connection = connect(where)
    make_ready(connection, wal=False)
    sentence = f"history is kept in memory and lost at exit: {why}"
    return Store(Mode.MEMORY, None, where, connection, notices=[*(notices or ()), sentence])


def _ready(store: Store, path: Path) -> sqlite3.Connection:
    create(path)
    network = network_filesystem(path)
    connection = connect(uri(path, write=True))
    try:
        make_ready(connection, wal=not network)
        lost = _lost_ticks(connection, store.lock)
    except (sqlite3.Error, Foreign, Newer):
        connection.close()
        raise
    if network:
        store.notices.append(f"{safe(path)} is on a network file system ({network}); a --db on a local disk is safer")
    if lost:
        store.notices.append(f"the last {lost} seconds or so of {safe(path)} are lost, because its log was damaged")
    return connection


def _lost_ticks(connection: sqlite3.Connection, lock: Lock | None) -> int:
    """Return how many acknowledged ticks are not there: SQLite drops a damaged log without a word."""
    row = connection.execute("SELECT value FROM meta WHERE key = 'tick'").fetchone()
    return max(lock.last_tick - int(row[0]), 0) if row and lock is not None else 0


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
