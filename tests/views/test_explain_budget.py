"""What is expected of a budget can be worked out by hand from its explanation."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infertop.money.budget_plan import Plan
from infertop.money.budgets import status
from infertop.money.forecast.forecaster import Forecaster
from infertop.money.periods import PeriodKind
from infertop.money.settings import UTC, Budget
from infertop.views.explain_budget import _planned
from infertop.views.overview import budget_row
from infertop.views.shapes import Explained
from tests.money.forecast.series import DAY, WEEK, at, hours, spend
from tests.views.calculator import check

OFFICE = [20.0 if 9 <= each % DAY < 17 else 0.0 for each in range(4 * WEEK)]


@pytest.mark.parametrize(("past", "known", "sums"), [(spend(4 * WEEK), 9, 3), (OFFICE, 12, 3), (OFFICE, 20, 2)])
def test_a_forecast_and_its_interval_are_spent_the_rest_and_how_far_off_it_was_before(
    past: list[float], known: int, sums: int
) -> None:
    """In the evening nothing more is expected: the low end is what is spent, and there is nothing to work out."""
    past = past[: 3 * WEEK + known]
    now, spent = at(len(past)), sum(past[3 * WEEK :])
    forecaster = Forecaster(UTC, DAY)
    forecaster.take(hours(past))
    plan = Plan(now, now, at(3 * WEEK), forecaster.forecast(now, at(3 * WEEK + DAY)))
    budget = Budget("all", Decimal(500), PeriodKind.DAY, "pricing.toml:1")
    found = status(budget, round(spent * 1e9), None, now, UTC, plan)
    said = Explained("ends at", _planned(plan, budget_row(found, 1.0)))
    assert check(said) == sums
