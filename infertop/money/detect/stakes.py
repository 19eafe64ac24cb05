"""What has to be at stake before an incident is told."""

from __future__ import annotations

from dataclasses import replace

from infertop.money.detect.incidents import Rule
from infertop.money.detect.watched import USUAL
from infertop.money.periods import PeriodKind
from infertop.money.settings import Settings

LEAST_USD = 1.0
_SHARE = 0.005
_IN_A_MONTH = {PeriodKind.HOUR: 730.5, PeriodKind.DAY: 30.4375, PeriodKind.WEEK: 4.348125, PeriodKind.MONTH: 1.0}


def floor_usd(settings: Settings) -> float:
    """Return the least dollars at stake: [alert] floor_usd, else 1 or 0.5 % of the largest budget over a month.

    That is one of the longest period that any has: an hour's limit allows for peaks, 730 of which nobody means to pay.
    """
    if settings.alert.floor_usd is not None:
        return float(settings.alert.floor_usd)
    periods = (_IN_A_MONTH[each.period] for each in settings.budgets)
    longest = min(periods, default=1.0)
    limits = (each.limit_usd for each in settings.budgets if _IN_A_MONTH[each.period] == longest)
    return max(LEAST_USD, _SHARE * longest * float(max(limits, default=0)))


def rule_of(settings: Settings) -> Rule:
    """Return what makes an incident, by what pricing.toml says of alerts."""
    rule = replace(USUAL, floor_usd=floor_usd(settings))
    return rule if settings.alert.ratio is None else replace(rule, ratio=float(settings.alert.ratio))
