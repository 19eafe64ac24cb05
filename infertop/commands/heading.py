"""Where budgets are heading: which levels will be crossed, told while there is time to do something about it.

A level is told where it is likelier than not (the limit; of a day likely) or nearly sure (what is below the limit), by
more than one plan. Of a day one such message is enough, and of the limit alone; an hour is over too soon to act.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infertop.money.budget_plan import Outlook, Plan, outlook
from infertop.money.budgets import label, limit_text
from infertop.money.lines import NANO
from infertop.money.periods import PeriodKind
from infertop.money.settings import Budget

SURE = "forecast 100%, nearly sure"
_LIKELY, _NEARLY_SURE = 0.5, 0.9
_LIKELY_OF_A_DAY = 0.7  # told once: of real days 6 of 7 were over then, of those at 0.5 5 of 7
_LEAST_TRIALS = 4
_PATIENCE_SECONDS = 90.0  # more than one plan says so
_LIMIT = Decimal(1)


class Heading(NamedTuple):
    """What is to be told: the `levels` that it says, lowest first, the words, and how severe it is."""

    levels: tuple[str, ...]
    text: str
    severity: str


class Headings:
    """Remembers since when each level of each budget and period has been likely."""

    def __init__(self) -> None:
        self._since: dict[str, tuple[float, dict[str, float]]] = {}

    def look(
        self, budget: Budget, plan: Plan, spent_nano: int, told: Collection[str], now: float, zone: ZoneInfo
    ) -> Heading | None:
        """Return what is new of a budget of which `told` was said in this period; None where nothing is."""
        found = outlook(plan, spent_nano / NANO, float(budget.limit_usd), budget.alert_at, now)
        if found is None or plan.forecast is None or plan.forecast.trials < _LEAST_TRIALS:
            self._since.pop(budget.name, None)
            return None
        likely = self._lasting(budget.name, plan.start, _likely(budget, found), now)
        new = _new(budget, likely, told)
        return _heading(budget, found, new, zone) if new else None

    def _lasting(self, name: str, period: float, likely: list[str], now: float) -> list[str]:
        """Return the levels of `likely` that have been so for long enough."""
        before, since = self._since.get(name, (period, {}))
        since = {level: since.get(level, now) if before == period else now for level in likely}
        self._since[name] = period, since
        return [level for level in likely if now - since[level] >= _PATIENCE_SECONDS]


def forecast_of(share: Decimal) -> str:
    """Return how the forecast of a level is noted: "forecast 100%", "forecast 80%"."""
    return f"forecast {'100%' if share == _LIMIT else label(share)}"


def _likely(budget: Budget, found: Outlook) -> list[str]:
    """Return the levels that are to be told by how probable they are, lowest first."""
    if budget.period is PeriodKind.HOUR:
        return []
    names = []
    if budget.period is not PeriodKind.DAY:
        below = [share for share, chance in found.chances if share < _LIMIT and chance >= _NEARLY_SURE]
        names += [forecast_of(share) for share in below if share in budget.alert_at]
    if found.over >= (_LIKELY_OF_A_DAY if budget.period is PeriodKind.DAY else _LIKELY):
        names.append(forecast_of(_LIMIT))
    if found.over >= _NEARLY_SURE:
        names.append(SURE)
    return names


def _new(budget: Budget, likely: list[str], told: Collection[str]) -> list[str]:
    """Return what nobody was told of. Where the limit was, what is below it is no news, nor is a day's again."""
    limit = forecast_of(_LIMIT)
    if SURE in told or (limit in told and (SURE not in likely or budget.period is PeriodKind.DAY)):
        return []
    if limit in told:
        return [SURE]
    return [name for name in likely if name not in told]


def _heading(budget: Budget, found: Outlook, new: list[str], zone: ZoneInfo) -> Heading:
    low, mid, high = found.usd
    times = [
        f"{'gone' if share == _LIMIT else label(share)} {datetime.fromtimestamp(when, zone):%a %d %b %H:%M}"
        for share, when in (*found.crossings, *_gone(found))
        if forecast_of(share) in new or share == _LIMIT
    ]
    over = forecast_of(_LIMIT) in new or SURE in new
    sure = SURE in new
    text = (
        f"heading for {mid:,.2f} of {limit_text(budget)} ({low:,.2f} to {high:,.2f})"
        + "".join(f", {each}" for each in times)
        + (f", {found.over:.0%} likely to be over" if over and not sure else "")
    )
    return Heading(tuple(new), text, "alarm" if sure else "warn" if over else "info")


def _gone(found: Outlook) -> tuple[tuple[Decimal, float], ...]:
    """Return when the limit is reached, where that is none of the levels that were asked for."""
    if found.exhausted_at is None or any(share == _LIMIT for share, _ in found.crossings):
        return ()
    return ((_LIMIT, found.exhausted_at),)
