from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from infertop.views.since import parse_instant

NOW = datetime(2026, 11, 22, 4, 30, 42, tzinfo=UTC).timestamp()
UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")


def utc(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("90m", utc(2026, 11, 22, 3, 0)),
        ("24h", utc(2026, 11, 21, 4, 30)),
        ("7d", utc(2026, 11, 15, 4, 30)),
        ("2w", utc(2026, 11, 8, 4, 30)),
        ("2026-11-22T04:25:00Z", utc(2026, 11, 22, 4, 25)),
        ("2026-11-22T05:25:00+01:00", utc(2026, 11, 22, 4, 25)),
    ],
)
def test_rolling_spans_are_floored_to_the_minute_and_instants_are_kept(text: str, expected: float) -> None:
    assert parse_instant(text, NOW, UTC_ZONE) == expected


def test_today_and_month_follow_the_configured_zone() -> None:
    assert parse_instant("today", NOW, BERLIN) == utc(2026, 11, 21, 23, 0)
    assert parse_instant("month", NOW, BERLIN) == utc(2026, 10, 31, 23, 0)
    assert parse_instant("2026-11-22", NOW, BERLIN) == utc(2026, 11, 21, 23, 0)


def test_a_local_day_of_25_hours_begins_at_its_own_midnight() -> None:
    after_the_change = datetime(2026, 10, 25, 20, 0, tzinfo=UTC).timestamp()
    assert after_the_change - parse_instant("today", after_the_change, BERLIN) == 22 * 3600


@pytest.mark.parametrize("text", ["", "soon", "7y", "-3d", "2026-13-01", "\x1b[31m"])
def test_what_is_no_time_is_refused_with_the_forms_that_are(text: str) -> None:
    with pytest.raises(ValueError, match="write one of"):
        parse_instant(text, NOW, UTC_ZONE)
