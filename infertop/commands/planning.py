"""Plans of budgets from the ledger: hourly spend brought forward, forecasters that learn from it, burn rates."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from typing import NamedTuple

from infertop.commands.unread import of_budget
from infertop.history.scopes import Scopes
from infertop.history.spend_hours import KEPT_HOURS, SpendHours
from infertop.history.spend_last import SpendLast
from infertop.history.spend_windows import Burnt, burnt
from infertop.history.summary import Summary
from infertop.money.budget_plan import Burn, Last, Plan
from infertop.money.forecast.forecaster import Forecaster
from infertop.money.forecast.hours import HOUR, Hours, longest_hours
from infertop.money.periods import period
from infertop.money.settings import Budget

WINDOWS = (600.0, 3600.0, 21_600.0, 86_400.0)
_RESTATED_HOURS = 96  # providers correct the last days
_RESTATED_SECONDS = 300.0
_WHOLE_SECONDS = 1800.0  # back-fills may come from anywhere
_LATE_TOLD_SECONDS = 6 * 3600
_LEAST_BEGUN = 0.25
_MOST_AT_ONCE = 5
_EPISODE_HOURS = 6  # a runaway is no measure of itself


class Asked(NamedTuple):
    """What plans are made of: the budgets, the sums as of the last tick, the time, and sources not read whole yet."""

    scopes: Scopes
    summary: Summary
    now: float
    unread: frozenset[str] = frozenset()


class Planning:
    """What is kept from one making to the next. With many budgets each making learns a few; see `unfinished`.

    A ledger that is `written` may tell something else of its past: that is read again from time to time.
    """

    def __init__(self, scopes: Scopes, *, written: bool = True) -> None:
        self.unfinished = False
        self._written = written
        self._scopes = scopes
        self._spend, self._last = SpendHours(scopes), SpendLast(scopes)
        self._forecasters: dict[str, Forecaster] = {}
        self._learnt: dict[str, tuple[int, int]] = {}
        self._until = 0
        self._version = 0
        self._read_at = self._whole_at = float("-inf")

    def is_of(self, scopes: Scopes) -> bool:
        """Say whether these are the budgets that it was made for."""
        mine = self._scopes
        return (mine.settings, mine.counts, mine.allowances) == (scopes.settings, scopes.counts, scopes.allowances)

    def make(self, connection: sqlite3.Connection, asked: Asked) -> Mapping[str, Plan]:
        """Return the plan of each budget, by its name."""
        self._bring_forward(connection, asked.now)
        self.unfinished = False
        left = _MOST_AT_ONCE
        told = {each.name: self._told(each, asked) for each in self._scopes.budgets}
        taken: dict[str, dict[float, Burnt | None]] = {}
        for when in set(told.values()):
            alike = [each for each in self._scopes.budgets if told[each.name] == when]
            taken |= burnt(connection, self._scopes, alike, when, WINDOWS, self._spend.first)
        found, last = {}, self._last.read(connection, asked.now)
        for budget in self._scopes.budgets:
            known = budget.name in self._forecasters
            if not known and left <= 0:
                self.unfinished = True
                continue
            left -= not known
            plan = self._plan(budget, told[budget.name], asked.now, taken[budget.name])
            unread = of_budget(budget, asked.unread, asked.summary.providers)
            before = Last(*last[budget.name]) if budget.name in last else None
            found[budget.name] = replace(plan, unread=unread, last=before)
        return found

    def _bring_forward(self, connection: sqlite3.Connection, now: float) -> None:
        until = int(now // HOUR) + 1
        if now - self._whole_at >= (_WHOLE_SECONDS if self._written else float("inf")):
            since, self._whole_at, self._read_at = until - KEPT_HOURS, now, now
        elif self._written and now - self._read_at >= _RESTATED_SECONDS:
            since, self._read_at = until - _RESTATED_HOURS, now
        else:
            since = min(until, self._until) - 2
        self._spend.read(connection, since, now)
        self._until = until
        self._version += 1

    def _told(self, budget: Budget, asked: Asked) -> float:
        """Return up to when all that is spent of a budget is known: providers tell late."""
        accounts = asked.summary.accounts
        ends = [accounts[each].complete_until for each in self._spend.sources(budget.name) if each in accounts]
        late = [end for end in ends if end is not None and asked.now - _LATE_TOLD_SECONDS <= end < asked.now]
        return min(late, default=asked.now)

    def _plan(self, budget: Budget, told: float, now: float, taken: Mapping[float, Burnt | None]) -> Plan:
        zone = budget.zone(self._scopes.settings.zone)
        start, end = period(budget.period, now, zone)
        forecaster = self._forecasters.get(budget.name)
        if forecaster is None:
            forecaster = self._forecasters[budget.name] = Forecaster(zone, longest_hours(budget.period))
        hour = int(told // HOUR)
        if self._learnt.get(budget.name) != (hour, self._version):
            self._learnt[budget.name] = hour, self._version
            begun = told / HOUR - hour
            late = self._spend.rate(budget.name, hour, begun) if begun >= _LEAST_BEGUN else None
            forecaster.take(Hours.of(self._spend.usd(budget.name, hour), hour), late)
        burns = tuple(_burn(forecaster, budget, width, each, told, (start, end)) for width, each in taken.items())
        return Plan(now, told, start, forecaster.forecast(told, end), burns, forecaster.busiest(_EPISODE_HOURS))


def _burn(
    forecaster: Forecaster, budget: Budget, seconds: float, taken: Burnt | None, told: float, span: tuple[float, float]
) -> Burn:
    hours = seconds / HOUR
    usual, whole = forecaster.usual(told - seconds, told), forecaster.usual(*span)
    limit = float(budget.limit_usd)
    planned = limit * usual / whole if usual is not None and whole else limit * seconds / (span[1] - span[0])
    return Burn(
        seconds=seconds,
        usd_per_hour=None if taken is None else taken.usd_per_hour,
        usual_usd_per_hour=None if usual is None else usual / hours,
        planned_usd_per_hour=planned / hours,
        known_seconds=seconds if taken is None else taken.seconds,
    )
