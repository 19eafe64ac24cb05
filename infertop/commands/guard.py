"""The guard against runaways: a share of a budget that is burnt in minutes, far beyond what is usual then."""

from __future__ import annotations

from infertop.money.budget_plan import Burn, Plan
from infertop.money.periods import PeriodKind
from infertop.money.settings import Budget

EPISODE_SECONDS = 6 * 3600
_BEYOND_USUAL = 3.0
_SHARES: dict[tuple[PeriodKind, float], float] = {
    # Of a month's limit spread evenly 14.4 and 43 times as much, of a week's 17 and 50, of a day's 4.8 and 14: ordinary
    # traffic takes up to 2.3 times the mean in its busiest hour, 3.3 times in its busiest ten minutes.
    (PeriodKind.MONTH, 3600.0): 0.02,
    (PeriodKind.MONTH, 600.0): 0.01,
    (PeriodKind.WEEK, 3600.0): 0.10,
    (PeriodKind.WEEK, 600.0): 0.05,
    (PeriodKind.DAY, 3600.0): 0.20,
    (PeriodKind.DAY, 600.0): 0.10,
}


def runaway(budget: Budget, plan: Plan) -> Burn | None:
    """Return the window in which too much of a budget was burnt, None where there is none.

    What is usual must be known: a machine whose cost is the same in every hour, or a job of every night, is none.
    """
    for burn in plan.burns:
        share = _SHARES.get((budget.period, burn.seconds))
        if share is None or burn.usd_per_hour is None or burn.usual_usd_per_hour is None:
            continue
        spent = burn.usd_per_hour * burn.seconds / 3600
        if spent >= share * float(budget.limit_usd) and burn.usd_per_hour >= _BEYOND_USUAL * burn.usual_usd_per_hour:
            return burn
    return None


def runaway_text(budget: Budget, burn: Burn) -> str:
    """Return the sentence for it."""
    assert burn.usd_per_hour is not None
    spent = burn.usd_per_hour * burn.seconds / 3600
    minutes = burn.seconds / 60
    usual = (
        f", usually {burn.usual_usd_per_hour * burn.seconds / 3600:,.2f}" if burn.usual_usd_per_hour is not None else ""
    )
    return (
        f"{spent:,.2f} USD in {minutes:.0f} minutes{usual}: {spent / float(budget.limit_usd):.0%} of"
        f" the {budget.period}'s {budget.limit_usd:,} USD; at this rate the limit lasts"
        f" {float(budget.limit_usd) / burn.usd_per_hour:,.1f} hours"
    )
