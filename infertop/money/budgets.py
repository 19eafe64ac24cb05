"""How a budget stands: what share is spent, when it will be used up, and which levels were crossed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fnmatch import fnmatchcase
from zoneinfo import ZoneInfo

from infertop.money.lines import NANO
from infertop.money.periods import period
from infertop.money.settings import Budget, Conditions

OVER = "over"
OK = "ok"
_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Status:
    """A budget in the period from `start` to `end` (epoch seconds). None is unknown.

    `level` is "ok", or the highest level reached: "50%", "80%", "over". `exhausted_at` is when the limit is reached
    if the burn goes on, None where that is not before the period ends or has happened already. `forecast_usd` is
    (low, mid, high) of what will have been spent by the end. `own_count` says that `spent_nano` is what the provider
    whose limit it is says itself.
    """

    budget: Budget
    start: float
    end: float
    spent_nano: int | None
    fraction: float | None
    level: str
    burn_usd_per_hour: float | None
    exhausted_at: float | None
    forecast_usd: tuple[float | None, float | None, float | None]
    own_count: bool = False


def status(
    budget: Budget, spent_nano: int | None, burn_usd_per_hour: float | None, now: float, zone: ZoneInfo
) -> Status:
    """Return how `budget` stands at `now` with `spent_nano` (1e-9 USD) spent since its period began.

    The forecast is spent + burn x time left; low and high are unknown.
    """
    start, end = period(budget.period, now, zone)
    spent = None if spent_nano is None else spent_nano / NANO
    limit = float(budget.limit_usd)
    mid = exhausted = None
    if spent is not None and burn_usd_per_hour is not None:
        mid = spent + burn_usd_per_hour * (end - now) / _HOUR
        if spent < limit <= mid and burn_usd_per_hour > 0:
            exhausted = now + (limit - spent) / burn_usd_per_hour * _HOUR
    return Status(
        budget=budget,
        start=start,
        end=end,
        spent_nano=spent_nano,
        fraction=None if spent is None else spent / limit,
        level=level(budget, spent_nano),
        burn_usd_per_hour=burn_usd_per_hour,
        exhausted_at=exhausted,
        forecast_usd=(None, mid, None),
    )


def reached(budget: Budget, spent_nano: int | None) -> tuple[Decimal, ...]:
    """Return the shares of `alert_at` that `spent_nano` has reached, lowest first."""
    return tuple(share for share in budget.alert_at if _reaches(budget, spent_nano, share))


def level(budget: Budget, spent_nano: int | None) -> str:
    """Return "ok" or the label of the highest share reached; at the limit it is "over", told or not."""
    if _reaches(budget, spent_nano, Decimal(1)):
        return OVER
    shares = reached(budget, spent_nano)
    return label(shares[-1]) if shares else OK


def crossed(budget: Budget, before_nano: int | None, after_nano: int | None) -> tuple[Decimal, ...]:
    """Return the shares of `alert_at` that are reached with `after_nano` and were not with `before_nano`.

    In a new period `before_nano` is 0. Who keeps the highest share told in a period tells each of them once.
    """
    return reached(budget, after_nano)[len(reached(budget, before_nano)) :]


def label(share: Decimal) -> str:
    """Return how a share of a budget is called: "80%", "over", "120%"."""
    return OVER if share == 1 else f"{float(share * 100):.15g}%"


def _reaches(budget: Budget, spent_nano: int | None, share: Decimal) -> bool:
    return spent_nano is not None and spent_nano >= share * budget.limit_usd * NANO


def matches(conditions: Conditions, dimensions: Mapping[str, str | None]) -> bool:
    """Tell whether every glob of `conditions` matches its dimension; what has no value matches none."""
    return all(
        (value := dimensions.get(name)) is not None and (value == glob or fnmatchcase(value, glob))
        for name, glob in conditions
    )


def scope(conditions: Conditions) -> str:
    """Return the conditions as one writes them: `model=gpt-4o* team=support`; everything is the empty text."""
    return " ".join(f"{name}={glob}" for name, glob in conditions)
