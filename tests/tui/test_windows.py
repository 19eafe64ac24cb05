"""The two windows that are compared: presets by the clock on the wall, and windows however they are moved."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tui.windows import AFTER, BEFORE, BOTH, LENGTHS, PRESETS, Windows, preset

HOUR, DAY, WEEK = 3600.0, 86_400.0, 604_800.0
BERLIN = ZoneInfo("Europe/Berlin")


def test_presets_follow_the_clock_on_the_wall() -> None:
    at = datetime(2026, 11, 25, 9, 30, 20, tzinfo=BERLIN).timestamp()  # a Wednesday
    end = at - 20
    assert preset(1, at, "Europe/Berlin") == ((end - DAY - HOUR, end - DAY), (end - HOUR, end))
    assert preset(2, at, "Europe/Berlin") == ((end - WEEK - HOUR, end - WEEK), (end - HOUR, end))
    today = end - 9.5 * HOUR
    assert preset(3, at, "Europe/Berlin") == ((today - DAY, end - DAY), (today, end))
    monday = today - 2 * DAY
    assert preset(4, at, "Europe/Berlin") == ((monday - WEEK, end - WEEK), (monday, end))


def test_presets_keep_the_hour_over_a_change_of_the_clock() -> None:
    at = datetime(2026, 10, 25, 12, 0, tzinfo=BERLIN).timestamp()  # the day has 25 hours
    before, after = preset(1, at, "Europe/Berlin")
    assert datetime.fromtimestamp(before[0], BERLIN).hour == datetime.fromtimestamp(after[0], BERLIN).hour == 11
    assert after[0] - before[0] == 25 * HOUR
    before, after = preset(3, at, "Europe/Berlin")
    assert [datetime.fromtimestamp(each, BERLIN).strftime("%d %H") for each in (*before, *after)] == [
        "24 00",
        "24 12",
        "25 00",
        "25 12",
    ]


def test_at_midnight_today_is_not_empty() -> None:
    at = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
    for number in range(len(PRESETS)):
        for start, end in preset(number, at, "UTC"):
            assert end - start >= 60


@given(
    st.integers(0, 4),
    st.lists(st.tuples(st.sampled_from(["stepped", "widened"]), st.integers(-50, 50)), max_size=12),
    st.sampled_from([BOTH, BEFORE, AFTER]),
    st.floats(1.7e9, 1.9e9),
)
def test_however_they_are_moved_windows_begin_before_they_end_and_end_by_now(
    number: int, moves: list[tuple[str, int]], side: str, at: float
) -> None:
    windows = Windows(number, side)
    for what, step in moves:
        windows = getattr(windows, what)(step, at, "America/New_York")
        for start, end in windows.at(at, "America/New_York"):
            assert 0 < end - start <= max(8 * DAY, *LENGTHS)
            assert end <= at
