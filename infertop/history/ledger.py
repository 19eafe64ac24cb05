"""The ledger's writer: lines of open minutes are replaced as they grow, closed ones stand."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from infertop.history.accounts import Accounts, Entry
from infertop.history.connect import put
from infertop.money.lines import Line

_Key = tuple[int, int, int]
_Amounts = tuple[int, int | None]

_OPEN = """
    INSERT INTO lines VALUES (?,?,?,?,?,1) ON CONFLICT (start, until, account) DO UPDATE SET
        quantity = excluded.quantity, usd_nano = excluded.usd_nano WHERE open"""
_NOT_OPEN = "DELETE FROM lines WHERE start = ? AND until = ? AND account = ? AND open"
# Another closed line with the same key adds to the first: neither may be lost.
INSERT_CLOSED = """
    INSERT INTO lines VALUES (?,?,?,?,?,0) ON CONFLICT (start, until, account) DO UPDATE SET
        quantity = excluded.quantity + iif(open, 0, quantity), usd_nano = excluded.usd_nano + iif(open, 0, usd_nano),
        open = 0"""


class Ledger:
    """Keeps lines until they are stored, so that none is lost while the database cannot be written.

    `open` are the lines of minutes that are not closed, as they stand; `closed` wait to be stored.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.accounts = Accounts(connection)
        self.open: dict[_Key, _Amounts] = {}
        self.closed: list[Entry] = []
        self._stored: dict[_Key, _Amounts] | None = None  # the open lines in the database; None: not known

    def close(self, lines: Iterable[Line]) -> list[Entry]:
        """Take lines for the last time."""
        entries = [self.accounts.entry(line) for line in lines]
        self.closed += entries
        return entries

    def replace_open(self, lines: Iterable[Line]) -> None:
        """Take the lines of all open minutes, in place of those before."""
        self.open = {}
        for line in lines:
            start, until, account, quantity, usd = self.accounts.entry(line)
            before = self.open.get((start, until, account), (0, None if usd is None else 0))
            self.open[start, until, account] = (quantity + before[0], None if usd is None else usd + (before[1] or 0))

    def open_entries(self) -> list[Entry]:
        """Return the lines of open minutes."""
        return [Entry(*key, *amounts) for key, amounts in self.open.items()]

    def write(self, connection: sqlite3.Connection) -> None:
        """Store what changed."""
        self.accounts.write(connection)
        if self._stored is None:
            connection.execute("DELETE FROM lines WHERE open")
        stored = self._stored or {}
        put(connection, _NOT_OPEN, [key for key in stored if key not in self.open])
        put(connection, INSERT_CLOSED, self.closed)
        changed = [(*key, *amounts) for key, amounts in self.open.items() if stored.get(key) != amounts]
        put(connection, _OPEN, changed)

    def written(self) -> None:
        """Forget what was stored."""
        self.accounts.written()
        self.closed.clear()
        self._stored = self.open

    def restart(self) -> None:
        """Begin again in another database."""
        self.accounts.restart()
        self._stored = None
