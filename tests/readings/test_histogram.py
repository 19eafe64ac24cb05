"""Histograms: differences, sums over ranks, mean, and quantiles that stay in their bucket."""

import math
import random
from bisect import bisect_left
from itertools import accumulate

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from infertop.readings.histogram import NOTHING, add, difference, mean, quantile
from infertop.readings.model import Buckets

INF = math.inf
TTFT = (
    0.001,
    0.005,
    0.01,
    0.02,
    0.04,
    0.06,
    0.08,
    0.1,
    0.25,
    0.5,
    0.75,
    1,
    2.5,
    5,
    7.5,
    10,
    20,
    40,
    80,
    160,
    640,
    2560,
    INF,
)
PER_TOKEN = (0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1, 2.5, 5, 7.5, 10, 20, 40, 80, INF)
REQUEST = (0.3, 0.5, 0.8, 1, 1.5, 2, 2.5, 5, 10, 15, 20, 30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680, INF)
TOKENS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000, INF)


def of(bounds, values):
    counts = [0] * len(bounds)
    for value in values:
        counts[bisect_left(bounds, value)] += 1
    return Buckets(tuple(bounds), tuple(map(float, accumulate(counts))), math.fsum(values))


def filled(bounds, counts, overflow):
    within = (counts + [0] * len(bounds))[: len(bounds)]
    return Buckets((*sorted(bounds), INF), tuple(map(float, accumulate([*within, overflow]))), 1.0)


histograms = st.builds(
    filled,
    st.sets(st.floats(1e-6, 1e6), min_size=1, max_size=20),
    st.lists(st.integers(0, 10**6), max_size=20),
    st.integers(0, 1000),
)
shares = st.floats(0, 1)


# Differences and sums.


def test_difference_is_what_came_in_between():
    old, new = of(TTFT, [0.002, 0.3]), of(TTFT, [0.002, 0.3, 0.3, 100])
    between = difference(new, old)
    assert between.counts == of(TTFT, [0.3, 100]).counts
    assert between.total == pytest.approx(100.3)


def test_difference_of_other_bounds_is_unknown():
    assert difference(of(TTFT, [1]), of(REQUEST, [1])) is None


def test_difference_of_the_same_is_nothing():
    assert difference(of(TTFT, [1, 2]), of(TTFT, [1, 2])) == of(TTFT, [])


def test_difference_never_falls_from_bucket_to_bucket():
    bounds = (1.0, 2.0, INF)
    assert difference(Buckets(bounds, (5, 5, 8), 9), Buckets(bounds, (2, 4, 6), 5)) == Buckets(bounds, (2, 2, 2), 4)
    assert difference(Buckets(bounds, (1, 4, 7), 4), Buckets(bounds, (2, 4, 6), 5)) == Buckets(bounds, (0, 0, 1), 0)


@given(histograms, histograms)
def test_difference_of_a_sum_and_one_part_is_the_other(one, other):
    other = Buckets(one.bounds, tuple(accumulate(range(len(one.bounds)))), other.total)
    assert difference(add([one, other]), one) == other


def test_sum_over_ranks_is_by_bucket():
    assert add([of(TTFT, [0.0625, 0.5]), of(TTFT, [0.5, 5])]) == of(TTFT, [0.0625, 0.5, 0.5, 5])


def test_sum_over_unequal_bounds_keeps_the_common_ones_and_every_observation():
    whole = add([of((1, 2, 5, INF), [0.5, 1.5, 4, 9]), of((2, 5, 10, INF), [1.5, 7, 90])])
    assert whole == of((2, 5, INF), [0.5, 1.5, 4, 9, 1.5, 7, 90])


def test_sum_over_bounds_without_one_in_common_keeps_the_count():
    assert add([of((1, INF), [0.5]), of((2, INF), [1, 2])]) == Buckets((INF,), (3.0,), 3.5)


def test_sum_takes_the_missing_last_bucket_as_the_count_of_all():
    assert add([Buckets((1.0, 2.0), (1.0, 3.0), 4.0), of((1, 2, INF), [9])]) == Buckets(
        (1.0, 2.0, INF), (1, 3, 4), 13.0
    )


def test_sum_of_nothing_is_empty_and_empty_ones_do_not_matter():
    empty = Buckets((), (), 0.0)
    assert add([]) == empty
    assert add([empty, of(TTFT, [1]), empty]) == of(TTFT, [1])


def test_mean_is_the_total_over_the_count_and_unknown_without_observations():
    assert mean(of(TTFT, [1, 2, 6])) == 3
    assert mean(of(TTFT, [])) is None
    assert mean(Buckets((), (), 0.0)) is None


# Quantiles.


def test_quantile_in_the_first_bucket_is_below_its_bound():
    assert quantile(of(REQUEST, [0.02] * 10), 0.5) == (None, None, 0.3)


def test_quantile_in_the_last_bucket_is_above_the_last_bound():
    assert quantile(of(REQUEST, [9000] * 10), 0.5) == (7680, None, None)


def test_quantile_of_one_open_bucket_is_known_in_nothing():
    assert quantile(Buckets((INF,), (5.0,), 1.0), 0.5) == NOTHING


def test_difference_keeps_the_number_of_observations_when_they_only_shift():
    bounds = (1.0, 2.0, INF)
    assert difference(Buckets(bounds, (2, 3, 3), 9), Buckets(bounds, (1, 2, 3), 5)) == Buckets(bounds, (0, 0, 0), 4)


def test_quantile_without_a_last_bucket_is_read_from_the_bounds_there_are():
    low, value, high = quantile(Buckets((1.0, 2.0, 4.0), (0.0, 4.0, 8.0), 16.0), 0.9)
    assert (low, high) == (2, 4)
    assert 2 < value < 4


def test_quantile_at_a_bound_is_the_bound():
    assert quantile(Buckets((1.0, 2.0, 4.0, INF), (2.0, 5.0, 10.0, 10.0), 1.0), 0.5) == (1, 2, 2)


def test_quantile_above_a_bound_of_zero_is_read_linearly():
    assert quantile(Buckets((0.0, 10.0, INF), (2.0, 6.0, 6.0), 1.0), 4 / 6) == (0, 5, 10)


@pytest.mark.parametrize(
    ("bounds", "counts", "expected"),
    [
        (
            (0.01, 0.025, 0.05, 0.1, 0.25, 1.0, INF),
            (10, 30, 70, 95, 99, 100, 100),
            (0.0359061511, 0.0621376735, 0.0794467241),
        ),
        ((1.0, 2.0, 4.0, INF), (1, 2, 90, 100), (3.2153366198, 3.7941268652, 4.0)),
        ((1.0, 3.0, 4.0, INF), (10, 80, 90, 95), (1.6389093345, 2.7401726717, 3.4645135106)),
        ((0.3, 0.5, 0.8, 1.0, 1.5, 2.0, INF), (40, 41, 41, 60, 90, 90, 100), (0.9085337938, 1.2378804339, 1.5)),
    ],
)
def test_quantile_is_that_of_scipys_pchip_over_the_logarithm(bounds, counts, expected):
    buckets = Buckets(bounds, tuple(map(float, counts)), 1.0)
    assert [quantile(buckets, q).value for q in (0.5, 0.8, 0.9)] == pytest.approx(expected, rel=1e-8)


def test_least_quantile_is_where_observations_begin():
    assert quantile(Buckets((1.0, 2.0, 4.0, INF), (0.0, 0.0, 5.0, 5.0), 1.0), 0) == (2, pytest.approx(2), 4)


def test_quantile_of_even_logarithms_is_even():
    bounds = (1.0, 10.0, 100.0, 1000.0, INF)
    assert quantile(
        Buckets(bounds, (0.0, 5.0, 10.0, 10.0), 1.0)._replace(counts=(0, 5, 10, 15, 15)), 0.5
    ).value == pytest.approx(math.sqrt(1000))


@pytest.mark.parametrize(
    "buckets",
    [
        pytest.param(Buckets((), (), 0.0), id="no buckets"),
        pytest.param(of(TTFT, []), id="no observations"),
        pytest.param(Buckets((1.0, INF), (1.0,), 0.0), id="counts missing"),
        pytest.param(Buckets((2.0, 1.0, INF), (1.0, 2.0, 3.0), 0.0), id="bounds out of order"),
        pytest.param(Buckets((1.0, 1.0, INF), (1.0, 2.0, 3.0), 0.0), id="a bound twice"),
        pytest.param(Buckets((0.0, -1.0, 1.0), (1.0, 2.0, 3.0), 0.0), id="bounds below 0 out of order"),
        pytest.param(Buckets((1.0, 2.0, INF), (1.0, math.nan, math.nan), 0.0), id="not a number"),
        pytest.param(Buckets((1.0, 2.0, INF), (1.0, INF, INF), 0.0), id="infinite counts"),
    ],
)
def test_quantile_of_what_is_no_histogram_is_unknown(buckets):
    assert quantile(buckets, 0.5) == NOTHING


@pytest.mark.parametrize("q", [-0.1, 1.1, math.nan])
def test_quantile_outside_0_to_1_is_unknown(q):
    assert quantile(of(TTFT, [1, 2, 3]), q) == NOTHING


def test_counts_that_fall_are_repaired_by_the_running_maximum():
    broken = Buckets((1.0, 2.0, 4.0, INF), (0.0, 6.0, 5.0, 10.0), 1.0)
    assert quantile(broken, 0.55) == quantile(broken._replace(counts=(0.0, 6.0, 6.0, 10.0)), 0.55)
    assert quantile(broken._replace(counts=(0.0, 6.0, 8.0, 0.0)), 1.0).high == 4


@given(histograms, shares)
def test_quantile_lies_in_the_bucket_that_holds_it(buckets, q):
    low, value, high = quantile(buckets, q)
    n = buckets.observations
    assume(n)
    if low is not None:
        assert buckets.counts[buckets.bounds.index(low)] < q * n or q == 0
    if high is not None:
        assert buckets.counts[buckets.bounds.index(high)] >= q * n
    assert (value is None) == (low is None or high is None)
    if value is not None:
        assert low <= value <= high


@given(histograms, shares, shares)
def test_quantile_never_falls_as_q_rises(buckets, one, other):
    assume(buckets.observations)
    below, above = (quantile(buckets, q) for q in sorted((one, other)))
    for key in ("low", "high"):
        before, after = getattr(below, key), getattr(above, key)
        assert (before or 0 if key == "low" else before or INF) <= (after or 0 if key == "low" else after or INF)
    if below.value is not None and above.value is not None:
        assert below.value <= above.value * (1 + 1e-12)


@given(histograms, shares, st.integers(2, 1000))
def test_quantile_depends_on_shares_alone(buckets, q, factor):
    more = buckets._replace(counts=tuple(count * factor for count in buckets.counts))
    one, other = quantile(buckets, q), quantile(more, q)
    if one.value is not None and other.low == one.low:
        assert other.value == pytest.approx(one.value, rel=1e-6)


def linear(buckets, q):
    """Prometheus' histogram_quantile."""
    target = q * buckets.observations
    k = bisect_left(buckets.counts, target)
    low, before = (buckets.bounds[k - 1], buckets.counts[k - 1]) if k else (0.0, 0.0)
    return low + (buckets.bounds[k] - low) * (target - before) / (buckets.counts[k] - before)


def test_error_on_lognormal_data_is_well_below_half_of_linear_interpolation():
    dice = random.Random(5)
    errors = {"ours": [], "linear": []}
    for bounds, median, sigma in [
        (TTFT, 0.12, 0.5),
        (TTFT, 0.6, 0.9),
        (TTFT, 2.0, 1.2),
        (PER_TOKEN, 0.03, 0.25),
        (PER_TOKEN, 0.06, 0.5),
        (REQUEST, 3.0, 0.8),
        (REQUEST, 12.0, 0.6),
        (TOKENS, 250, 1.0),
        (TOKENS, 1500, 1.3),
    ]:
        values = sorted(dice.lognormvariate(math.log(median), sigma) for _ in range(20_000))
        buckets = of(bounds, values)
        for q in (0.5, 0.9, 0.95, 0.99):
            true = values[math.ceil(q * len(values)) - 1]
            errors["ours"].append(abs(quantile(buckets, q).value / true - 1))
            errors["linear"].append(abs(linear(buckets, q) / true - 1))
    ours, theirs = (sum(errors[key]) / len(errors[key]) for key in ("ours", "linear"))
    assert ours < 0.35 * theirs, f"mean error: ours {ours:.1%}, linear {theirs:.1%}"
    assert max(errors["ours"]) < 0.6 * max(errors["linear"])
