from __future__ import annotations

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.budgets import crossed, label, level, matches, reached, scope, spent_text, status
from infertop.money.lines import NANO
from infertop.money.periods import PeriodKind
from infertop.money.settings import ALERT_AT, UTC, Budget

HOUR = 3600.0
DAY = 24 * HOUR
NOON = 20_000 * DAY + 12 * HOUR


def budget(limit: str = "100", *levels: str) -> Budget:
    return Budget("b", Decimal(limit), PeriodKind.DAY, "pricing.toml:1", tuple(map(Decimal, levels)) or ALERT_AT)


def test_a_budget_says_what_share_is_spent_and_what_it_will_be() -> None:
    found = status(budget(), 50 * NANO, 2.0, NOON, UTC)
    assert (found.start, found.end) == (NOON - 12 * HOUR, NOON + 12 * HOUR)
    assert found.fraction == 0.5
    assert found.level == "50%"
    assert found.forecast_usd == (None, 74.0, None)
    assert found.exhausted_at is None


def test_a_burn_that_uses_up_the_budget_says_when() -> None:
    found = status(budget(), 50 * NANO, 10.0, NOON, UTC)
    assert found.forecast_usd[1] == 170.0
    assert found.exhausted_at == NOON + 5 * HOUR


def test_a_budget_that_is_over_has_no_time_left_to_tell() -> None:
    found = status(budget(), 120 * NANO, 10.0, NOON, UTC)
    assert (found.level, found.exhausted_at, found.fraction) == ("over", None, 1.2)


def test_what_is_not_known_is_unknown() -> None:
    found = status(budget(), None, 2.0, NOON, UTC)
    assert (found.fraction, found.level, found.forecast_usd, found.exhausted_at) == (
        None,
        None,
        (None, None, None),
        None,
    )
    assert level(budget(), None) is None
    assert status(budget(), 5 * NANO, None, NOON, UTC).forecast_usd == (None, None, None)


def test_nothing_is_used_up_by_no_burn() -> None:
    assert status(budget(), 5 * NANO, 0.0, NOON, UTC).exhausted_at is None


@pytest.mark.parametrize(
    ("spent", "expected"),
    [
        ("0", "ok"),
        ("49.999999999", "ok"),
        ("50", "50%"),
        ("79.999999999", "50%"),
        ("80", "80%"),
        ("100", "over"),
        ("900", "over"),
    ],
)
def test_the_level_is_the_highest_share_reached_to_the_last_unit(spent: str, expected: str) -> None:
    assert level(budget(), int(Decimal(spent) * NANO)) == expected


def test_a_budget_is_over_at_its_limit_whatever_is_told() -> None:
    assert level(budget("100", "0.9"), 100 * NANO) == "over"
    assert level(budget("100", "0.9", "1.2"), 130 * NANO) == "over"
    assert [label(each) for each in (Decimal("0.125"), Decimal("1.0"), Decimal("1.2"))] == ["12.5%", "over", "120%"]


def test_each_level_is_crossed_once() -> None:
    amounts = [int(each * NANO) for each in (0, 49, 50, 60, 81, 81, 150)]
    told = [crossed(budget(), before, after) for before, after in pairwise(amounts)]
    assert [[label(each) for each in some] for some in told] == [[], ["50%"], [], ["80%"], [], ["over"]]


def test_a_leap_crosses_several_levels_and_a_correction_none() -> None:
    assert crossed(budget(), 0, 100 * NANO) == ALERT_AT
    assert crossed(budget(), None, 60 * NANO) == ALERT_AT[:1]
    assert crossed(budget(), 100 * NANO, 60 * NANO) == ()


@given(st.lists(st.integers(0, 10**12), max_size=20).map(sorted))
def test_over_any_rising_spend_every_level_reached_is_told_exactly_once(spends: list[int]) -> None:
    told = [
        share for before, after in zip([0, *spends], spends, strict=False) for share in crossed(budget(), before, after)
    ]
    assert told == list(reached(budget(), spends[-1] if spends else 0))


def test_a_budget_without_conditions_matches_everything() -> None:
    assert matches((), {"model": None})


def test_every_condition_must_match_and_nothing_matches_what_is_missing() -> None:
    conditions = (("model", "gpt-4o*"), ("team", "support"))
    assert matches(conditions, {"model": "gpt-4o-mini", "team": "support"})
    assert not matches(conditions, {"model": "gpt-4o-mini", "team": "sales"})
    assert not matches(conditions, {"model": "gpt-4o-mini", "team": None})
    assert not matches((("team", "*"),), {})
    assert not matches((("model", "gpt"),), {"model": "GPT"})
    assert matches((("model", "org/m[4bit]"),), {"model": "org/m[4bit]"})
    assert scope(conditions) == "model=gpt-4o* team=support"


@pytest.mark.parametrize(
    ("usd", "limit", "text"),
    [
        ("24", "45", "24.00"),
        ("0", "1", "0.00"),
        ("0.5", "1", "0.50"),
        ("0.0051", "0.01", "0.0051"),
        ("0.000000049", "0.01", "0.000000049"),
        ("499.9996", "500", "499.9996"),
        ("500", "500", "500.00"),
        ("1234.5", "1000", "1,234.50"),
        (0.1, 0.1, "0.10"),
        (2.0**100, 1.0, "1,267,650,600,228,229,401,496,703,205,376.00"),
    ],
)
def test_an_amount_beside_a_limit_has_the_digits_that_tell_them_apart(
    usd: str | float, limit: str | float, text: str
) -> None:
    both = [Decimal(each) if isinstance(each, str) else each for each in (usd, limit)]
    assert spent_text(*both) == text
