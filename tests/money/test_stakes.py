"""How much has to be at stake before an incident is told."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infertop.money.detect.stakes import floor_usd
from infertop.money.periods import PeriodKind
from infertop.money.settings import Alert, Budget, Settings

HOUR, DAY, MONTH = PeriodKind.HOUR, PeriodKind.DAY, PeriodKind.MONTH


def settings(*budgets: tuple[int, PeriodKind]) -> Settings:
    return Settings(budgets=tuple(Budget(f"{limit}", Decimal(limit), of, "") for limit, of in budgets))


@pytest.mark.parametrize(
    ("budgets", "floor"),
    [
        ((), 1.0),
        (((10, MONTH),), 1.0),
        (((2000, MONTH), (12_000, MONTH)), 60.0),
        (((100, DAY),), 0.005 * 3043.75),
        (((60, HOUR), (12_000, MONTH)), 60.0),
        (((60, HOUR), (500, DAY), (2000, MONTH)), 10.0),
    ],
)
def test_it_is_a_share_of_what_is_meant_to_be_spent_however_high_an_hour_may_go(
    budgets: tuple[tuple[int, PeriodKind], ...], floor: float
) -> None:
    assert floor_usd(settings(*budgets)) == pytest.approx(floor)


def test_what_the_file_says_goes_before() -> None:
    assert floor_usd(Settings(alert=Alert(floor_usd=Decimal(3)))) == 3.0
