"""The writer's connection: its transactions, and what is done when the disk does not play along."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable

from infertop.history.drops import transaction
from infertop.history.open import Mode, Store, begin_anew, reopen
from infertop.history.trouble import Kind, is_bug, trouble
from infertop.readings.safe import safe

_FIRST_RETRY_SECONDS = 1.0
_LAST_RETRY_SECONDS = 30.0


class Keeper:
    """Runs transactions. `status` is a sentence while they fail, and empty while all is well.

    A transaction that failed may be tried again at the next tick: it waits longer each time, except for a lock. Where
    the file turns out to be damaged, or is gone, another is begun and `renewed` is called with the time.
    """

    def __init__(self, store: Store, renewed: Callable[[float], None]) -> None:
        self.store = store
        self.status = ""
        self._renewed = renewed
        self._retry_at = 0.0
        self._wait = _FIRST_RETRY_SECONDS
        self._since = 0.0
        self._file = _file(store)

    def run(self, work: Callable[[sqlite3.Connection], None], ts: float) -> bool:
        """Run `work` in a transaction and return whether it stands."""
        connection = self.store.connection
        if connection is None or ts < self._retry_at:
            return False
        try:
            with transaction(connection):
                work(connection)
        except sqlite3.Error as error:
            self.failed(error, ts)
            return False
        self.status = ""
        self._wait = _FIRST_RETRY_SECONDS
        return True

    def failed(self, error: sqlite3.Error, ts: float) -> None:
        """Take note of an error; one that is the program's fault is raised again."""
        if is_bug(error):
            raise error
        found = trouble(error, self.store.place)
        self._since = self._since if self.status else ts
        self.status = found.sentence(self._since)
        if self.store.lock is not None:
            self.store.lock.fails(found.kind, self._since)
        if found.kind is Kind.DAMAGED and self.store.mode is Mode.WRITER:
            self._renew(begin_anew, ts)
        elif found.kind is not Kind.LOCKED:
            self._retry_at = ts + self._wait
            self._wait = min(self._wait * 2, _LAST_RETRY_SECONDS)

    def look(self, ts: float) -> None:
        """Begin another file where the one that is being written has been removed or replaced."""
        if self.store.mode is Mode.WRITER and self._file != _file(self.store):
            self.store.notices.append(f"{safe(self.store.place)} was removed while in use, and a new history was begun")
            self._renew(reopen, ts)

    def finish(self) -> None:
        """Empty the log into the database and let go of it."""
        self.checkpoint()
        self.store.close()

    def checkpoint(self) -> None:
        """Empty the log into the database, if nobody is in the way."""
        if self.store.connection is None:
            return
        try:
            self.store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:
            if is_bug(error):
                raise

    def _renew(self, begin: Callable[[Store, float], Store], ts: float) -> None:
        if self.store.connection is not None:
            self.store.connection.close()
            self.store.connection = None
        self.store = begin(self.store, ts)
        self._file = _file(self.store)
        if self.store.connection is None:
            self.status = f"history paused: {self.store.notices[-1]}"
            return
        self._renewed(ts)


def _file(store: Store) -> tuple[int, int] | None:
    """Return what tells the file from another of the same name, None where there is none."""
    if store.path is None:
        return None
    try:
        found = os.stat(store.path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
