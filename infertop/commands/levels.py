"""Budgets: levels that were crossed or will be, and runaways; each is announced once, also over restarts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infertop.commands.guard import EPISODE_SECONDS, runaway, runaway_text
from infertop.history.allowed import spent_by_own_count, with_names
from infertop.history.summary import Summary
from infertop.money.budget_plan import Plan, outlook
from infertop.money.budgets import label, reached
from infertop.money.lines import NANO
from infertop.money.periods import period
from infertop.money.settings import Budget, Settings
from infertop.views.shapes import Event

FORECAST, SURE = "forecast 100%", "forecast 100%, nearly sure"
RUNAWAY = "runaway"
_LIKELY, _NEARLY_SURE = 0.5, 0.9
_LEAST_TRIALS = 4
_STALE_SECONDS = 600.0
_PATIENCE_SECONDS = 90.0  # more than one plan says so


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
    """Remembers what was announced until the recorder has noted it. `plans` say what is to be expected, by budget."""

    def __init__(self) -> None:
        self.plans: Mapping[str, Plan] = {}
        self._announced: set[Level] = set()
        self._new: list[Level] = []
        self._likely_since: dict[Level, float] = {}

    def cross(self, summary: Summary, settings: Settings, now: float) -> Iterator[tuple[str, Event]]:
        """Yield an event, with its key, for each budget that crossed a level: where it crossed several, the highest.

        Besides for each that will be over by its end, as its plan says, and of which much is burnt in a short time.
        """
        own_count = spent_by_own_count(summary.accounts, (each.name for each in settings.budgets), now)
        for budget in (*settings.budgets, *summary.allowances):
            spent = summary.budgets.get(budget.name)
            start = int(period(budget.period, now, budget.zone(settings.zone))[0])
            own = own_count.get(budget.name) if budget.origin else None
            nano = own if own is not None else spent.usd_nano if spent is not None else None
            if spent is None or int(spent.start) != start or nano is None:
                continue
            named = with_names(budget, summary.names)
            crossed = [Level(budget.name, start, label(share)) for share in reached(budget, nano)]
            new = [level for level in crossed if self._tell(level, summary)]
            if new and new[-1] == crossed[-1]:
                yield new[-1].key, _event(named, new[-1], nano, now)
            plan = self.plans.get(budget.name)
            if plan is None or int(plan.start) != start or now - plan.made > _STALE_SECONDS:
                continue
            if budget.alert_at and nano < budget.limit_usd * NANO:
                yield from self._expected(
                    named, plan, Level(budget.name, start, FORECAST), nano, summary, settings, now
                )
                yield from self._runaway(named, plan, Level(budget.name, start, RUNAWAY), summary, now)

    def _tell(self, level: Level, summary: Summary) -> bool:
        """Say whether a level is to be announced, and note that it was."""
        if level in summary.told or level in self._announced:
            return False
        self._announced.add(level)
        self._new.append(level)
        return True

    def _expected(
        self, budget: Budget, plan: Plan, level: Level, nano: int, summary: Summary, settings: Settings, now: float
    ) -> Iterator[tuple[str, Event]]:
        found = outlook(plan, nano / NANO, float(budget.limit_usd), (), now)
        if found is None or plan.forecast is None or plan.forecast.trials < _LEAST_TRIALS or found.over < _LIKELY:
            self._likely_since.pop(level, None)
            return
        if now - self._likely_since.setdefault(level, now) < _PATIENCE_SECONDS:
            return
        sure = found.over >= _NEARLY_SURE
        # Who hears that it is nearly sure need not hear afterwards that it is likely.
        new = [each for each in (level, level._replace(level=SURE))[: 1 + sure] if self._tell(each, summary)]
        if new:
            low, mid, high = found.usd
            likely = "" if sure else f", {found.over:.0%} likely to be over"
            text = (
                f"{budget.name}: heading for {mid:,.2f} of {budget.limit_usd:,} USD a {budget.period}"
                f" ({low:,.2f} to {high:,.2f}){_when(found.exhausted_at, budget.zone(settings.zone))}{likely}"
            )
            event = _told(budget, text, "alarm" if sure else "warn", now)
            yield new[-1].key, event

    def _runaway(
        self, budget: Budget, plan: Plan, level: Level, summary: Summary, now: float
    ) -> Iterator[tuple[str, Event]]:
        """Yield an event where much is burnt in a short time; once in an episode, and in the one that follows it."""
        burn = runaway(budget, plan)
        if burn is None:
            return
        episode = int(now // EPISODE_SECONDS)
        before, here = (level._replace(level=f"{RUNAWAY} {each}") for each in (episode - 1, episode))
        if before not in summary.told and before not in self._announced and self._tell(here, summary):
            yield here.key, _told(budget, runaway_text(budget, burn), "alarm", now)

    def take(self) -> list[Level]:
        """Return what was announced since the last time."""
        new, self._new = self._new, []
        return new


def _when(ts: float | None, zone: ZoneInfo) -> str:
    return "" if ts is None else f", gone {datetime.fromtimestamp(ts, zone):%a %d %b %H:%M}"


def _event(budget: Budget, level: Level, spent_nano: int, now: float) -> Event:
    spent = spent_nano / NANO
    text = f"{budget.name}: {spent:,.2f} of {budget.limit_usd:,} USD a {budget.period} spent ({level.level})"
    return _told(budget, text, "alarm" if spent_nano >= budget.limit_usd * NANO else "warn", now)


def _told(budget: Budget, text: str, level: str, now: float) -> Event:
    return Event(
        ts=now,
        level=level,
        kind="budget",
        text=text,
        scope={"budget": budget.name},
        until=now,
    )
