"""The series in memory: rates over what was measured, means by time, histograms by window."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.readings.model import Buckets
from tests.engine.polled import INF, REQUESTS, RUNNING, TOKENS, TTFT, Rig, buckets

# Counters.


def test_nothing_is_known_of_a_rate_before_the_second_poll():
    rig = Rig()
    rig.poll(100, {TOKENS: 5000.0, TTFT: buckets(1, 2, 3)})
    assert rig.track(TOKENS).increase(60) is None
    assert rig.track(TOKENS).rate(60) is None
    assert rig.track(TTFT).buckets(60) is None


def test_a_rate_is_over_the_measured_time_and_not_the_nominal_one():
    rig = Rig()
    rig.polls([100, 101.3, 102.4], {TOKENS: lambda ts: 5000 + 10 * (ts - 100)})
    assert rig.track(TOKENS).increase(60) == (pytest.approx(24), pytest.approx(2.4))
    assert rig.track(TOKENS).rate(60) == pytest.approx(10)


def test_a_window_ends_at_the_newest_poll_and_begins_at_the_poll_before_its_start():
    rig = Rig()
    rig.polls(range(100, 200), {TOKENS: lambda ts: float(ts) ** 2})
    rig.state.tick(1000)
    assert rig.track(TOKENS).increase(10) == (199**2 - 189**2, 10)
    assert rig.track(TOKENS).increase(9.5) == (199**2 - 189**2, 10)
    assert rig.track(TOKENS).increase(0.1) == (199**2 - 198**2, 1)


def test_a_counter_that_stands_still_has_rate_zero_and_not_unknown():
    rig = Rig()
    rig.polls(range(100, 105), {TOKENS: lambda ts: 7.0})
    assert rig.track(TOKENS).rate(60) == 0.0


def test_a_restarted_engine_counts_in_full_and_the_rate_goes_on():
    rig = Rig()
    for ts, value in ((100, 1000.0), (101, 1100.0), (102, 30.0), (103, 130.0)):
        rig.poll(ts, {TOKENS: value})
    assert rig.track(TOKENS).increase(60) == (230, 3)


def test_what_grew_in_a_gap_is_part_of_no_rate():
    rig = Rig()
    rig.polls(range(100, 110), {TOKENS: lambda ts: 10.0 * ts})
    rig.polls(range(700, 710), {TOKENS: lambda ts: 10.0 * ts + 99_000})
    track = rig.track(TOKENS)
    assert track.increase(10) == (90, 9)
    assert track.increase(900) == (180, 18)
    assert track.bins(100, 710, 61)[30] is None


def test_a_hole_shorter_than_a_gap_is_measured():
    rig = Rig()
    rig.polls([100, 101, 113, 114], {TOKENS: lambda ts: 10.0 * ts})
    assert rig.track(TOKENS).increase(60) == (140, 14)


def test_the_interval_decides_what_is_a_gap():
    rig = Rig(interval=60)
    rig.polls([100, 160, 400], {TOKENS: lambda ts: 10.0 * ts})
    assert rig.track(TOKENS).increase(900) == (3000, 300)
    rig.health(interval=1)
    rig.polls([401, 461], {TOKENS: lambda ts: 10.0 * ts})
    assert rig.track(TOKENS).increase(900) == (3010, 301)


def test_a_series_that_appears_later_counts_from_zero():
    rig = Rig()
    rig.polls(range(100, 110), {TOKENS: lambda ts: 0.0})
    rig.polls(range(110, 112), {TOKENS: lambda ts: 0.0, REQUESTS: lambda ts: 4.0 + ts - 110})
    assert rig.track(REQUESTS).increase(60) == (5, 11)
    assert rig.track(REQUESTS).increase(1) == (1, 1)


def test_a_series_that_left_and_came_back_loses_nothing():
    rig = Rig()
    both = {TOKENS: lambda ts: 10.0 * ts, REQUESTS: lambda ts: 2.0 * ts}
    rig.polls(range(100, 105), both)
    rig.polls(range(105, 108), {TOKENS: both[TOKENS]})
    assert rig.track(REQUESTS).increase(5) == (4, 5)
    rig.polls(range(108, 112), both)
    assert rig.track(REQUESTS).increase(60) == (22, 11)
    assert rig.track(TOKENS).increase(60) == (110, 11)
    assert rig.track(REQUESTS).bins(104, 108, 4) == (0, 0, 0, 8)


@settings(max_examples=60)
@given(
    st.lists(st.tuples(st.floats(0.2, 12), st.integers(0, 1000), st.booleans()), min_size=2, max_size=40),
    st.floats(0.5, 100),
)
def test_increases_of_any_window_sum_to_what_was_added_in_it(steps, window):
    rig, ts, value = Rig(), 100.0, 0
    added = []
    for wait, amount, restart in steps:
        ts += wait
        value = amount if restart else value + amount
        rig.poll(ts, {TOKENS: float(value)}, started=float(sum(each[2] for each in steps[: len(added) + 1])) * 10)
        added.append((ts, wait, amount if added else 0))
    begins = max([each[0] for each in added if each[0] <= ts - window], default=added[0][0])
    rise = rig.track(TOKENS).increase(window)
    assert rise.amount == sum(amount for at, _, amount in added if at > begins)
    assert rise.seconds == pytest.approx(ts - begins)


# Gauges.


def test_a_mean_is_weighted_by_the_time_before_each_reading():
    rig = Rig()
    for ts, value in ((100, 0.0), (101, 1.0), (110, 0.5)):
        rig.poll(ts, {RUNNING: value})
    assert rig.track(RUNNING).mean(60) == pytest.approx((1 * 1.0 + 9 * 0.5) / 10)
    assert rig.track(RUNNING).mean(5) == pytest.approx(0.5)
    assert rig.track(RUNNING).max(60) == 1.0
    assert rig.track(RUNNING).last == 0.5


def test_a_single_reading_is_its_own_mean():
    rig = Rig()
    rig.poll(100, {RUNNING: 3.0})
    assert (rig.track(RUNNING).mean(60), rig.track(RUNNING).max(60), rig.track(RUNNING).last) == (3.0, 3.0, 3.0)


@pytest.mark.parametrize("odd", [math.nan, INF, -INF])
def test_a_reading_that_is_not_a_number_is_none_and_is_left_out(odd):
    rig = Rig()
    for ts, value in ((100, 1.0), (101, 3.0), (102, odd)):
        rig.poll(ts, {RUNNING: value})
    assert rig.track(RUNNING).last is None
    assert rig.track(RUNNING).mean(60) == 3.0
    assert rig.track(RUNNING).max(60) == 3.0
    assert rig.track(RUNNING).bins(100, 102, 2) == (3.0, None)


def test_a_gauge_that_left_and_came_back_has_no_value_in_between():
    rig = Rig()
    rig.polls(range(100, 103), {TOKENS: float, RUNNING: lambda ts: 2.0})
    rig.polls(range(103, 106), {TOKENS: float})
    rig.polls(range(106, 108), {TOKENS: float, RUNNING: lambda ts: 4.0})
    assert rig.track(RUNNING).mean(60) == 3.0
    assert rig.track(RUNNING).bins(100, 107, 7) == (2, 2, None, None, None, 4, 4)


def test_a_gauge_that_appears_late_is_averaged_over_its_own_time():
    rig = Rig()
    rig.polls(range(100, 110), {TOKENS: float})
    rig.polls(range(110, 112), {TOKENS: float, RUNNING: lambda ts: 6.0})
    assert rig.track(RUNNING).mean(60) == 6.0
    assert rig.track(RUNNING).bins(100, 111, 11) == (None,) * 9 + (6, 6)


# Bins.


def test_bins_cut_what_was_measured_at_their_edges():
    rig = Rig()
    rig.polls([100, 102, 104, 106], {TOKENS: lambda ts: 10.0 * ts, RUNNING: lambda ts: ts - 100})
    assert rig.track(TOKENS).bins(100, 106, 12) == pytest.approx([10] * 12)
    assert rig.track(RUNNING).bins(101, 105, 4) == pytest.approx([2, 4, 4, 6])
    assert rig.track(TOKENS).bins(90, 110, 4) == (None, None, pytest.approx(10), pytest.approx(10))
    assert rig.track(TOKENS).bins(108, 110, 2) == (None, None)
    assert rig.track(RUNNING).bins(90, 98, 2) == (None, None)


def test_bins_of_finished_spans_do_not_change_as_time_goes_on():
    rig = Rig()
    rig.polls(range(100, 131), {TOKENS: lambda ts: float(ts * ts), RUNNING: lambda ts: float(ts % 7)})
    before = [rig.track(each).bins(100, 130, 10) for each in (TOKENS, RUNNING)]
    rig.polls(range(131, 140), {TOKENS: lambda ts: float(ts * ts), RUNNING: lambda ts: float(ts % 7)})
    assert [rig.track(each).bins(100, 130, 10) for each in (TOKENS, RUNNING)] == before


# Histograms.


def test_a_histogram_gives_what_came_in_within_the_window():
    rig = Rig()
    for ts, reading in (
        (100, buckets(5, 9, 9, total=4)),
        (101, buckets(6, 10, 10, total=6)),
        (102, buckets(8, 13, 13, total=9)),
    ):
        rig.poll(ts, {TTFT: reading})
    assert rig.track(TTFT).buckets(60) == Buckets((0.1, 1.0, INF), (3, 4, 4), 5)
    assert rig.track(TTFT).buckets(1) == Buckets((0.1, 1.0, INF), (2, 3, 3), 3)


def test_a_histogram_into_which_nothing_came_has_no_observations():
    rig = Rig()
    rig.polls(range(100, 103), {TTFT: lambda ts: buckets(5, 9, 9)})
    assert rig.track(TTFT).buckets(60).observations == 0


def test_a_histogram_survives_a_restart_and_new_bounds():
    rig = Rig()
    for ts, reading in (
        (100, buckets(5, 9, 9)),
        (101, buckets(6, 10, 10)),
        (102, buckets(1, 1, 2)),
        (103, buckets(1, 1, 3)),
    ):
        rig.poll(ts, {TTFT: reading})
    assert rig.track(TTFT).buckets(60).counts == (2, 2, 4)
    other = [Buckets((0.5, INF), (float(n), float(n)), 1.0 * n) for n in (7, 9, 12)]
    for ts, reading in zip((104, 105, 106), other, strict=True):
        rig.poll(ts, {TTFT: reading})
    assert rig.track(TTFT).buckets(60) == Buckets((0.5, INF), (5, 5), 5)


def test_a_long_window_of_a_histogram_is_exact_to_the_thinned_poll():
    rig = Rig()
    rig.polls(range(1000, 2200), {TTFT: lambda ts: buckets(ts, 2 * ts, 3 * ts, total=ts)})
    for window in (10, 60, 89, 91, 299, 301, 600, 890):
        grown = rig.track(TTFT).buckets(window)
        assert window <= grown.counts[0] <= window + (0 if window < 90 else 5)
        assert grown.counts == (grown.total, 2 * grown.total, 3 * grown.total)


# Trends.


def test_a_trend_ends_with_the_last_whole_span_and_stays_until_another_is_over():
    rig = Rig()
    rig.polls(range(100, 126), {TOKENS: lambda ts: float(ts * ts), RUNNING: lambda ts: float(ts % 7)})
    tokens, running = rig.track(TOKENS), rig.track(RUNNING)
    before = [track.trend(20, 4) for track in (tokens, running)]
    assert before == [track.bins(105, 125, 4) for track in (tokens, running)]
    rig.polls(range(126, 130), {TOKENS: lambda ts: float(ts * ts), RUNNING: lambda ts: float(ts % 7)})
    assert [track.trend(20, 4) for track in (tokens, running)] == before
    rig.polls([130], {TOKENS: lambda ts: float(ts * ts), RUNNING: lambda ts: float(ts % 7)})
    assert [track.trend(20, 4) for track in (tokens, running)] == [
        track.bins(110, 130, 4) for track in (tokens, running)
    ]


def test_a_trend_over_another_window_is_another():
    rig = Rig()
    rig.polls(range(100, 121), {TOKENS: lambda ts: float(ts * ts)})
    track = rig.track(TOKENS)
    assert track.trend(20, 4) == track.bins(100, 120, 4)
    assert track.trend(10, 2) == track.bins(110, 120, 2)
    assert track.trend(10, 5) == track.bins(110, 120, 5)


@given(st.lists(st.one_of(st.floats(0, 1e6), st.just(math.nan)), min_size=3, max_size=20), st.integers(1, 25))
@settings(max_examples=60, deadline=None)
def test_a_mean_is_that_of_the_readings_weighted_by_their_time_whether_or_not_some_are_missing(values, window):
    rig = Rig()
    times = [100.0]
    for place in range(1, len(values)):
        times.append(times[-1] + 1 + place % 3)
    for ts, value in zip(times, values, strict=True):
        rig.poll(ts, {RUNNING: value})
    begin = max([at for at, ts in enumerate(times) if ts <= times[-1] - window], default=0)
    parts = [
        (value * (ts - before), ts - before)
        for before, ts, value in zip(times[begin:], times[begin + 1 :], values[begin + 1 :], strict=False)
        if not math.isnan(value)
    ]
    known = values[-1] if not math.isnan(values[-1]) else None
    expected = sum(part for part, _ in parts) / sum(each for _, each in parts) if parts else known
    assert rig.track(RUNNING).mean(window) == (None if expected is None else pytest.approx(expected))
