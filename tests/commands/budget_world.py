"""A ledger of made-up spend by the minute or the hour, and what is planned from it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from infertop.commands.planning import Asked, Planning
from infertop.history.accounts import Accounts
from infertop.history.open import open_store
from infertop.history.scopes import Scopes
from infertop.history.summary import Spent, Summary
from infertop.money.budget_plan import Plan
from infertop.money.lines import NANO, Basis, Line
from infertop.money.periods import PeriodKind, period
from infertop.money.settings import Budget, Settings

HOUR = 3600
NOW = 1_790_000_000 // 86_400 * 86_400 + 12 * HOUR  # noon in UTC, a Monday


def budget(limit: int = 100, kind: PeriodKind = PeriodKind.DAY, name: str = "all", **conditions: str) -> Budget:
    """A budget of pricing.toml."""
    return Budget(name, Decimal(limit), kind, "pricing.toml:1", conditions=tuple(conditions.items()))


class Ledger:
    """Lines written as the recorder leaves them."""

    def __init__(self, path: Path, *budgets: Budget, settings: Settings | None = None) -> None:
        store = open_store(path, float(NOW))
        assert store.connection is not None
        self.connection: sqlite3.Connection = store.connection
        self.scopes = Scopes(settings or Settings(budgets=budgets))
        self._accounts = Accounts(self.connection)
        self._planning = Planning(self.scopes)

    def add(self, start: int, usd: float, seconds: int = 60, model: str = "m", metered: bool = False) -> None:
        """Add a line, in place of what the same account had at that time."""
        source, unit, basis = ("nvml", "ms", Basis.MEASURED) if metered else ("openai", "tokens", Basis.COMPUTED)
        provider, resource = ("local", "gpu") if metered else ("openai", "input")
        nano = round(usd * NANO)
        line = Line(start, start + seconds, source, provider, model, resource, (), 1, unit, nano, None, basis)
        entry = self._accounts.entry(line)
        self._accounts.write(self.connection)
        self._accounts.written()
        where = (entry.start, entry.until, entry.account)
        self.connection.execute("DELETE FROM lines WHERE start = ? AND until = ? AND account = ?", where)
        self.connection.execute("INSERT INTO lines VALUES (?,?,?,?,?,0)", tuple(entry))

    def fill(
        self, hours: int, usd: Callable[[int], float], until: int = NOW, metered: bool = False, model: str = "m"
    ) -> None:
        """Add the spend of the last `hours` before `until`; `usd` says that of the hour `n` of the day."""
        for start in range(until - hours * HOUR, until, HOUR):
            self.add(start, usd(start // HOUR % 24), HOUR, model, metered)
            if metered:
                self.cover(start)

    def cover(self, start: int, minutes: int = 60) -> None:
        """Note that so many minutes were recorded."""
        self.connection.executemany(
            "INSERT OR REPLACE INTO coverage VALUES (?, 60000)", [(start + 60 * each,) for each in range(minutes)]
        )

    def plan(
        self, now: float = NOW, summary: Summary | None = None, unread: frozenset[str] = frozenset()
    ) -> dict[str, Plan]:
        """Return what is planned now, going on from what was planned before."""
        return dict(self._planning.make(self.connection, Asked(self.scopes, summary or Summary(), now, unread)))

    def again(self) -> None:
        """Forget what was planned, as a restart does."""
        self._planning = Planning(self.scopes)

    def spent(self, now: float = NOW, **more: object) -> Summary:
        """Return the sums of each budget."""
        found = {}
        for each in self.scopes.budgets:
            start = period(each.period, now, each.zone(self.scopes.settings.zone))[0]
            names = {number for number, account in self._accounts.by_id.items() if self.scopes.is_in(account, each)}
            rows = self.connection.execute(
                "SELECT account, usd_nano FROM lines WHERE start >= ? AND start < ?", (start, now)
            )
            found[each.name] = Spent(start, sum(nano for number, nano in rows if number in names), 1.0)
        return replace(Summary(budgets=found), **more)
