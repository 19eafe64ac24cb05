"""The read side: a connection of its own that can only read, for use in a thread beside the recorder."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Concatenate, ParamSpec, Self, TypeVar

from infertop.history.accounts import read_accounts
from infertop.history.check import newer
from infertop.history.claim import refusal
from infertop.history.connect import connect_reader, place, uri
from infertop.history.schema import APPLICATION_ID
from infertop.history.scopes import Scopes
from infertop.history.spread import spread_sums
from infertop.history.summary import Minute
from infertop.history.sums import entries_between
from infertop.history.totals import minutes_of
from infertop.history.trouble import Kind, is_bug, trouble
from infertop.money.overlap import Counts, all_count
from infertop.readings.safe import safe

P = ParamSpec("P")
T = TypeVar("T")

_CHUNK_SECONDS = 6 * 3600


class Unreadable(Exception):  # noqa: N818 - it reads as the sentence it carries
    """The history cannot be read; the text is a sentence for the person at the screen."""


class Reader:
    """Asks questions, one at a time, each of one state of the database. It may be used from any thread.

    `where` is the path of a database, or the uri of a store. Where the file was replaced, the new one is read. `with`
    closes it.
    """

    def __init__(self, where: Path | str) -> None:
        """Open the database; raise Unreadable where there is none, or it is not ours."""
        self._path = where if isinstance(where, Path) else None
        self._uri = uri(where) if isinstance(where, Path) else where.replace("mode=rw", "mode=ro")
        self._place = self._path or place(self._uri)
        self._lock = threading.Lock()
        self._connection = self._connect()
        self._file = self._stat()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def ask(self, question: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return what `question(connection, ...)` returns; raise Unreadable where the database fails."""
        with self._lock:
            if self._stat() != self._file:
                self._connection.close()
                self._connection = self._connect()
                self._file = self._stat()
            try:
                self._connection.execute("BEGIN")
                return question(self._connection, *args, **kwargs)
            except sqlite3.DatabaseError as error:
                if is_bug(error):
                    raise
                raise Unreadable(self._sentence(error, self._connection)) from error
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    def minutes(self, since: float, until: float, counts: Counts = all_count) -> Iterator[Minute]:
        """Iterate over the recorded minutes that start in [since, until), a few hours at a time."""
        start = since
        while start < until:
            end = min(start + _CHUNK_SECONDS, until)
            yield from self.ask(_minutes, start, end, counts)
            start = end

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    def _connect(self) -> sqlite3.Connection:
        if self._path is not None and not self._path.exists():
            raise Unreadable(f"there is no history at {safe(self._path)}; infertop record makes one")
        try:
            connection = connect_reader(self._uri)
            ours = connection.execute("PRAGMA application_id").fetchone()[0] == APPLICATION_ID
        except sqlite3.DatabaseError as error:
            raise Unreadable(self._sentence(error)) from error
        if not ours:
            connection.close()
            raise Unreadable(f"{safe(self._place)} is not a history of infertop")
        return connection

    def _stat(self) -> tuple[int, int] | None:
        if self._path is None:
            return None
        try:
            found = os.stat(self._path)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _sentence(self, error: sqlite3.Error, connection: sqlite3.Connection | None = None) -> str:
        found, where = trouble(error, self._place), safe(self._place)
        if found.kind is Kind.DAMAGED and (what := refusal(self._place)):
            return f"{where} is {what}, not a history of infertop"
        if found.kind is Kind.DAMAGED:
            more = "; infertop record moves it aside, and sqlite3's .recover may save what is left"
            return f"the history cannot be read: {found.reason}{more}"
        if found.kind is not Kind.OTHER:
            return f"the history cannot be read: {found.reason}"
        later = newer(connection) if connection else ""
        why = f"it was written by a newer infertop ({later}): upgrade this one" if later else safe(error)
        return f"the history at {where} cannot be read: {why}"


def _minutes(connection: sqlite3.Connection, since: float, until: float, counts: Counts) -> list[Minute]:
    rows = connection.execute("SELECT minute, ms FROM coverage WHERE minute >= ? AND minute < ?", (since, until))
    entries = entries_between(connection, since, until)
    scopes = Scopes(counts=counts)
    accounts = read_accounts(connection)
    spread = spread_sums(connection, accounts, since, until)
    found = minutes_of(entries, accounts, dict(rows.fetchall()), scopes.has, spread)
    return [each for _, each in sorted(found.items())]
