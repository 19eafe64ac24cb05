"""What each budget's scope took, hour by hour, asked of the ledger once and brought forward: forecasts stand on it."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from infertop.history.accounts import Account, Entry, read_accounts
from infertop.history.names import read_names
from infertop.history.scopes import Scopes
from infertop.history.sums import share_of
from infertop.money.lines import NANO

HOUR = 3600
KEPT_HOURS = 9 * 168
_LEAST_COVERAGE = 0.5
_METERED_SHARE = 0.05
_NARROW = """
    SELECT start / 3600, account, sum(usd_nano), min(start) FROM lines
    WHERE start >= ? AND start < ? AND until - start <= 60 AND usd_nano IS NOT NULL AND NOT open GROUP BY 1, 2"""
_WIDE = """
    SELECT start, until, account, 0, sum(usd_nano) FROM lines INDEXED BY lines_wide
    WHERE until - start > 60 AND until > ? AND start < ? AND usd_nano IS NOT NULL AND NOT open GROUP BY 1, 2, 3"""
_COVERAGE = "SELECT minute / 3600, sum(ms) FROM coverage WHERE minute >= ? AND minute < ? GROUP BY 1"


class Taken(NamedTuple):
    """What was taken in an hour, in 1e-9 USD: by meters while infertop looked, and as statements tell."""

    metered: int = 0
    stated: int = 0


class SpendHours:
    """Keeps the last nine weeks of what `scopes` says belongs to each budget, by its name.

    `first` is when the first line begins that tells of each source's spend, in statements.
    """

    def __init__(self, scopes: Scopes) -> None:
        self.first: dict[str, float] = {}
        self._scopes = scopes
        self._hours: dict[str, dict[int, Taken]] = {each.name: {} for each in scopes.budgets}
        self._covered: dict[int, float] = {}
        self._metered: dict[str, bool] = {}
        self._members: dict[int, tuple[tuple[str, ...], bool]] = {}
        self._accounts: Mapping[int, Account] = {}
        self._sources: dict[str, set[str]] = {each.name: set() for each in scopes.budgets}

    def read(self, connection: sqlite3.Connection, since_hour: int, now: float) -> None:
        """Ask for the hours since 1970 from `since_hour` up to `now`, and forget what was known of them."""
        self._look_up(connection)
        self._metered = {}
        until_hour = int(-(-now // HOUR))
        least = until_hour - KEPT_HOURS
        since_hour = max(since_hour, least)
        for name, hours in self._hours.items():
            self._hours[name] = {hour: taken for hour, taken in hours.items() if least <= hour < since_hour}
        begin, end = since_hour * HOUR, now
        for hour, number, nano, first in connection.execute(_NARROW, (begin, end)):
            self._add(hour, number, nano)
            self._began(number, first)
        for row in connection.execute(_WIDE, (begin, end)).fetchall():
            self._spread(entry := Entry(*row), since_hour, until_hour)
            self._began(entry.account, entry.start)
        self._covered = {hour: share for hour, share in self._covered.items() if least <= hour < since_hour}
        for hour, covered in connection.execute(_COVERAGE, (begin, end)):
            self._covered[hour] = covered / (HOUR * 1000)

    def _look_up(self, connection: sqlite3.Connection) -> None:
        names = read_names(connection)
        if names != self._scopes.names:
            self._scopes = replace(self._scopes, names=names)
            self._members = {}
        self._accounts = read_accounts(connection)

    def _of(self, number: int) -> tuple[tuple[str, ...], bool]:
        """Return the budgets that an account is in, and whether statements tell of it."""
        found = self._members.get(number)
        if found is None:
            account = self._accounts[number]
            names = tuple(each.name for each in self._scopes.budgets if self._scopes.is_in(account, each))
            found = self._members[number] = names, account.is_stated
            if account.is_stated:
                for name in names:
                    self._sources[name].add(account.source)
        return found

    def _began(self, number: int, start: float) -> None:
        account = self._accounts[number]
        if account.is_stated:
            self.first[account.source] = min(start, self.first.get(account.source, start))

    def _add(self, hour: int, number: int, nano: int) -> None:
        names, stated = self._of(number)
        for name in names:
            before = self._hours[name].get(hour, Taken())
            self._hours[name][hour] = Taken(
                before.metered + (0 if stated else nano), before.stated + (nano if stated else 0)
            )

    def _spread(self, entry: Entry, since_hour: int, until_hour: int) -> None:
        if not self._of(entry.account)[0]:
            return
        for hour in range(max(since_hour, entry.start // HOUR), min(until_hour, -(-entry.until // HOUR))):
            share = share_of(entry, hour * HOUR, (hour + 1) * HOUR)
            if share is not None and share[1]:
                self._add(hour, entry.account, share[1])

    def sources(self, budget: str) -> frozenset[str]:
        """Return the sources that tell in statements what is taken from a budget."""
        return frozenset(self._sources[budget])

    def usd(self, budget: str, until_hour: int) -> dict[int, float | None]:
        """Return the USD of each hour before `until_hour` since the first of which something is known.

        None: meters tell of the budget, and for most of the hour nobody read them.
        """
        return {
            hour: self.rate(budget, hour) for hour in range(min(self._hours[budget], default=until_hour), until_hour)
        }

    def rate(self, budget: str, hour: int, begun: float = 1.0) -> float | None:
        """Return the USD that an hour takes if all of it is as what is known of its first part `begun` (0 to 1)."""
        taken, covered = self._hours[budget].get(hour, Taken()), self._covered.get(hour, 0.0)
        if self._is_metered(budget) and covered < _LEAST_COVERAGE * begun:
            return None
        seen = taken.metered / max(covered, _LEAST_COVERAGE * begun)
        return max(0.0, (seen + taken.stated / begun) / NANO)

    def _is_metered(self, budget: str) -> bool:
        if budget not in self._metered:
            metered, stated = (sum(each[at] for each in self._hours[budget].values()) for at in (0, 1))
            self._metered[budget] = metered > _METERED_SHARE * (metered + stated)
        return self._metered[budget]
