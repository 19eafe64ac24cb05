from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.parts import split

ANY_WEIGHT = st.one_of(
    st.integers(-(10**12), 10**15),
    st.floats(allow_nan=True, allow_infinity=True),
    st.fractions(min_value=-5, max_value=10**6),
)


@given(st.integers(-(10**18), 10**18), st.lists(ANY_WEIGHT, min_size=1, max_size=12))
def test_parts_sum_to_the_whole_to_the_last_unit_whatever_the_weights(total, weights):
    parts = split(total, weights)
    assert sum(parts) == total
    assert len(parts) == len(weights)
    assert all(part * (1 if total >= 0 else -1) >= 0 for part in parts)


@given(st.integers(0, 10**15), st.lists(st.fractions(min_value=0, max_value=10**6), min_size=1, max_size=12))
def test_each_part_is_its_exact_share_rounded_down_or_up(total, weights):
    whole = sum(weights)
    for part, weight in zip(split(total, weights), weights, strict=True):
        exact = total * weight / whole if whole else Fraction(total, len(weights))
        assert abs(part - exact) < 1


@given(st.integers(0, 10**9), st.lists(st.floats(0, 1e6), min_size=1, max_size=8), st.integers(1, 2**40))
def test_the_scale_of_the_weights_does_not_matter(total, weights, factor):
    exact = [Fraction(weight) for weight in weights]
    assert split(total, exact) == split(total, [weight * factor for weight in exact])


@given(st.integers(0, 10**6), st.integers(1, 20))
def test_equal_weights_give_the_odd_units_to_the_first(total, count):
    parts = split(total, [1] * count)
    assert all(first - second in (0, 1) for first, second in pairwise(parts))


def test_weights_that_are_no_numbers_count_as_zero():
    assert split(10, [float("nan"), 1, -3, float("inf"), 1]) == [0, 5, 0, 0, 5]


def test_without_any_weight_above_zero_the_parts_are_equal():
    assert split(10, [0, float("nan"), -1]) == [4, 3, 3]


def test_a_negative_total_gives_the_negated_parts_of_its_size():
    assert split(-10, [2, 1]) == [-7, -3]


def test_nothing_can_only_be_divided_among_nobody_when_it_is_nothing():
    assert split(0, []) == []
    with pytest.raises(ValueError, match="divided among nobody"):
        split(1, [])


def test_a_tiny_weight_beside_a_huge_one_is_still_exact():
    assert split(10**18, [1e300, 5e-324]) == [10**18, 0]
