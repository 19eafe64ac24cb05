"""A series of amounts, put together by the quarter of an hour: no zone's day begins anywhere else."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable
from itertools import accumulate, pairwise
from statistics import median

from infertop.commands.series_lines import Point
from infertop.money.forecast.hours import HOUR, MOST_HOURS

QUARTER = 900
MOST_INTERVAL = 24 * HOUR
_ENOUGH = 0.5  # of an hour's values: less, and the hour is not known


class Amounts:
    """Sums of a series whose values are amounts per interval, each spread over the `interval` from its time on.

    `hours` are those since 1970 of which something is known; None where too little is.
    """

    def __init__(self, points: Iterable[Point]) -> None:
        times, values = _in_order(points)  # millions of points are packed, since as objects they would take gigabytes
        self.interval = _interval(times)
        quarters: dict[int, float] = {}
        counts: dict[int, float] = {}
        parts = max(1, round(min(self.interval, MOST_INTERVAL) / QUARTER))
        for ts, value in zip(times, values, strict=True):
            for part in range(parts):
                quarter = int((ts + part * QUARTER) // QUARTER)
                quarters[quarter] = quarters.get(quarter, 0.0) + value / parts
                counts[quarter // 4] = counts.get(quarter // 4, 0.0) + 1 / parts
        self._quarters = sorted(quarters)
        self._sums = [0.0, *accumulate(quarters[each] for each in self._quarters)]
        self.begin = times[0] if times else 0.0
        self.end = times[-1] + self.interval if times else 0.0
        self.hours = {hour: self._hour(hour, counts[hour]) for hour in sorted(counts)}

    def between(self, begin: float, end: float) -> float:
        """Return the sum from `begin` to before `end`, which are full quarters of an hour."""
        low, high = (bisect_left(self._quarters, round(each / QUARTER)) for each in (begin, end))
        return self._sums[high] - self._sums[low]

    def known(self, begin: float, end: float) -> float:
        """Return the share of the hours from `begin` to `end` that are known."""
        hours = range(int(begin // HOUR), int(-(-end // HOUR)))
        return sum(self.hours.get(hour) is not None for hour in hours) / max(1, len(hours))

    def before(self, hour: int) -> dict[int, float | None]:
        """Return the hours that a forecast at the begin of `hour` may know of and makes use of."""
        return {each: self.hours[each] for each in range(hour - MOST_HOURS, hour) if each in self.hours}

    @property
    def below_zero(self) -> float:
        """What hours below 0 come to, as a share of what those above it do."""
        known = [amount for amount in self.hours.values() if amount is not None]
        above, below = sum(each for each in known if each > 0), -sum(each for each in known if each < 0)
        return below / above if above else float(below > 0)

    def _hour(self, hour: int, count: float) -> float | None:
        """Return what an hour took; where some of its values are missing, as much as they let expect."""
        expected = HOUR / self.interval
        share = min(1.0, count / expected) if count < expected - 1 else 1.0
        return self.between(hour * HOUR, (hour + 1) * HOUR) / share if share >= _ENOUGH else None


def _in_order(points: Iterable[Point]) -> tuple[array[float], array[float]]:
    times, values = array("d"), array("d")
    for each in points:
        times.append(each.ts)
        values.append(each.value)
    if any(after < before for before, after in pairwise(times)):
        order = sorted(range(len(times)), key=times.__getitem__)
        times, values = array("d", [times[at] for at in order]), array("d", [values[at] for at in order])
    return times, values


def _interval(times: Iterable[float]) -> float:
    gaps = [after - before for before, after in pairwise(times) if after > before]
    return median(gaps) if gaps else float(HOUR)
