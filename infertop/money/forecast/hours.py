"""A series of spend by the hour, and where in the local week each hour is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from infertop.money.periods import PeriodKind

HOUR = 3600
DAY, WEEK = 24, 168  # hours
MOST_HOURS = 9 * WEEK
LONGEST = 31 * DAY + 1
_LONGEST = {PeriodKind.HOUR: 1, PeriodKind.DAY: DAY + 1, PeriodKind.WEEK: WEEK + 1, PeriodKind.MONTH: LONGEST}


def longest_hours(kind: PeriodKind) -> int:
    """Return how many hours a period has at most."""
    return _LONGEST[kind]


class Clockface:
    """Says of an hour since 1970 in UTC which of the 168 hours of the zone's week it begins in, Monday first."""

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._known: dict[int, int] = {}

    def slots(self, first: int, last: int) -> list[int]:
        """Return the slots of the hours from `first` to before `last`."""
        known, found = self._known, []
        for hour in range(first, last):
            slot = known.get(hour)
            if slot is None:
                slot = known[hour] = self._slot(hour)
            found.append(slot)
        return found

    def _slot(self, hour: int) -> int:
        offset = datetime.fromtimestamp(hour * HOUR, UTC).astimezone(self._zone).utcoffset() or timedelta()
        local = (hour * HOUR + int(offset.total_seconds())) // HOUR
        return (local + 3 * DAY) % WEEK  # 1970-01-01 was a Thursday


class Hours:
    """Amounts of the hours from `first` (hours since 1970) on; where nobody knew, what is likely stands in.

    `known` says which amounts are more than likely.
    """

    def __init__(self, first: int, amounts: Sequence[float | None]) -> None:
        self.first = first
        self.known = [amount is not None for amount in amounts]
        self.amounts: list[float] = []
        for at, amount in enumerate(amounts):
            self.amounts.append(self._likely(at) if amount is None else max(0.0, amount))

    @classmethod
    def of(cls, amounts: Mapping[int, float | None], until: int) -> Hours:
        """Return the hours before `until`, the oldest that is known first; what is not in `amounts` is unknown."""
        first = min((hour for hour, amount in amounts.items() if amount is not None and hour < until), default=until)
        first = max(first, until - MOST_HOURS)
        return cls(first, [amounts.get(hour) for hour in range(first, until)])

    @property
    def until(self) -> int:
        """The hour after the last one."""
        return self.first + len(self.amounts)

    def _likely(self, at: int) -> float:
        """Return what stands for an unknown amount: a week before, a day before, or the mean of the day before."""
        for back in (WEEK, DAY):
            if at >= back and self.known[at - back]:
                return self.amounts[at - back]
        before = self.amounts[max(0, at - DAY) : at]
        return sum(before) / len(before) if before else 0.0
