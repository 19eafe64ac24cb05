"""Small numbers for long keys: series, shapes, accounts. Numbers are given in memory and written with the next tick."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Catalog(Generic[K]):
    """Gives each key its id. Only the one writer has a catalog, so ids need no round trip to the database.

    `insert` is the statement that stores what `row(id, key)` returns. An id holds from the moment it is given, also
    while the database cannot be written: its row waits.
    """

    def __init__(
        self,
        insert: str,
        row: Callable[[int, K], tuple[Any, ...]],
        known: Mapping[K, int] | None = None,
        last: int | None = None,
    ) -> None:
        self._insert = insert
        self._row = row
        self._ids: dict[K, int] = dict(known or {})
        self._last = max(self._ids.values(), default=0) if last is None else last
        self._waiting: dict[K, int] = {}

    def id(self, key: K) -> int:
        """Return the id of `key`, a new one where it has none."""
        found = self._ids.get(key)
        if found is None:
            self._last += 1
            found = self._ids[key] = self._waiting[key] = self._last
        return found

    def items(self) -> Mapping[K, int]:
        """Return every key with its id."""
        return self._ids

    def write(self, connection: sqlite3.Connection) -> None:
        """Store the rows that wait; call `written` once the transaction stands."""
        if self._waiting:
            rows = [self._row(number, key) for key, number in self._waiting.items()]
            connection.executemany(self._insert, rows)

    def written(self) -> None:
        """Forget that rows wait."""
        self._waiting.clear()

    def restart(self) -> None:
        """Let every row wait again: the database is another one."""
        self._waiting = dict(self._ids)

    def forget(self, ids: Collection[int] | None = None) -> None:
        """Forget keys whose rows were deleted (all keys by default); numbers are not given twice."""
        gone = self._ids.values() if ids is None else set(ids)
        self._ids = {} if ids is None else {key: number for key, number in self._ids.items() if number not in gone}


def plain(text: str) -> str:
    """Return `text` without lone surrogates, which no database column can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
