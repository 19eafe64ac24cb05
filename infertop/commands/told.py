"""Which levels of a budget were told in its period, by its name and by what it is: a new name tells nothing again.

With another limit or scope those count as told that are reached under it as well; so it is in another time zone.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infertop.history.summary import Summary
from infertop.money.budgets import label, reached, scope
from infertop.money.periods import PeriodKind, period
from infertop.money.settings import Budget

BEGUN = "begun"
FORECAST = "forecast "
_LONGEST = {PeriodKind.HOUR: 3600, PeriodKind.DAY: 86_400, PeriodKind.WEEK: 7 * 86_400, PeriodKind.MONTH: 31 * 86_400}


class Level(NamedTuple):
    """A level of a budget, by its name or by what it is, in the period that began at `period` (epoch seconds)."""

    budget: str
    period: int
    level: str


def what_it_is(budget: Budget) -> str:
    """Return what a budget is, whatever it is called."""
    return f"= {budget.limit_usd.normalize():f} {budget.period} {budget.origin} {scope(budget.conditions)}".rstrip()


class Told:
    """Remembers what was announced until the recorder has noted it. `look` takes what is noted, once a tick."""

    def __init__(self) -> None:
        self._announced: set[Level] = set()
        self._new: list[Level] = []
        self._by_place: dict[tuple[str, int], set[str]] = {}
        self._starts: dict[str, set[int]] = {}
        self._noted: Collection[tuple[str, int, str]] | None = None

    def look(self, summary: Summary) -> None:
        """Take what the recorder has noted."""
        if summary.told is not self._noted:
            self._noted = summary.told
            self._by_place.clear()
            self._starts.clear()
            for level in (*summary.told, *self._announced):
                self._keep(Level(*level))

    def take(self) -> list[Level]:
        """Return what was announced since the last time."""
        new, self._new = self._new, []
        return new

    def of(self, budget: Budget, start: int, nano: int, now: float, zone: ZoneInfo) -> frozenset[str]:
        """Return what was told of a budget in the period from `start`, of which `nano` (1e-9 USD) is spent."""
        it = what_it_is(budget)
        if not self._by_place.get((it, start)) and (before := self._before(budget.name, budget, start, now, zone)):
            still = {label(share) for share in reached(budget, nano)} & before
            coming = {each for each in self._before(it, budget, start, now, zone) if each.startswith(FORECAST)}
            for name in (BEGUN, *still, *coming):
                self._note(Level(it, start, name))
        return frozenset(self._by_place.get((it, start), ()))

    def note(self, budget: Budget, start: int, level: str) -> None:
        """Note that a level is announced."""
        for name in (budget.name, what_it_is(budget)):
            self._note(Level(name, start, level))

    def ever(self, budget: Budget, levels: Collection[str]) -> bool:
        """Say whether any of these was told of a budget, whatever period."""
        places = ((name, start) for name in (budget.name, what_it_is(budget)) for start in self._starts.get(name, ()))
        return any(not self._by_place[place].isdisjoint(levels) for place in places)

    def _before(self, name: str, budget: Budget, start: int, now: float, zone: ZoneInfo) -> set[str]:
        """Return what was told under a name as it was before, in this period or one that another zone gave it."""
        found: set[str] = set()
        for each in self._starts.get(name, ()):
            lasts = each <= now < each + _LONGEST[budget.period]
            if each == start or (lasts and int(period(budget.period, each, zone)[0]) != each):
                found |= self._by_place[name, each]
        return found

    def _note(self, level: Level) -> None:
        if level not in self._announced:
            self._announced.add(level)
            self._new.append(level)
            self._keep(level)

    def _keep(self, level: Level) -> None:
        self._by_place.setdefault((level.budget, level.period), set()).add(level.level)
        self._starts.setdefault(level.budget, set()).add(level.period)
