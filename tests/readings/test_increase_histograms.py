"""How histograms grow, and what makes no sense and is passed over."""

import math

import pytest

from infertop.readings.model import Batch, Buckets, Series
from tests.readings.test_increase import batch, follow, seconds


def test_histogram_grows_by_bucket():
    assert follow(batch(10, ttft=seconds(1, 2, 3)), batch(11, ttft=seconds(1, 4, 6)))[1] == {
        "ttft_seconds": seconds(0, 2, 3)
    }


def test_histogram_without_new_observations_does_not_grow():
    assert follow(batch(10, ttft=seconds(1, 2, 3)), batch(11, ttft=seconds(1, 2, 3)))[1] == {}


def test_histogram_that_only_shifts_its_observations_does_not_grow():
    assert follow(batch(10, ttft=seconds(1, 2, 3)), batch(11, ttft=seconds(2, 3, 3)._replace(total=9.0)))[1] == {}


def test_histogram_whose_count_fell_counts_in_full():
    grown = follow(batch(10, out=1.0, ttft=seconds(1, 2, 3)), batch(11, out=1.0, ttft=seconds(0, 0, 2)))[1]
    assert grown == {"ttft_seconds": seconds(0, 0, 2)}


def test_histogram_with_other_bounds_begins_again_with_a_baseline():
    old, new, newer = (
        seconds(1, 2, n, bounds=bounds) for n, bounds in ((3, (0.1, 1.0)), (9, (0.2, 2.0)), (10, (0.2, 2.0)))
    )
    assert follow(batch(10, ttft=old), batch(11, ttft=new))[1] == {}
    assert follow(batch(10, ttft=old), batch(11, ttft=new), batch(12, ttft=newer))[1] == {
        "ttft_seconds": Buckets((0.2, 2.0, math.inf), (0.0, 0.0, 1.0), 1.0)
    }


def test_histogram_that_lost_a_bucket_for_once_goes_on_where_it_was():
    old, new = (seconds(1, 2, n) for n in (3, 7))
    lost = Buckets((0.1, math.inf), (1.0, 5.0), 5.0)
    assert follow(batch(10, ttft=old), batch(11, ttft=lost))[1] == {}
    assert follow(batch(10, ttft=old), batch(11, ttft=lost), batch(12, ttft=new))[1] == {
        "ttft_seconds": seconds(0, 0, 4)
    }


def test_histogram_with_other_bounds_after_a_restart_counts_in_full():
    new = seconds(1, 2, 9, bounds=(0.2, 2.0))
    assert follow(batch(10, 1.0, ttft=seconds(1, 2, 3)), batch(11, 9.0, ttft=new))[1] == {"ttft_seconds": new}


# Readings that make no sense.


@pytest.mark.parametrize(
    "bad",
    [math.nan, math.inf, -math.inf, -1.0, seconds(1, 2, 3)],
)
def test_counter_that_makes_no_sense_is_passed_over(bad):
    assert follow(batch(10, out=5.0), batch(11, out=bad))[1] == {}
    assert follow(batch(10, out=5.0), batch(11, out=bad), batch(12, out=7.0))[1] == {"output_tokens": 2}


@pytest.mark.parametrize(
    "bad",
    [
        seconds(1, math.nan, 9),
        seconds(1, 2, math.inf),
        seconds(-1, 2, 9),
        seconds(1, 2, 9)._replace(total=math.nan),
        seconds(1, 2, 9)._replace(total=-1.0),
        seconds(1, 2, 9)._replace(counts=(1.0,)),
        Buckets((), (), 0.0),
        9.0,
    ],
)
def test_histogram_that_makes_no_sense_is_passed_over(bad):
    old, new = seconds(1, 2, 3), seconds(1, 2, 4)
    assert follow(batch(10, ttft=old), batch(11, ttft=bad))[1] == {}
    assert follow(batch(10, ttft=old), batch(11, ttft=bad), batch(12, ttft=new))[1] == {
        "ttft_seconds": seconds(0, 0, 1)
    }


def test_metric_that_nobody_knows_is_passed_over():
    unknown = (Series.of("no_such_metric"),)
    assert follow(Batch("s", 10, unknown, (1.0,)), Batch("s", 11, unknown, (2.0,)))[1] == {}


# Saved and taken up again.
