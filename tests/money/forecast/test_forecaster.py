from __future__ import annotations

import random
from datetime import datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.forecast.forecaster import Forecast, Forecaster
from infertop.money.forecast.hours import HOUR, Hours
from infertop.money.periods import PeriodKind, period
from infertop.money.settings import UTC
from tests.money.forecast.series import DAY, START, WEEK, at, hours, spend, week_rhythm


def forecast(past: list[float] | list[float | None], ahead: float, longest: int = DAY) -> Forecast | None:
    forecaster = Forecaster(UTC, longest)
    forecaster.take(hours(past))
    return forecaster.forecast(at(len(past)), at(len(past) + ahead))


def test_the_rhythm_of_day_and_week_is_followed_over_a_weekend() -> None:
    past = 4 * WEEK + 4 * DAY  # Friday's midnight
    truth = sum(week_rhythm(past + each) for each in range(3 * DAY))
    found = forecast(spend(past), 3 * DAY, WEEK)
    assert found is not None
    assert found.mid == pytest.approx(truth, rel=0.05)
    assert found.low < truth < found.high < 1.5 * truth


def test_a_level_that_has_doubled_is_followed_today_and_given_time_over_a_month() -> None:
    past = [10.0] * (4 * WEEK) + [20.0] * 12
    near, far = forecast(past, 6), forecast(past, 21 * DAY, 31 * DAY)
    assert near is not None
    assert far is not None
    assert 16 < near.mid / 6 <= 20
    assert 10 <= far.mid / (21 * DAY) < 14


def test_an_outage_that_is_over_is_not_expected_again_and_a_silence_that_lasts_is() -> None:
    calm = [10.0] * WEEK
    over, lasting = forecast([*calm, *[0.0] * 6, *[10.0] * 6], 12), forecast([*calm, *[0.0] * 12], 3)
    assert over is not None
    assert lasting is not None
    assert over.mid / 12 > 9
    assert lasting.mid / 3 < 5


def test_nothing_is_said_on_less_than_a_day() -> None:
    assert forecast([5.0] * 23, 10) is None
    assert forecast([5.0] * 24, 10) is not None
    assert forecast([None] * 30 + [5.0] * 20, 10) is None


@pytest.mark.parametrize("hour", [1, 7, 9, 12, 20])
def test_who_works_from_9_to_17_on_weekdays_is_forecast_on_a_monday_whatever_the_hour(hour: int) -> None:
    rng = random.Random(4)
    day = [10.0 if 9 <= each < 17 else 0.0 for each in range(DAY)]
    week = [*day * 5, *[0.0] * (2 * DAY)]
    past = [each * rng.lognormvariate(0, 0.1) for each in week * 4]
    found = forecast([*past, *day[:hour]], DAY - hour)
    assert found is not None
    truth = sum(day[hour:])
    assert found.mid == pytest.approx(truth, rel=0.1, abs=0.1)
    assert found.low - 0.01 <= truth <= found.high <= max(1.5 * truth, 2.0)
    sunday = forecast([*past[: -DAY + hour]], DAY - hour)
    assert sunday is not None
    assert sunday.low == 0
    assert sunday.high < 2


def test_a_weekly_job_is_expected_at_its_hour_and_a_single_burst_is_not() -> None:
    quiet = [0.5] * (4 * WEEK)
    job = [100.0 if each % WEEK == 3 * DAY + 3 else usual for each, usual in enumerate(quiet)]
    burst = [*quiet]
    burst[4 * WEEK - 4 * DAY + 3] = 100.0
    weekly, once = (forecast(past, WEEK, WEEK) for past in (job, burst))
    assert weekly is not None
    assert once is not None
    assert weekly.mid == pytest.approx(sum(job[-WEEK:]), rel=0.15)
    assert weekly.until(at(4 * WEEK + 3 * DAY + 3)) < 0.25 * weekly.mid
    assert weekly.until(at(4 * WEEK + 3 * DAY + 4)) > 0.6 * weekly.mid
    assert once.mid < 1.5 * sum(quiet[-WEEK:])


def test_unknown_hours_are_no_zeros() -> None:
    past: list[float | None] = [*spend(3 * WEEK)]
    whole = forecast(past, DAY)
    for hour in range(15 * DAY, 15 * DAY + 9):
        past[hour] = None
    holed = forecast(past, DAY)
    assert whole is not None
    assert holed is not None
    assert holed.mid == pytest.approx(whole.mid, rel=0.03)


def test_a_past_of_nothing_forecasts_nothing() -> None:
    found = forecast([0.0] * WEEK, DAY)
    assert found is not None
    assert (found.low, found.mid, found.high) == (0, 0, 0)
    assert found.reaches(1.0) is None


def test_the_same_past_gives_the_same_forecast_however_it_was_learnt() -> None:
    amounts = spend(3 * WEEK + 30)
    grown = Forecaster(UTC, DAY)
    for known in range(2 * WEEK, len(amounts) + 1, 5):
        grown.take(hours(amounts[:known]))
    corrected = [*amounts[: 2 * WEEK], *(2 * each for each in amounts[2 * WEEK :])]
    grown.take(hours(corrected))
    grown.take(hours(amounts))
    end = at(len(amounts) + 20)
    once = Forecaster(UTC, DAY)
    once.take(hours(amounts))
    assert grown.forecast(at(len(amounts)), end) == once.forecast(at(len(amounts)), end)


def test_it_says_what_it_stands_on() -> None:
    found = forecast(spend(3 * WEEK), 10)
    assert found is not None
    assert found.history_hours == 3 * WEEK
    assert found.trials > 50
    assert found.tested_hours == 10
    assert sum(weight for _, weight in found.weights) == pytest.approx(1)


def test_what_is_left_of_the_hour_counts_by_its_share() -> None:
    forecaster = Forecaster(UTC, DAY)
    forecaster.take(hours([8.0] * WEEK))
    end = at(WEEK + 2)
    whole, half = (forecaster.forecast(at(WEEK + begun), end) for begun in (0, 0.5))
    assert whole is not None
    assert half is not None
    assert whole.sums[-1] - whole.sums[0] == pytest.approx(half.sums[-1] - half.sums[0])
    assert half.sums[0] == pytest.approx(whole.sums[0] / 2)


@pytest.mark.parametrize("month", [3, 10])
def test_days_of_23_and_25_hours_are_forecast_by_the_clock_on_the_wall(month: int) -> None:
    """Spend from 9 to 17 o'clock in Berlin: the day after a clock change has it at the same hours of the wall."""
    zone = ZoneInfo("Europe/Berlin")
    change = datetime(2026, month, 29 if month == 3 else 25, tzinfo=zone)
    start, end = period(PeriodKind.DAY, change.timestamp(), zone)
    assert (end - start) / HOUR == (23 if month == 3 else 25)
    first = int(start) // HOUR - 4 * WEEK
    worked = [
        20.0 if 9 <= datetime.fromtimestamp((first + each) * HOUR, zone).hour < 17 else 1.0 for each in range(4 * WEEK)
    ]
    forecaster = Forecaster(zone, DAY)
    forecaster.take(Hours(first, worked))
    found = forecaster.forecast(start, end)
    assert found is not None
    assert len(found.sums) == (end - start) / HOUR
    by_hour = [after - before for before, after in pairwise((0.0, *found.sums))]
    busy = [
        datetime.fromtimestamp(until - 1, zone).hour for until, usd in zip(found.ends, by_hour, strict=True) if usd > 9
    ]
    assert busy == list(range(9, 17))


amounts_usd = st.floats(0, 1e9, allow_subnormal=False)


@given(
    amounts=st.lists(st.none() | amounts_usd, min_size=1, max_size=80)
    | st.lists(amounts_usd, min_size=DAY, max_size=80),
    begun=st.floats(0, 3),
    ahead=st.floats(0.01, 40),
)
@settings(max_examples=60, deadline=None)
def test_a_forecast_is_never_negative_nor_out_of_order_and_its_hours_sum_to_it(
    amounts: list[float | None], begun: float, ahead: float
) -> None:
    forecaster = Forecaster(UTC, DAY)
    forecaster.take(hours(amounts))
    since = at(len(amounts) + begun)
    found = forecaster.forecast(since, since + ahead * HOUR)
    if sum(each is not None for each in amounts) < DAY:
        assert found is None
        return
    assert found is not None
    assert 0 <= found.low <= found.mid <= found.high
    assert all(before <= after for before, after in pairwise((0.0, *found.sums)))
    assert found.ends[-1] == since + ahead * HOUR
    assert found.sums[-1] == found.mid


@given(seed=st.integers(0, 5), shares=st.lists(st.floats(0.01, 1.5), min_size=2, max_size=6).map(sorted))
@settings(max_examples=20, deadline=None)
def test_more_is_reached_later_and_what_is_beyond_the_end_never(seed: int, shares: list[float]) -> None:
    rng = random.Random(seed)
    found = forecast([rng.expovariate(1) for _ in range(5 * DAY)], DAY)
    assert found is not None
    times = [found.reaches(share * found.mid) for share in shares]
    known = [each for each in times if each is not None]
    assert known == sorted(known)
    assert all((when is None) == (share > 1) for share, when in zip(shares, times, strict=True))
    assert all(at(5 * DAY) <= when <= at(6 * DAY) for when in known)
    assert all(
        when is None or found.until(when) == pytest.approx(share * found.mid)
        for share, when in zip(shares, times, strict=True)
    )


def test_intervals_hold_eight_of_ten_truths_and_are_no_wider_than_the_noise() -> None:
    rng = random.Random(3)
    level, amounts = 1.0, []
    for hour in range(9 * WEEK):
        level *= rng.lognormvariate(0, 0.05)
        level **= 0.995
        amounts.append(level * week_rhythm(hour) * rng.lognormvariate(0, 0.3))
    forecaster, inside, widths = Forecaster(UTC, DAY), [], []
    for day in range(3 * 7, 9 * 7 - 1):
        now = day * DAY + 8
        forecaster.take(Hours(START, amounts[:now]))
        found = forecaster.forecast(at(now), at(day * DAY + DAY))
        assert found is not None
        inside.append(found.low <= sum(amounts[now : day * DAY + DAY]) <= found.high)
        widths.append(found.spread)
    assert 0.65 <= sum(inside) / len(inside) <= 0.95
    assert max(widths) < 0.8
