"""How a budget stands: what share is spent, when it will be used up, and which levels were crossed."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from decimal import Decimal
from fnmatch import fnmatchcase
from typing import NamedTuple
from zoneinfo import ZoneInfo

from infertop.money.budget_plan import Burn, Plan, outlook
from infertop.money.lines import NANO
from infertop.money.periods import PeriodKind, period
from infertop.money.settings import Budget, Conditions

OVER = "over"
OK = "ok"
_HOUR = 3600
_CENTS, _NANO_DIGITS = 2, 9


@dataclass(frozen=True, slots=True)
class Status:
    """A budget in the period from `start` to `end` (epoch seconds). None is unknown.

    `level` is "ok", or the highest level reached: "50%", "80%", "over", None where it is not known what is spent.
    `forecast_usd` is (low, mid, high) of what will
    have been spent by the end. `crossings` are the levels not reached yet and when they will be by that forecast,
    `exhausted_at` is when the limit is; None where that is not before the period ends or has happened already. `over`
    is the probability that it is reached by the end. `burns` are over several windows, `plan` is what all this stands
    on. `unread` are sources that have not told all of it yet: `spent_nano` is what is known so far, and where it will
    end is not known. `own_count` says that `spent_nano` is what the provider whose limit it is says itself.
    """

    budget: Budget
    start: float
    end: float
    spent_nano: int | None
    fraction: float | None
    level: str | None
    burn_usd_per_hour: float | None
    exhausted_at: float | None
    forecast_usd: tuple[float | None, float | None, float | None]
    own_count: bool = False
    crossings: tuple[tuple[str, float], ...] = ()
    over: float | None = None
    burns: tuple[Burn, ...] = ()
    plan: Plan | None = None
    unread: tuple[str, ...] = ()


def status(
    budget: Budget,
    spent_nano: int | None,
    burn_usd_per_hour: float | None,
    now: float,
    zone: ZoneInfo,
    plan: Plan | None = None,
    unread: tuple[str, ...] = (),
) -> Status:
    """Return how `budget` stands at `now` with `spent_nano` (1e-9 USD) spent since its period began.

    The forecast is that of `plan`. Where it has none it is spent + burn x time left; low and high are unknown. Where
    sources are `unread` it is not known, nor is the level, unless what was read is over the limit.
    """
    start, end = period(budget.period, now, zone)
    unread = unread or (plan.unread if plan is not None else ())
    stands = Status(
        budget=budget,
        start=start,
        end=end,
        spent_nano=spent_nano,
        fraction=None if spent_nano is None else spent_nano / NANO / float(budget.limit_usd),
        level=level(budget, spent_nano),
        burn_usd_per_hour=burn_usd_per_hour,
        exhausted_at=None,
        forecast_usd=(None, None, None),
    )
    if unread:
        return replace(stands, level=OVER if stands.level == OVER else None, unread=unread)
    found = _planned(budget, spent_nano, now, plan) if plan is not None and plan.start == start else None
    going = found or _going_on(budget, spent_nano, burn_usd_per_hour, now, end)
    return replace(
        stands,
        exhausted_at=going.exhausted_at,
        forecast_usd=going.usd,
        crossings=tuple((label(share), when) for share, when in going.crossings),
        over=going.over,
        burns=plan.burns if plan is not None else (),
        plan=plan if found is not None else None,
    )


class _Going(NamedTuple):
    """Where a budget is going, as of `Status`."""

    usd: tuple[float | None, float | None, float | None] = (None, None, None)
    crossings: tuple[tuple[Decimal, float], ...] = ()
    exhausted_at: float | None = None
    over: float | None = None


def _planned(budget: Budget, spent_nano: int | None, now: float, plan: Plan) -> _Going | None:
    """Return what `plan` says; None where it does not know."""
    if spent_nano is None:
        return None
    found = outlook(plan, spent_nano / NANO, float(budget.limit_usd), budget.alert_at, now)
    return None if found is None else _Going(found.usd, found.crossings, found.exhausted_at, found.over)


def _going_on(budget: Budget, spent_nano: int | None, usd_per_hour: float | None, now: float, end: float) -> _Going:
    """Return what comes of it if the burn goes on until the end."""
    if spent_nano is None or usd_per_hour is None:
        return _Going()
    spent, limit = spent_nano / NANO, float(budget.limit_usd)
    crossings = _crossings({*budget.alert_at}, limit, spent, usd_per_hour, now, end)
    gone = _crossings({Decimal(1)}, limit, spent, usd_per_hour, now, end)
    mid = spent + usd_per_hour * (end - now) / _HOUR
    return _Going((None, mid, None), crossings, gone[0][1] if gone else None)


def _crossings(
    shares: Set[Decimal], limit: float, spent: float, usd_per_hour: float, now: float, end: float
) -> tuple[tuple[Decimal, float], ...]:
    """Return when each share of the limit will be reached, lowest first, if the burn goes on until the end."""
    if usd_per_hour <= 0:
        return ()
    times = [(share, now + (float(share) * limit - spent) / usd_per_hour * _HOUR) for share in sorted(shares)]
    return tuple((share, when) for share, when in times if now < when <= end)


def reached(budget: Budget, spent_nano: int | None) -> tuple[Decimal, ...]:
    """Return the shares of `alert_at` that `spent_nano` has reached, lowest first."""
    return tuple(share for share in budget.alert_at if _reaches(budget, spent_nano, share))


def level(budget: Budget, spent_nano: int | None) -> str | None:
    """Return "ok" or the label of the highest share reached; at the limit it is "over", told or not; None: unknown."""
    if spent_nano is None:
        return None
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


def spent_text(usd: Decimal | float, limit_usd: Decimal | float) -> str:
    """Return an amount beside a limit: cents, or as many digits (9 at most) as tell it from 0 and from the limit."""
    amount, limit = Decimal(usd), Decimal(limit_usd)
    digits = _CENTS if not amount else min(max(_CENTS, 1 - amount.adjusted()), _NANO_DIGITS)
    while digits < _NANO_DIGITS and amount != limit and f"{amount:.{digits}f}" == f"{limit:.{digits}f}":
        digits += 1
    text = f"{amount:,.{digits}f}"
    while digits > _CENTS and text.endswith("0"):
        digits, text = digits - 1, text[:-1]
    return text


def limit_text(budget: Budget) -> str:
    """Return what may be spent, as one says it: "500 USD a day", "2 USD an hour"."""
    return f"{budget.limit_usd:,} USD {'an' if budget.period is PeriodKind.HOUR else 'a'} {budget.period}"


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
