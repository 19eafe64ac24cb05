"""Budgets that are looked at once a minute, as the recorder does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from infertop.commands.levels import Levels
from infertop.commands.told import Level
from infertop.money.periods import PeriodKind
from infertop.money.settings import Budget
from infertop.views.shapes import Event
from tests.commands.budget_world import NOW, Ledger, budget

WEEKS = 3 * 168


class Watcher:
    """Looks at a ledger once a minute, as the recorder does; `noted` is what stays over a restart."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.noted: frozenset[Level] = frozenset()
        self.levels = Levels()

    def restart(self) -> None:
        self.levels = Levels()
        self.ledger.again()

    def look(self, minutes: int = 3, since: int = NOW, each: Callable[[int], None] | None = None) -> list[Event]:
        """Return what is told in so many minutes; `each` is done before each of them."""
        told = []
        for now in range(since + 60, since + 60 * minutes + 1, 60):
            if each is not None:
                each(now - 60)
            self.levels.plans = self.ledger.plan(now)
            sums = self.ledger.spent(now, told=self.noted)
            told += [event for _, event in self.levels.cross(sums, self.ledger.scopes.settings, now)]
            self.noted |= frozenset(self.levels.take())
        return told


def budget_of(limit: str) -> Budget:
    return replace(budget(), limit_usd=Decimal(limit))


def texts(events: list[Event]) -> list[str]:
    return [each.text for each in events]


def watcher(path: Path, limit: int, kind: PeriodKind = PeriodKind.DAY, usd: float = 2.0) -> Watcher:
    ledger = Ledger(path / "x.db", budget(limit, kind))
    ledger.fill(WEEKS, lambda _: usd)
    return Watcher(ledger)
