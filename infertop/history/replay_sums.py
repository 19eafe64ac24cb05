"""The ledger's sums as they were at some minute: asked of the database once, then carried on minute by minute.

A ledger does not keep when a line was told. What was used before a minute is taken to be known at its end, so what a
provider told later than that is shown sooner than it was.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace

from infertop.history.accounts import Account, Entry, read_accounts
from infertop.history.names import read_names
from infertop.history.scopes import Periods, Scopes
from infertop.history.spread import spread_sums
from infertop.history.summarise import Summariser
from infertop.history.summary import Summary
from infertop.history.sums import MINUTE, Sums, account_sums, add_entries, coverage_ms, entries_between
from infertop.history.totals import minutes_of
from infertop.money.dimensions import Names

_HOUR = 3600
_OVER = """
    SELECT start, until, account, quantity, usd_nano FROM lines WHERE start >= :since AND start < :until AND NOT open
    UNION ALL SELECT start, until, account, quantity, usd_nano FROM lines INDEXED BY lines_wide
        WHERE until - start > 60 AND until > :since AND start < :since AND NOT open"""


class PastSums(Summariser):
    """Sums of what was used before `upto`, the end of a minute; lines astride it count with their share."""

    def __init__(self, scopes: Scopes) -> None:
        self._by_id: dict[int, Account] = {}
        super().__init__(self._by_id, scopes)
        self.upto = 0
        self._entries: list[Entry] = []

    @property
    def names(self) -> Names:
        """What ids are called."""
        return self._scopes.names

    def begin(self, connection: sqlite3.Connection, upto: int) -> None:
        """Ask for everything before `upto`."""
        self._by_id |= read_accounts(connection, max(self._by_id, default=0))
        self.rescope(replace(self._scopes, names=read_names(connection)))
        self.upto = upto
        self._periods = Periods(0.0, 0.0, {})
        self._entries = entries_between(connection, upto - _HOUR, upto, open_too=False)
        self._add_minutes(connection, upto - _HOUR, self._entries)
        self._turn(connection)

    def go_on(self, connection: sqlite3.Connection, upto: int) -> None:
        """Take what was used from the last minute up to `upto`, which is at most an hour later."""
        self._by_id |= read_accounts(connection, max(self._by_id, default=0))
        since, self.upto = self.upto, upto
        over = [Entry(*row) for row in connection.execute(_OVER, {"since": since, "until": upto}).fetchall()]
        covered = _covered(connection, since, upto)
        for start, sums in self._windows.items():
            add_entries(sums, over, max(start, since), upto)
            self._covered[start] += sum(ms for minute, ms in covered.items() if minute >= start)
        narrow = [each for each in over if each.until - each.start == MINUTE]
        self._entries = [each for each in self._entries if each.start >= upto - _HOUR] + narrow
        self._add_minutes(connection, since, narrow)
        self._turn(connection)

    def as_of(self, ts: float) -> Summary:
        """Return the sums; `ts` is the time that they are shown for."""
        self._recent = self._of_budgets(self._entries)
        return replace(self.summary(ts, (), {}), closed=self.upto)

    def telling(self) -> frozenset[str]:
        """Return the sources that told of this month in statements, and not as meters."""
        known = {number for sums in self._windows.values() for number in sums}
        return frozenset(self._by_id[number].source for number in known if self._by_id[number].is_stated)

    def _turn(self, connection: sqlite3.Connection) -> None:
        """Ask for the sums of the periods that began since; those that are over are dropped."""
        # At the very end of a period it is still the one that was just added up.
        self._periods = self._scopes.at(self.upto)
        starts = self._periods.starts()
        for start in starts - self._windows.keys():
            sums: Sums = account_sums(connection, start, self.upto, open_too=False) if start < self.upto else {}
            self._windows[start] = sums
            self._covered[start] = coverage_ms(connection, start, self.upto)
        for gone in self._windows.keys() - starts:
            del self._windows[gone]
            self._covered.pop(gone, None)
        self._settle()

    def _add_minutes(self, connection: sqlite3.Connection, since: float, entries: list[Entry]) -> None:
        spread = spread_sums(connection, self._by_id, since, self.upto)
        more = minutes_of(entries, self._by_id, _covered(connection, since, self.upto), self._scopes.has, spread)
        oldest = self.upto - _HOUR
        kept = {each.start: each for each in self._minutes if oldest <= each.start < since}
        self._minutes = tuple(each for _, each in sorted((kept | more).items()))


def _covered(connection: sqlite3.Connection, since: float, until: float) -> Mapping[int, int]:
    rows = connection.execute("SELECT minute, ms FROM coverage WHERE minute >= ? AND minute < ?", (since, until))
    return dict(rows.fetchall())
