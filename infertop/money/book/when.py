"""When a row of prices is in force: since a date, in some hours of the day, on working days. All of it in UTC."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

DAY = 86_400
WEEK = 7 * DAY
_MAX_DATES = 400
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_WINDOW = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")
_WORKING_DAYS = "Mon-Fri"
# 1970-01-01 was a Thursday.
_FIRST_WEEKDAY = 3


@dataclass(frozen=True, slots=True)
class When:
    """Since `start` (epoch seconds, the beginning of the date `since`), daily in [opens, closes) seconds of the day.

    The hours go over midnight where they close before they open. `working_days` leaves out Saturdays and Sundays,
    `holidays` are days since 1970-01-01 that are left out too.
    """

    since: str = ""
    start: float = float("-inf")
    opens: int = 0
    closes: int = DAY
    working_days: bool = False
    holidays: frozenset[int] = frozenset()

    def holds(self, ts: float) -> bool:
        """Say whether the row is in force at `ts`, in epoch seconds."""
        if ts < self.start:
            return False
        if (self.working_days or self.holidays) and not self._works(math.floor(ts / DAY)):
            return False
        second = ts % DAY
        if self.closes < self.opens:
            return second >= self.opens or second < self.closes
        return self.opens <= second < self.closes

    def dates(self) -> set[float]:
        """Return the moments at which it begins, or leaves a day out, once and not week by week."""
        turns = {self.start} if math.isfinite(self.start) else set()
        return turns | {float((day + more) * DAY) for day in self.holidays for more in (0, 1)}

    def weekly(self) -> set[int]:
        """Return the seconds after any midnight of 1970-01-01 plus whole weeks at which it may begin or end."""
        edges = {self.opens, self.closes} if (self.opens, self.closes) != (0, DAY) else set()
        if self.working_days:
            edges |= {0}
        return {(day * DAY + edge) % WEEK for day in range(7) for edge in edges}

    def _works(self, day: int) -> bool:
        return day not in self.holidays and not (self.working_days and (day + _FIRST_WEEKDAY) % 7 >= 5)


_ALWAYS = When()


def parse_when(data: Mapping[str, Any]) -> When:
    """Return when a row holds: `from` (a date), `daily` ("01:00-04:00"), `days` ("Mon-Fri") and `except` (dates).

    Raises ValueError where one of them is broken.
    """
    if not data.keys() & {"from", "daily", "days", "except"}:
        return _ALWAYS
    since, days, holidays = data.get("from", ""), data.get("days", ""), data.get("except", [])
    if days not in ("", _WORKING_DAYS) or not isinstance(holidays, list) or len(holidays) > _MAX_DATES:
        raise ValueError(f"{days!r:.40} and {holidays!r:.80} are no days")
    start = _midnight(since) if since else float("-inf")
    out = frozenset(round(_midnight(each) / DAY) for each in holidays)
    return When(since, start, *_hours(data.get("daily", "00:00-24:00")), bool(days), out)


def _midnight(date: Any) -> float:
    if not isinstance(date, str) or not _DATE.fullmatch(date):
        raise ValueError(f"{date!r:.40} is no date")
    return datetime.fromisoformat(date).replace(tzinfo=UTC).timestamp()


def _hours(daily: Any) -> tuple[int, int]:
    window = _WINDOW.fullmatch(daily) if isinstance(daily, str) else None
    if window is None:
        raise ValueError(f"{daily!r:.40} is no time of day")
    hours, minutes, end_hours, end_minutes = map(int, window.groups())
    opens, closes = hours * 3600 + minutes * 60, end_hours * 3600 + end_minutes * 60
    if max(minutes, end_minutes) > 59 or opens >= DAY or closes > DAY:
        raise ValueError(f"{daily!r:.40} is no time of day")
    return opens, closes
