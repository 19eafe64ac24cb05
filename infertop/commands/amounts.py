"""A series of amounts, put together by the quarter of an hour: no zone's day begins anywhere else."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate, pairwise
from statistics import median

from infertop.commands.series_lines import Point
from infertop.money.forecast.hours import HOUR

QUARTER = 900
MOST_INTERVAL = 24 * HOUR
LAST_TS = 253_370_764_800  # the year 9999
_ENOUGH = 0.5  # of an hour's values: less, and the hour is not known


class Amounts:
    """Sums of a series whose values are amounts per interval, each spread over the `interval` from its time on.

    `hours` are those since 1970 of which something is known; None where too little is.
    """

    def __init__(self, points: Iterable[Point]) -> None:
        ordered = sorted((each.ts, each.value) for each in points if each.ts < LAST_TS)
        self.interval = _interval([ts for ts, _ in ordered])
        quarters: dict[int, float] = {}
        counts: dict[int, float] = {}
        parts = max(1, round(min(self.interval, MOST_INTERVAL) / QUARTER))
        for ts, value in ordered:
            for part in range(parts):
                quarter = int((ts + part * QUARTER) // QUARTER)
                quarters[quarter] = quarters.get(quarter, 0.0) + value / parts
                counts[quarter // 4] = counts.get(quarter // 4, 0.0) + 1 / parts
        self._quarters = sorted(quarters)
        self._sums = [0.0, *accumulate(quarters[each] for each in self._quarters)]
        self.begin = ordered[0][0] if ordered else 0.0
        self.end = ordered[-1][0] + self.interval if ordered else 0.0
        self.hours = {hour: self._hour(hour, count) for hour, count in counts.items()}

    def between(self, begin: float, end: float) -> float:
        """Return the sum from `begin` to before `end`, which are full quarters of an hour."""
        low, high = (bisect_left(self._quarters, round(each / QUARTER)) for each in (begin, end))
        return self._sums[high] - self._sums[low]

    def known(self, begin: float, end: float) -> float:
        """Return the share of the hours from `begin` to `end` that are known."""
        hours = range(int(begin // HOUR), int(-(-end // HOUR)))
        return sum(self.hours.get(hour) is not None for hour in hours) / max(1, len(hours))

    def _hour(self, hour: int, count: float) -> float | None:
        """Return what an hour took; where some of its values are missing, as much as they let expect."""
        expected = HOUR / self.interval
        share = min(1.0, count / expected) if count < expected - 1 else 1.0
        return self.between(hour * HOUR, (hour + 1) * HOUR) / share if share >= _ENOUGH else None


def _interval(times: list[float]) -> float:
    gaps = [after - before for before, after in pairwise(times) if after > before]
    return median(gaps) if gaps else float(HOUR)
