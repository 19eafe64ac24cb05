"""The hour, day, week or month that a time is in, by the clock on the wall of a time zone."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

_HOUR = 3600


class PeriodKind(StrEnum):
    """The periods of a budget. A week begins on Monday."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def period(kind: PeriodKind, ts: float, zone: ZoneInfo) -> tuple[float, float]:
    """Return start (included) and end (excluded), epoch seconds, of the period of `zone` that contains `ts`.

    Days have 23 or 25 hours where the clock is changed. Periods follow each other without a hole or an overlap: where
    midnight strikes twice the first one counts, and where it is skipped the day begins with the change.
    """
    if kind is PeriodKind.HOUR:
        return _hour(ts, zone)
    first, following = _CALENDAR[kind](_day(ts, zone))
    return _midnight(first, zone), _midnight(following, zone)


def _month(day: date) -> tuple[date, date]:
    first = day.replace(day=1)
    return first, (first + timedelta(days=31)).replace(day=1)


def _week(day: date) -> tuple[date, date]:
    monday = day - timedelta(days=day.weekday())
    return monday, monday + timedelta(days=7)


_CALENDAR: dict[PeriodKind, Callable[[date], tuple[date, date]]] = {
    PeriodKind.DAY: lambda day: (day, day + timedelta(days=1)),
    PeriodKind.WEEK: _week,
    PeriodKind.MONTH: _month,
}


def _midnight(day: date, zone: ZoneInfo) -> float:
    """Return when `day` begins; a midnight that the clock skips has the offset before, which makes it the change."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def _day(ts: float, zone: ZoneInfo) -> date:
    day = datetime.fromtimestamp(ts, zone).date()
    # A clock that goes back over midnight shows the old date again: what follows the first midnight is the new day.
    while _midnight(day + timedelta(days=1), zone) <= ts:
        day += timedelta(days=1)
    return day


def _hour(ts: float, zone: ZoneInfo) -> tuple[float, float]:
    """Return the hour on the wall, cut where the clock is changed in the middle of it (by half an hour, in places)."""
    offset = _offset(ts, zone)
    start = float((int(ts // 1) + offset) // _HOUR * _HOUR - offset)
    end = start + _HOUR
    if _offset(start, zone) != offset:
        start = _change(start, ts, zone)
    if _offset(end - 1, zone) != offset:
        end = _change(ts, end - 1, zone)
    return start, end


def _offset(ts: float, zone: ZoneInfo) -> int:
    shift = datetime.fromtimestamp(ts, UTC).astimezone(zone).utcoffset() or timedelta()
    return int(shift.total_seconds())


def _change(low: float, high: float, zone: ZoneInfo) -> float:
    """Return the first whole second after `low` from which the zone has the offset that it has at `high`."""
    before, after = int(low // 1), int(high // 1)
    target = _offset(after, zone)
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(middle, zone) == target:
            after = middle
        else:
            before = middle
    return float(after)
