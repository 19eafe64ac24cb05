"""What serverless seconds are billed. S2-20 is the worked example of the documents; vendors' rules are named."""

from __future__ import annotations

import math
import random
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.deployments.declared import Serverless
from infertop.money.deployments.serverless import (
    break_even,
    break_even_at,
    break_even_by_traffic,
    hour,
    rounded_up,
    utilisation,
)

D = Decimal
# RunPod, serverless/pricing: an H100 as a flex worker.
H100_FLEX = D("0.00116")


def seconds(usd: Decimal = H100_FLEX, **more: Any) -> Serverless:
    given = {name: D(value) if isinstance(value, str) else value for name, value in more.items()}
    return Serverless(usd, given.pop("idle_usd_per_second", usd), **given)


def test_a_hundred_requests_of_two_seconds_use_a_twentieth_of_an_hour() -> None:
    # S2-20
    found = hour(seconds(), D(100), D(2))
    assert (found.busy, found.billed, found.usd) == (200, 200, D("0.232"))
    assert round(utilisation(found.busy), 12) == D("0.055555555556")
    assert not found.estimated


def test_an_h100_by_the_second_breaks_even_with_a_dedicated_one_at_seventy_percent() -> None:
    # 0.00116 x 3600 = 4.176 USD/h against 2.95.
    found = break_even(D("2.95"), H100_FLEX)
    assert found is not None
    assert round(found, 6) == D("0.706418")
    # The documents' 30 to 40 % mean that a second costs 2.5 to 3.3 times the dedicated one's.
    for factor, expected in (("2.5", "0.4"), ("3.333333333333", "0.3")):
        share = break_even(D(3600), D(factor))
        assert share is not None
        assert round(share, 10) == D(expected)
    assert break_even(D(1), D(0)) is None


@pytest.mark.parametrize(
    ("exact", "step", "expected"),
    [("2.3", "1", "3"), ("3", "1", "3"), ("0.0001", "1", "1"), ("61", "60", "120"), ("2.3001", "0.001", "2.301")],
)
def test_rounding_up_to_what_is_billed(exact: str, step: str, expected: str) -> None:
    # RunPod: a request of 2.3 seconds is billed for 3. Others bill by the millisecond, or by the minute.
    assert rounded_up(D(exact), D(step)) == D(expected)


@pytest.mark.parametrize(
    ("terms", "requests", "each", "billed"),
    [
        # Each request by itself, rounded up.
        ({"round_up_to_seconds": "1"}, 100, "2.3", "300"),
        # RunPod: start + execution + idle of each of 10 starts, together rounded up: ceil(2.5 + 2.3 + 5) = 10 s.
        (
            {
                "cold_start_seconds": "2.5",
                "cold_starts_per_hour": "10",
                "idle_seconds": "5",
                "round_up_to_seconds": "1",
            },
            10,
            "2.3",
            "100",
        ),
        # 10 starts for 100 requests: ceil(20 + 10 x 2 + 5) = 45 s each.
        (
            {"cold_start_seconds": "20", "cold_starts_per_hour": "10", "idle_seconds": "5", "round_up_to_seconds": "1"},
            100,
            "2",
            "450",
        ),
        # Neither the start nor the waiting is billed (SageMaker Serverless bills the duration of requests).
        (
            {
                "cold_start_seconds": "20",
                "cold_starts_per_hour": "10",
                "idle_seconds": "5",
                "cold_start_billed": False,
                "idle_billed": False,
                "round_up_to_seconds": "0.001",
            },
            100,
            "2.0004",
            "200.1",
        ),
        # Only requests that find nothing warm have a start: 3 x ceil(4.5 + 2) + 97 x 2.
        ({"cold_start_seconds": "4.5", "cold_starts_per_hour": "3", "round_up_to_seconds": "1"}, 100, "2", "215"),
        # No request, nothing billed, but for starts that are declared.
        ({"round_up_to_seconds": "1"}, 0, "2", "0"),
        ({"cold_start_seconds": "20", "cold_starts_per_hour": "2"}, 0, "2", "40"),
    ],
)
def test_what_is_billed(terms: dict[str, Any], requests: int, each: str, billed: str) -> None:
    found = hour(seconds(**terms), D(requests), D(each))
    assert found.billed == D(billed)
    assert found.usd == D(billed) * H100_FLEX
    assert not found.estimated


def test_waiting_may_cost_less_than_working() -> None:
    terms = seconds(D("0.001"), idle_usd_per_second="0.0002", cold_starts_per_hour="10", idle_seconds="30")
    found = hour(terms, D(100), D(2))
    assert (found.busy, found.idle) == (200, 300)
    assert found.usd == D("0.26")


def test_starts_and_waiting_follow_from_the_traffic_where_they_are_not_declared() -> None:
    terms = seconds(cold_start_seconds="10", idle_seconds="60")
    found = hour(terms, D(60), D(6))
    assert found.estimated
    # One request a minute, a gap is longer than 60 s with exp(-1): a start takes exp(-1) x 10 s of each minute's 54.
    free = 0.9 / (1 + math.exp(-1) * 10 / 60)
    assert float(found.cold_starts) == pytest.approx(60 * free * math.exp(-1))
    assert float(found.idle) == pytest.approx(3600 * free * (1 - math.exp(-1)))
    assert found.starting == found.cold_starts * 10


@pytest.mark.parametrize(("start", "waits", "an_hour", "each"), [(10, 60, 60, 6), (25, 0, 240, 2), (90, 20, 100, 9)])
def test_the_estimate_is_what_requests_at_random_give(start: int, waits: int, an_hour: int, each: int) -> None:
    """A worker, requests one by one, played through for 20,000 hours."""
    chance = random.Random(3)
    clock = free = idle = 0.0
    starts = 0
    end = 20_000 * 3600.0
    while clock < end:
        clock += chance.expovariate(an_hour / 3600)
        if clock >= free:
            gap = clock - free
            starts += gap > waits
            idle += min(gap, waits)
            free = clock + each + (start if gap > waits else 0)
        else:
            free += each
    found = hour(seconds(cold_start_seconds=str(start), idle_seconds=str(waits)), D(an_hour), D(each))
    assert starts / 20_000 == pytest.approx(float(found.cold_starts), rel=0.01)
    assert idle / 20_000 == pytest.approx(float(found.idle), rel=0.01)


@given(start=st.integers(0, 600), waits=st.integers(0, 900), requests=st.integers(0, 3600), workers=st.integers(1, 4))
def test_no_worker_is_billed_for_more_than_the_hour(start: int, waits: int, requests: int, workers: int) -> None:
    terms = seconds(cold_start_seconds=str(start), idle_seconds=str(waits), workers=workers)
    assert hour(terms, D(requests), D(1)).billed <= 3600 * workers * D("1.000000001")


def test_more_than_the_workers_can_do_is_said() -> None:
    assert hour(seconds(), D(1800), D(2)).fits
    over = hour(seconds(idle_seconds="60"), D(1801), D(2))
    assert (over.fits, over.idle, over.cold_starts) == (False, 0, 0)
    assert hour(seconds(workers=2), D(3600), D(2)).fits


@pytest.mark.parametrize("workers", [1, 3])
def test_workers_that_never_stop_are_billed_all_the_time(workers: int) -> None:
    found = hour(seconds(idle_seconds="1e9", workers=workers), D(100), D(2))
    assert found.billed == 3600 * workers
    assert found.cold_starts == pytest.approx(D(0), abs=D("1e-100"))


def test_from_one_point_the_break_even_is_the_same_where_only_work_is_billed() -> None:
    found = hour(seconds(), D(100), D(2))
    assert break_even_at(D("2.95"), utilisation(found.busy), found.usd) == pytest.approx(
        break_even(D("2.95"), H100_FLEX), rel=D("1e-20")
    )
    assert break_even_at(D(1), D(1), D(0)) is None


anything = st.one_of(st.just(D(0)), st.decimals(D("1e-9"), D("1e12"), places=9))
options = st.fixed_dictionaries(
    {},
    optional={
        "cold_start_seconds": anything,
        "cold_starts_per_hour": st.one_of(st.none(), anything),
        "idle_seconds": anything,
        "cold_start_billed": st.booleans(),
        "idle_billed": st.booleans(),
        "round_up_to_seconds": st.one_of(st.just(D(0)), st.decimals(D("0.001"), D(3600), places=3)),
        "workers": st.integers(1, 10_000),
    },
)


@settings(deadline=None, max_examples=200)
@given(options, anything, st.decimals(D("1e-9"), D("1e12"), places=9), anything)
def test_whatever_is_declared_the_bill_is_an_amount_and_never_below_the_work(
    more: dict[str, Any], requests: Decimal, each: Decimal, usd: Decimal
) -> None:
    found = hour(seconds(usd, **more), requests, each)
    assert all(value.is_finite() for value in (found.billed, found.usd, found.cold_starts))
    # To the last of 28 digits.
    assert min(found.busy, found.starting, found.idle) >= 0
    assert found.rounding >= -found.billed * D("1e-20")
    assert found.usd >= found.busy * usd * (1 - D("1e-20"))


@pytest.mark.parametrize(("waits", "start", "each", "dedicated"), [(900, 60, 2, "0.88"), (60, 25, 1, "2.95")])
def test_waiting_for_few_requests_is_part_of_the_break_even(waits: int, start: int, each: int, dedicated: str) -> None:
    # An endpoint that waits a quarter of an hour costs nearly the same for 30 requests an hour as for 15.
    terms = seconds(D("0.0005") if each == 2 else D("0.001097"), idle_seconds=str(waits), cold_start_seconds=str(start))
    use = break_even_by_traffic(terms, D(dedicated), D(each))
    assert 0 < use < 1
    at = hour(terms, use * 3600 / each, D(each)).usd
    assert float(at) == pytest.approx(float(dedicated), rel=1e-6)
    assert hour(terms, use * 3600 / each * D("0.9"), D(each)).usd < D(dedicated)
    assert hour(terms, use * 3600 / each * D("1.1"), D(each)).usd > D(dedicated)


def test_what_is_never_dearer_than_a_dedicated_one_breaks_even_beyond_full_use() -> None:
    terms = seconds(D("0.0001"), idle_seconds="60")
    assert break_even_by_traffic(terms, D("0.72"), D(2)) == 2


@pytest.mark.parametrize("idle_seconds", [10**3, 10**6, 2_302_600, 10**12])
def test_a_worker_that_never_sleeps_waits_for_the_rest_of_the_hour(idle_seconds: int) -> None:
    terms = Serverless(
        D("0.001"), D("0.001"), idle_seconds=D(idle_seconds), cold_start_seconds=D(5), round_up_to_seconds=D(1)
    )
    made = hour(terms, D(3600), D("0.5"))
    assert round(made.billed, 9) == 3600
