from __future__ import annotations

import math
import random
import statistics
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.baseline import WEEK_MINUTES, Baselines, Change

TOTAL = ((), "usd_per_hour")
START = 1_795_305_600


class Feed:
    """Adds one figure minute by minute."""

    def __init__(self, sigma: float = 2.0, key: tuple[tuple[tuple[str, str], ...], str] = TOTAL) -> None:
        self.baselines = Baselines(sigma)
        self.key = key
        self.minute = 0

    def __call__(self, value: float | None, count: int = 1) -> list[Change]:
        changes = []
        for _ in range(count):
            changes += self.baselines.add(START + self.minute * 60, {self.key: value})
            self.minute += 1
        return changes


def noisy(count: int) -> list[float]:
    source = random.Random(7)
    return [source.gauss(10, 1) for _ in range(count)]


def test_a_figure_that_leaves_its_baseline_for_five_minutes_is_marked() -> None:
    feed = Feed()
    for value in noisy(120):
        feed(value)
    assert feed(20.0, 4) == []
    (change,) = feed(21.0)
    assert change.until is None
    assert change.mark.since == START + 120 * 60
    assert change.mark.value == 21.0
    assert change.mark.usual.minutes == 120
    assert change.mark.usual.mean == pytest.approx(10, abs=0.3)
    assert change.mark.usual.deviation == pytest.approx(1, abs=0.2)
    assert feed.baselines.marks() == (change.mark,)


def test_a_mark_ends_with_the_first_usual_minute() -> None:
    feed = Feed()
    feed(10.0, 100)
    feed(20.0, 30)
    assert feed.baselines.marks()[0].value == 20.0
    (change,) = feed(10.0)
    assert change.until == START + 130 * 60
    assert feed.baselines.marks() == ()


def test_a_fall_is_marked_like_a_rise() -> None:
    feed = Feed()
    feed(10.0, 100)
    assert len(feed(0.0, 5)) == 1


def test_with_less_than_an_hour_of_history_nothing_is_marked() -> None:
    feed = Feed()
    feed(10.0, 40)
    assert feed(100.0, 19) == []
    assert Feed().baselines.usual(*TOTAL) is None


def test_odd_minutes_that_are_not_five_in_a_row_are_not_marked_and_become_part_of_the_usual() -> None:
    feed = Feed()
    feed(10.0, 100)
    for _ in range(3):
        assert feed(20.0, 4) + feed(10.0, 2) == []
    usual = feed.baselines.usual(*TOTAL)
    assert usual is not None
    assert usual.minutes == 118
    assert usual.mean == pytest.approx((106 * 10 + 12 * 20) / 118)


def test_minutes_under_a_mark_are_not_part_of_the_baseline() -> None:
    feed = Feed()
    feed(10.0, 100)
    feed(50.0, 200)
    usual = feed.baselines.usual(*TOTAL)
    assert usual is not None
    assert (usual.mean, usual.minutes) == (10.0, 100)


def test_a_flat_line_is_not_marked_by_a_ripple_of_a_few_percent_or_a_cent() -> None:
    feed = Feed()
    feed(10.0, 100)
    assert feed(10.99, 10) == []
    assert len(feed(11.3, 5)) == 1
    cents = Feed()
    cents(0.0, 100)
    assert cents(0.019, 10) == []


def test_sigma_says_how_far_is_far() -> None:
    wide = Feed(sigma=20.0)
    wide(10.0, 100)
    assert wide(15.0, 10) == []


def test_minutes_without_a_value_are_left_out() -> None:
    feed = Feed()
    feed(10.0, 100)
    for _ in range(4):
        feed(None, 3)
        assert feed(20.0) == []
    assert feed(math.nan) + feed(math.inf) + feed(-1.0) + feed(1e300) == []
    assert len(feed(20.0)) == 1
    usual = feed.baselines.usual(*TOTAL)
    assert usual is not None
    assert usual.minutes == 100


def test_a_minute_that_comes_again_is_left_out() -> None:
    feed = Feed()
    feed(10.0, 100)
    feed.baselines.add(START, {TOTAL: 99.0})
    usual = feed.baselines.usual(*TOTAL)
    assert usual is not None
    assert (usual.mean, usual.minutes) == (10.0, 100)


def test_a_new_level_becomes_usual_when_the_old_one_is_a_week_past() -> None:
    feed = Feed()
    feed(10.0, 100)
    feed(20.0, WEEK_MINUTES - 60)
    assert feed.baselines.marks() != ()
    (change,) = feed(20.0, 2)
    assert change.until is not None
    feed(20.0, 200)
    usual = feed.baselines.usual(*TOTAL)
    assert usual is not None
    assert usual.mean == 20.0
    assert feed.baselines.marks() == ()


def test_after_a_month_without_values_the_baseline_begins_again() -> None:
    feed = Feed()
    feed(10.0, 100)
    feed.minute += 30 * 24 * 60
    assert feed(50.0, 10) == []
    assert feed.baselines.usual(*TOTAL) is None


def test_scopes_and_metrics_are_apart() -> None:
    baselines = Baselines(2.0)
    model = ((("model", "m"),), "tokens_per_request")
    for minute in range(100):
        baselines.add(minute * 60, {TOTAL: 10.0, model: 300.0})
    for minute in range(100, 104):
        assert baselines.add(minute * 60, {TOTAL: 10.0, model: 900.0}) == []
    (change,) = baselines.add(104 * 60, {TOTAL: 10.0, model: 900.0})
    assert (change.mark.scope, change.mark.metric) == model


def test_history_leads_to_the_same_state_as_the_minutes_themselves() -> None:
    values = [*noisy(100), *[30.0] * 7]
    live = Baselines(2.0)
    for minute, value in enumerate(values):
        live.add(minute * 60, {TOTAL: value})
    loaded = Baselines(2.0)
    loaded.load((minute * 60, *TOTAL, value) for minute, value in enumerate(values))
    assert loaded.marks() == live.marks() != ()
    assert loaded.usual(*TOTAL) == live.usual(*TOTAL)


def test_a_flood_of_model_names_is_bounded() -> None:
    baselines = Baselines(2.0)
    baselines.add(0, {((("model", str(number)),), "usd_per_hour"): 1.0 for number in range(5000)})
    assert len(baselines._figures) == 1000


@given(st.lists(st.tuples(st.integers(1, 4000), st.floats(9.5, 10.4)), min_size=60, max_size=150))
@settings(max_examples=60, deadline=None)
def test_mean_and_deviation_are_those_of_the_last_week_to_the_last_digit(steps: list[tuple[int, float]]) -> None:
    baselines = Baselines(100.0)
    minute, kept = 0, []
    for step, value in steps:
        minute += step
        baselines.add(minute * 60, {TOTAL: value})
        kept.append((minute, value))
    week = [value for at, value in kept if at > minute - WEEK_MINUTES]
    usual = baselines.usual(*TOTAL)
    if len(week) < 60:
        assert usual is None
        return
    assert usual is not None
    assert usual.minutes == len(week)
    assert usual.mean == pytest.approx(statistics.fmean(week), rel=1e-9)
    assert usual.deviation == pytest.approx(statistics.stdev(week), rel=1e-6, abs=1e-8)


def test_a_young_baseline_takes_little_memory() -> None:
    baselines = Baselines(2.0)
    tracemalloc.start()
    try:
        for minute in range(15):
            baselines.add(START + minute * 60, {((("model", f"m{n}"),), "usd_per_hour"): 1.0 for n in range(400)})
        assert tracemalloc.get_traced_memory()[0] < 3_000_000
    finally:
        tracemalloc.stop()
