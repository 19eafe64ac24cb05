"""The guard against runaways: a budget that burns in minutes far beyond what it allows and what was ever seen."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from infertop.money.budget_plan import Burn, Plan
from infertop.money.budgets import limit_text, spent_text
from infertop.money.periods import PeriodKind
from infertop.money.settings import Budget

EPISODE_SECONDS = 6 * 3600
_BEYOND_USUAL = 3.0
_ABOUT_AS_MUCH = 0.25
_HOURS = {PeriodKind.DAY: 24, PeriodKind.WEEK: 168, PeriodKind.MONTH: 720}
_ON_THE_FIRST_DAY = 3.0  # nobody knows yet what its busiest hour is


class _Rule(NamedTuple):
    """So many times what the limit allows if it is spread evenly, and so many times the busiest hour that is known."""

    even: float
    busiest: float


# Ordinary traffic takes up to 2.3 times its mean in an hour, 3.3 times in ten minutes; what bursts higher did before.
_RULES = {3600.0: _Rule(5.0, 1.5), 600.0: _Rule(7.0, 3.0)}


def runaway(budget: Budget, plan: Plan) -> Burn | None:
    """Return the window in which too much of a budget was burnt, None where there is none.

    What is usual must be known: a machine whose cost is the same in every hour, or a job of every night, is none.
    """
    return next((burn for burn in plan.burns if _is_wild(budget, plan, burn)), None)


def _is_wild(budget: Budget, plan: Plan, burn: Burn) -> bool:
    rule, hours = _RULES.get(burn.seconds), _HOURS.get(budget.period)
    if rule is None or hours is None or burn.usd_per_hour is None or burn.usual_usd_per_hour is None:
        return False
    busiest = plan.busiest_usd_per_hour
    even = float(budget.limit_usd) / hours * rule.even * (_ON_THE_FIRST_DAY if busiest is None else 1.0)
    return burn.usd_per_hour >= max(even, _BEYOND_USUAL * burn.usual_usd_per_hour, rule.busiest * (busiest or 0.0))


def burns_too(budget: Budget, burn: Burn, other: Budget, plan: Plan) -> bool:
    """Say whether what burns wildly of a budget is spent from another one too: as much more than usual burns of it."""
    if _are_apart(budget, other):
        return False
    its = next((each for each in plan.burns if each.seconds == burn.seconds), None)
    more, its_more = _beyond_usual(burn), None if its is None else _beyond_usual(its)
    return more is not None and its_more is not None and abs(its_more - more) <= _ABOUT_AS_MUCH * more


def _are_apart(one: Budget, other: Budget) -> bool:
    """Say whether two budgets are of different things for sure: of one dimension they want what is not the same."""
    wanted = dict(other.conditions)
    return any(
        (value := wanted.get(name)) is not None and not (fnmatchcase(value, glob) or fnmatchcase(glob, value))
        for name, glob in one.conditions
    )


def _beyond_usual(burn: Burn) -> float | None:
    if burn.usd_per_hour is None or burn.usual_usd_per_hour is None:
        return None
    return max(0.0, burn.usd_per_hour - burn.usual_usd_per_hour)


def runaway_text(budget: Budget, burn: Burn, gone: float, others: Sequence[tuple[str, Budget]] = ()) -> str:
    """Return the sentence for it; `gone` is what of the budget is spent in all (USD), and less than its limit.

    `others` are budgets that it is spent from besides, with what people call them.
    """
    assert burn.usd_per_hour is not None
    hours = (burn.known_seconds or burn.seconds) / 3600
    spent, limit = burn.usd_per_hour * hours, float(budget.limit_usd)
    usual = burn.usual_usd_per_hour
    usually = "" if usual is None else f", usually {spent_text(usual * hours, spent)}"
    left = max(limit - gone, 0.0)
    return (
        f"{spent_text(spent, limit)} USD in {hours * 60:.0f} minutes{usually}:"
        f" {_percent(spent / limit)} of {limit_text(budget)}, of which {spent_text(left, limit)} USD are left:"
        f" {_lasts(left / burn.usd_per_hour)} at this rate"
        + "".join(f"; {_percent(spent / float(each.limit_usd))} of {name}, {limit_text(each)}" for name, each in others)
    )


def _lasts(hours: float) -> str:
    return f"{hours:,.1f} hours" if hours >= 1 else f"{max(hours * 60, 1):,.0f} minutes"


def _percent(share: float) -> str:
    return f"{share:.{0 if share >= 0.1 else 1}%}"
