"""What is planned for a budget and what is to be expected of it: burn rates, the forecast, when levels are crossed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import erf, log, sqrt
from typing import NamedTuple

from infertop.money.forecast.forecaster import Forecast

_Z = 1.2816  # 80 % of a normal distribution is within so many standard deviations
_TINY = 1e-6


@dataclass(frozen=True, slots=True)
class Burn:
    """What was spent in the last `seconds`, in USD an hour, beside what is usual and what the limit allows then.

    `planned_usd_per_hour` is the limit divided over the period as spend usually is over a week. None is unknown: of
    less than half of the window something is known. Where it is not known whole, it is over `known_seconds` of it.
    """

    seconds: float
    usd_per_hour: float | None
    usual_usd_per_hour: float | None
    planned_usd_per_hour: float | None
    known_seconds: float | None = None

    @property
    def of_plan(self) -> float | None:
        """How many times what is planned is spent."""
        if self.usd_per_hour is None or not self.planned_usd_per_hour:
            return None
        return self.usd_per_hour / self.planned_usd_per_hour


class Last(NamedTuple):
    """The period before the running one: when it began (epoch seconds), and what is spent of it, in 1e-9 USD."""

    start: int
    nano: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What the ledger lets expect of a budget, as of `made`; it has told of everything until `told` (epoch seconds).

    `start` is the beginning of the period that the forecast is of; it is None with less than a day of history, so is
    `busiest_usd_per_hour`, what the dearest hour took that was over six hours ago. `unread` are sources that had not
    told all by then: nothing is to be made of it. `last` is the period before, for as long as sources may tell of it.
    """

    made: float
    told: float
    start: float
    forecast: Forecast | None = None
    burns: tuple[Burn, ...] = ()
    busiest_usd_per_hour: float | None = None
    last: Last | None = None
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outlook:
    """Where a budget will be at the end of its period: (low, mid, high) in USD, 80 % of the truths between.

    `crossings` are levels not reached yet and when they will be, by the middle forecast; `exhausted_at` is that of the
    limit. `over` is the probability that the limit is reached, `chances` are those of all these levels.
    """

    usd: tuple[float, float, float]
    crossings: tuple[tuple[Decimal, float], ...]
    exhausted_at: float | None
    over: float
    chances: tuple[tuple[Decimal, float], ...] = ()


def outlook(plan: Plan, spent: float, limit: float, shares: Sequence[Decimal], now: float) -> Outlook | None:
    """Return what is to be expected with `spent` USD spent at `now`; None without a forecast."""
    forecast = plan.forecast
    if forecast is None:
        return None
    at = now - (plan.made - plan.told)
    before = forecast.until(at)
    left = max(0.0, forecast.mid - before)
    low, high = forecast.edges(left)
    crossings, chances = [], []
    for share in sorted({*shares, Decimal(1)}):
        more = float(share) * limit - spent
        when = forecast.reaches(before + more) if more > 0 else None
        if when is not None and left > 0:
            crossings.append((share, max(now, when)))
        if more > 0:
            chances.append((share, _over(more, left, forecast)))
    wanted = {*shares}
    return Outlook(
        usd=(spent + low, spent + left, spent + high),
        crossings=tuple(each for each in crossings if each[0] in wanted),
        exhausted_at=next((when for share, when in crossings if share == 1), None),
        over=_over(limit - spent, left, forecast),
        chances=tuple(chances),
    )


def _over(room: float, left: float, forecast: Forecast) -> float:
    """Return the probability that more than `room` is still spent where `left` is expected, with log-normal errors."""
    if room <= 0:
        return 1.0
    if left <= 0:
        return 0.0
    deviation = max(forecast.spread / _Z, _TINY)
    return 0.5 * (1 - erf(log((room + forecast.grain) / (left + forecast.grain)) / deviation / sqrt(2)))
