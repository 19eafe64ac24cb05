"""Whether a figure is normal: its mean and deviation over the last 7 days, minute by minute.

This is a highlight, not an alarm: two standard deviations are exceeded by ordinary traffic every few days.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby

from infertop.money.lines import NANO

MINUTE = 60
WEEK_MINUTES = 7 * 24 * 60
LEAST_MINUTES = 60
MINUTES_TO_MARK = 5
_PAGE_MINUTES = 6 * 60
_SERIES_LIMIT = 1000
_MISSING = -1
_MOST = 2**62
# The least deviation: a share of the mean, and an amount in the metric's unit, so that a flat line is not marked by a
# cent. Values are kept as whole 1e-9, which makes the running sums exact for ever.
_MEAN_SHARE = 0.05
_FLOORS = {"usd_per_hour": 0.01, "tokens_per_request": 1.0}

Scope = tuple[tuple[str, str], ...]
"""What a figure is about, sorted: () is everything, (("model", "llama-3-70b"),) one model."""

Key = tuple[Scope, str]


@dataclass(frozen=True, slots=True)
class Usual:
    """What is normal: mean and standard deviation (n - 1) of `minutes` values."""

    mean: float
    deviation: float
    minutes: int


@dataclass(frozen=True, slots=True)
class Mark:
    """A figure that has left its baseline: `value` now, what was usual when it left, since when (epoch seconds)."""

    scope: Scope
    metric: str
    value: float
    usual: Usual
    since: int


@dataclass(frozen=True, slots=True)
class Change:
    """A mark that began (`until` None) or ended with the minute that starts at `until`."""

    mark: Mark
    until: int | None = None


class Baselines:
    """The baselines of all figures. A value is never above 4.6e9; what is not finite or negative is left out."""

    def __init__(self, sigma: float) -> None:
        self.sigma = sigma
        self._figures: dict[Key, _Figure] = {}

    def load(self, history: Iterable[tuple[int, Scope, str, float]]) -> None:
        """Take closed minutes (start, scope, metric, value) in time order, as if they had been added one by one."""
        for minute, rows in groupby(history, key=lambda row: row[0]):
            self.add(minute, {(scope, metric): value for _, scope, metric, value in rows})

    def add(self, minute: int, values: Mapping[Key, float | None]) -> list[Change]:
        """Take the values of the closed minute that starts at `minute` (epoch seconds); return marks begun and ended.

        A figure without a value (nobody polled, a gap, nothing to divide by) is left out of this minute.
        """
        changes = []
        for key, value in values.items():
            if value is None or not math.isfinite(value) or not 0 <= value * NANO < _MOST:
                continue
            if key not in self._figures and len(self._figures) >= _SERIES_LIMIT:
                continue
            figure = self._figures.setdefault(key, _Figure(key, _FLOORS.get(key[1], 0.0)))
            if change := figure.add(minute // MINUTE, value, self.sigma):
                changes.append(change)
        return changes

    def marks(self) -> tuple[Mark, ...]:
        """Return the marks that last."""
        return tuple(each.mark for each in self._figures.values() if each.mark)

    def usual(self, scope: Scope, metric: str) -> Usual | None:
        """Return what is normal for a figure, or None with less than an hour of minutes."""
        figure = self._figures.get((scope, metric))
        return figure.window.usual() if figure else None


class _Window:
    """A ring of a week of minutes with their sums, in whole 1e-9 of the unit: exact, and O(1) a minute.

    It is made of pages, which come with the first value on each: a fleet has a thousand of these rings.
    """

    def __init__(self) -> None:
        self.count = 0
        self._sum = 0
        self._squares = 0
        self._newest = 0
        self._pages: dict[int, array[int]] = {}

    def put(self, minute: int, nano: int) -> None:
        """Set the value of `minute`, which has none yet, and forget what is older than a week."""
        self.move_to(minute)
        if minute > self._newest - WEEK_MINUTES:
            page, place = divmod(minute % WEEK_MINUTES, _PAGE_MINUTES)
            if page not in self._pages:
                self._pages[page] = array("q", [_MISSING]) * _PAGE_MINUTES
            self._pages[page][place] = nano
            self._count(nano, 1)

    def move_to(self, minute: int) -> None:
        """Forget what is a week or more before `minute`."""
        if self._pages:
            for each in range(max(self._newest, minute - WEEK_MINUTES) + 1, minute + 1):
                page, place = divmod(each % WEEK_MINUTES, _PAGE_MINUTES)
                values = self._pages.get(page)
                if values is not None and values[place] != _MISSING:
                    self._count(values[place], -1)
                    values[place] = _MISSING
        self._newest = max(self._newest, minute)

    def _count(self, nano: int, sign: int) -> None:
        self.count += sign
        self._sum += sign * nano
        self._squares += sign * nano * nano

    def usual(self) -> Usual | None:
        """Return mean and deviation, or None with too few minutes."""
        if self.count < LEAST_MINUTES:
            return None
        spread = self._squares * self.count - self._sum * self._sum
        variance = spread / (self.count * (self.count - 1))
        return Usual(self._sum / self.count / NANO, math.sqrt(variance) / NANO, self.count)


class _Figure:
    """One figure: its window, the minutes in a row that were not normal, and its mark."""

    def __init__(self, key: Key, floor: float) -> None:
        self.key = key
        self.floor = floor
        self.window = _Window()
        self.mark: Mark | None = None
        self._newest = -1
        self._suspects: list[tuple[int, int]] = []

    def add(self, minute: int, value: float, sigma: float) -> Change | None:
        """Take the value of `minute` (since the epoch); a minute that is not newer than the last is left out."""
        if minute <= self._newest:
            return None
        self._newest = minute
        self.window.move_to(minute)
        usual = self.window.usual()
        if usual is not None and self._far(value, usual, sigma):
            return self._suspect(minute, value, usual)
        return self._normal(minute, value)

    def _far(self, value: float, usual: Usual, sigma: float) -> bool:
        least = max(usual.deviation, _MEAN_SHARE * abs(usual.mean), self.floor)
        return abs(value - usual.mean) > sigma * least

    def _suspect(self, minute: int, value: float, usual: Usual) -> Change | None:
        if self.mark:
            self.mark = Mark(*self.key, value, self.mark.usual, self.mark.since)
            return None
        self._suspects.append((minute, round(value * NANO)))
        if len(self._suspects) < MINUTES_TO_MARK:
            return None
        self.mark = Mark(*self.key, value, usual, self._suspects[0][0] * MINUTE)
        self._suspects.clear()
        return Change(self.mark)

    def _normal(self, minute: int, value: float) -> Change | None:
        # Too few odd minutes to be a change were part of what is normal.
        for past, nano in self._suspects:
            self.window.put(past, nano)
        self._suspects.clear()
        self.window.put(minute, round(value * NANO))
        ended, self.mark = self.mark, None
        return Change(ended, minute * MINUTE) if ended else None
