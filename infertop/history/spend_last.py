"""What is known by now of a budget's last period: providers tell of its end when the next one has begun."""

from __future__ import annotations

import sqlite3
from dataclasses import replace

from infertop.history.accounts import read_accounts
from infertop.history.names import read_names
from infertop.history.scopes import Scopes
from infertop.history.summary import add_usd
from infertop.history.sums import Sums, account_sums
from infertop.money.periods import period

LATE_SECONDS = 36 * 3600.0
_AGAIN_SECONDS = 300.0


class SpendLast:
    """Keeps the sums of last periods, by budget: (start, 1e-9 USD). They are asked for again every five minutes."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._known: dict[str, tuple[int, int]] = {}
        self._read_at = float("-inf")

    def read(self, connection: sqlite3.Connection, now: float) -> dict[str, tuple[int, int]]:
        """Return what was spent in the last period of each budget of which something may be told still."""
        if now - self._read_at < _AGAIN_SECONDS:
            return self._known
        self._read_at = now
        scopes, accounts = replace(self._scopes, names=read_names(connection)), read_accounts(connection)
        sums: dict[tuple[int, int], Sums] = {}
        self._known = {}
        for budget in scopes.settings.budgets:
            zone = budget.zone(scopes.settings.zone)
            start = int(period(budget.period, now, zone)[0])
            before = int(period(budget.period, start - 1, zone)[0])
            if now - start > min(LATE_SECONDS, start - before):
                continue
            if (before, start) not in sums:
                sums[before, start] = account_sums(connection, before, start, open_too=False)
            nano: int | None = None
            for number, amount in sums[before, start].items():
                nano = add_usd(nano, amount.usd_nano) if scopes.is_in(accounts[number], budget) else nano
            if nano is not None:
                self._known[budget.name] = before, nano
        return self._known
