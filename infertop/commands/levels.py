"""Budget levels that were crossed: each is announced once in its period, also over restarts."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from infertop.history.allowed import spent_by_own_count, with_names
from infertop.history.summary import Summary
from infertop.money.budgets import label, reached
from infertop.money.lines import NANO
from infertop.money.periods import period
from infertop.money.settings import Budget, Settings
from infertop.views.shapes import Event


class Level(NamedTuple):
    """A level of a budget in the period that began at `period` (epoch seconds)."""

    budget: str
    period: int
    level: str

    @property
    def key(self) -> str:
        """The key of its event."""
        return f"budget {self.budget} {self.period} {self.level}"


class Levels:
    """Remembers what was announced until the recorder has noted it."""

    def __init__(self) -> None:
        self._announced: set[Level] = set()
        self._new: list[Level] = []

    def cross(self, summary: Summary, settings: Settings, now: float) -> Iterator[tuple[str, Event]]:
        """Yield an event, with its key, for each budget that crossed a level: where it crossed several, the highest."""
        own_count = spent_by_own_count(summary.accounts, (each.name for each in settings.budgets), now)
        for budget in (*settings.budgets, *summary.allowances):
            spent = summary.budgets.get(budget.name)
            start = int(period(budget.period, now, budget.zone(settings.zone))[0])
            own = own_count.get(budget.name) if budget.origin else None
            nano = own if own is not None else spent.usd_nano if spent is not None else None
            if spent is None or int(spent.start) != start or nano is None:
                continue
            crossed = [Level(budget.name, start, label(share)) for share in reached(budget, nano)]
            new = [level for level in crossed if level not in summary.told and level not in self._announced]
            self._announced.update(new)
            self._new += new
            if new and new[-1] == crossed[-1]:
                yield new[-1].key, _event(with_names(budget, summary.names), new[-1], nano, now)

    def take(self) -> list[Level]:
        """Return what was announced since the last time."""
        new, self._new = self._new, []
        return new


def _event(budget: Budget, level: Level, spent_nano: int, now: float) -> Event:
    return Event(
        ts=now,
        level="alarm" if spent_nano >= budget.limit_usd * NANO else "warn",
        kind="budget",
        text=f"{budget.name}: {spent_nano / NANO:,.2f} of {budget.limit_usd:,} USD a {budget.period} spent"
        f" ({level.level})",
        scope={"budget": budget.name},
        until=now,
    )
