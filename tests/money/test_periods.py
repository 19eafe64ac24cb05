from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infertop.money.periods import PeriodKind, period

ZONES = sorted(available_timezones())
HOUR = 3600


def at(text: str, zone: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def hours(kind: PeriodKind, text: str, zone: str) -> float:
    start, end = period(kind, at(text, zone), ZoneInfo(zone))
    return (end - start) / HOUR


def test_a_day_has_23_or_25_hours_where_the_clock_is_changed() -> None:
    assert hours(PeriodKind.DAY, "2026-03-29T12:00", "Europe/Berlin") == 23
    assert hours(PeriodKind.DAY, "2026-10-25T12:00", "Europe/Berlin") == 25
    assert hours(PeriodKind.DAY, "2026-10-26T12:00", "Europe/Berlin") == 24


def test_a_week_runs_from_monday_to_monday() -> None:
    start, end = period(PeriodKind.WEEK, at("2026-11-22T23:59:59", "Europe/Berlin"), ZoneInfo("Europe/Berlin"))
    assert start == at("2026-11-16T00:00", "Europe/Berlin")
    assert end == at("2026-11-23T00:00", "Europe/Berlin")
    assert hours(PeriodKind.WEEK, "2026-10-25T12:00", "Europe/Berlin") == 7 * 24 + 1


@pytest.mark.parametrize(
    ("day", "length"), [("2024-02-29", 29), ("2026-02-01", 28), ("2026-12-31", 31), ("2026-04-30", 30)]
)
def test_a_month_ends_with_its_last_day(day: str, length: int) -> None:
    assert hours(PeriodKind.MONTH, f"{day}T23:59:59", "UTC") == length * 24


def test_the_last_second_of_a_month_is_in_it_and_the_next_is_not() -> None:
    zone = ZoneInfo("America/New_York")
    end = at("2026-12-01T00:00", zone.key)
    assert period(PeriodKind.MONTH, end - 1, zone)[1] == end
    assert period(PeriodKind.MONTH, end, zone)[0] == end


def test_an_hour_follows_the_clock_on_the_wall() -> None:
    start, end = period(PeriodKind.HOUR, at("2026-11-22T05:45:10.5", "Asia/Kolkata"), ZoneInfo("Asia/Kolkata"))
    assert (start, end) == (at("2026-11-22T05:00", "Asia/Kolkata"), at("2026-11-22T06:00", "Asia/Kolkata"))


def test_an_hour_is_cut_where_the_clock_changes_by_half_an_hour() -> None:
    zone = ZoneInfo("Australia/Lord_Howe")
    change = at("2026-04-05T01:00", zone.key) + HOUR  # 02:00 becomes 01:30
    assert period(PeriodKind.HOUR, change - 1, zone) == (change - HOUR, change)
    assert period(PeriodKind.HOUR, change, zone) == (change, change + HOUR / 2)


def test_a_day_that_begins_with_the_change_begins_there() -> None:
    zone = "America/Santiago"  # 24:00 becomes 01:00
    start, end = period(PeriodKind.DAY, at("2026-09-06T12:00", zone), ZoneInfo(zone))
    assert start == at("2026-09-06T01:00", zone)
    assert (end - start) / HOUR == 23


def test_a_midnight_that_strikes_twice_counts_once() -> None:
    zone = ZoneInfo("America/St_Johns")  # in 2009 at 00:01 the clock went back to 23:01
    first = datetime(2009, 11, 1, tzinfo=zone).timestamp()
    assert period(PeriodKind.DAY, first + 120, zone)[0] == first


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(ZONES), st.sampled_from(list(PeriodKind)), st.floats(0, 4e9))
@example("America/St_Johns", PeriodKind.DAY, 1257042700.0)
@example("Pacific/Apia", PeriodKind.DAY, 1325239200.0)
@example("Australia/Lord_Howe", PeriodKind.HOUR, 1775314799.5)
def test_a_period_contains_its_time_and_periods_follow_each_other(name: str, kind: PeriodKind, ts: float) -> None:
    zone = ZoneInfo(name)
    start, end = period(kind, ts, zone)
    assert start <= ts < end
    assert period(kind, start, zone) == (start, end)
    assert period(kind, end - 1, zone) == (start, end)
    following = period(kind, end, zone)
    assert following[0] == end
    assert period(kind, start - 1, zone)[1] == start
    assert kind is not PeriodKind.HOUR or end - start <= HOUR
