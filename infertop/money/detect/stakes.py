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
    """Return the least dollars at stake: [alert] floor_usd, else 1 or 0.5 % of the largest budget over a month."""
    if settings.alert.floor_usd is not None:
        return float(settings.alert.floor_usd)
    months = [float(each.limit_usd) * _IN_A_MONTH[each.period] for each in settings.budgets]
    return max(LEAST_USD, _SHARE * max(months, default=0.0))


def rule_of(settings: Settings) -> Rule:
    """Return what makes an incident, by what pricing.toml says of alerts."""
    rule = replace(USUAL, floor_usd=floor_usd(settings))
    return rule if settings.alert.ratio is None else replace(rule, ratio=float(settings.alert.ratio))
