"""What a value was to be: a mix of a slow level, a fast one, and the level with the shape of the day and of the week.

Each of the four predicts; they are weighted by the inverse square of how wrong they were of late, so that a series
without a season is not given one, and one with a season is not predicted from its last values alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

HOUR = 3600.0
_DAY_HOURS = 24
_WEEK_HOURS = 168
_LEVEL_SECONDS = 7 * 86400.0
_LEARNT = 30  # points after which a single value no longer moves the spread by more than it can bear
_FIRST = 5
_FAST, _ERROR, _SPREAD = 0.2, 0.005, 0.003
_DAY_GAIN, _WEEK_GAIN = 0.15, 0.3
_FARTHEST = 1e3
_WAKES = 0.05  # of a value: what the spread may learn of it at least, after a past that did not move


class Shape:
    """How far each hour of a cycle lies from the level; between the middles of two hours, between the two."""

    __slots__ = ("_gain", "_hours", "_offsets", "_seen")

    def __init__(self, hours: int, gain: float) -> None:
        self._hours = hours
        self._gain = gain
        self._offsets: list[float | None] = [None] * hours
        self._seen = [0.0] * hours

    def at(self, hour: int, past_middle: float) -> float | None:
        """Return the offset at `past_middle` hours (-0.5 to 0.5) from the middle of `hour`, or None where unknown."""
        here = self._offsets[hour % self._hours]
        if here is None:
            return None
        there = self._offsets[(hour + (1 if past_middle > 0 else -1)) % self._hours]
        return here if there is None else here + (there - here) * abs(past_middle)

    def learn(self, hour: int, offset: float, hours: float) -> None:
        """Move the offset of `hour` towards `offset`, which stands for that many hours (at most one)."""
        place = hour % self._hours
        seen = self._seen[place] = self._seen[place] + hours
        known = self._offsets[place]
        if known is None:
            self._offsets[place] = offset
        elif hours > 0:
            self._offsets[place] = known + max(hours / seen, hours * self._gain) * (offset - known)

    def dump(self) -> list[float | None]:
        """Return the state as plain numbers."""
        return [*self._offsets, *self._seen]

    def load(self, state: Sequence[float | None]) -> None:
        """Take up a state that `dump` returned."""
        self._offsets = list(state[: self._hours])
        self._seen = [each or 0.0 for each in state[self._hours :]]


class Season:
    """The expected value and, in standard deviations of what is usually left over, how far from it a value lies.

    `expected` is the mix of all four, `plan` that without the fast level: it does not follow what just began.
    """

    __slots__ = ("_day", "_errors", "_fast", "_level", "_points", "_variance", "_week", "expected", "plan")

    def __init__(self) -> None:
        self.expected = 0.0
        self.plan = 0.0
        self._level = 0.0
        self._fast = 0.0
        self._variance = 0.0
        self._points = 0
        self._errors = [0.0] * 4
        self._day = Shape(_DAY_HOURS, _DAY_GAIN)
        self._week = Shape(_WEEK_HOURS, _WEEK_GAIN)

    def distance(self, ts: float, elapsed: float, value: float) -> float:
        """Return how far `value` at `ts` (epoch seconds) lies from what was expected, and then learn it.

        `elapsed` are the seconds since the value before. The distance is in standard deviations, within 1,000.
        """
        if not self._points:
            self._level = self._fast = value
        hour, within = divmod(ts / HOUR, 1)
        hour, middle = int(hour), within - 0.5
        level, fast = self._level, self._fast
        day, week = self._day.at(hour, middle), self._week.at(hour, middle)
        by_day = level if day is None else level + day
        by_week = by_day if week is None else level + week
        self._mix(level, fast, by_day, by_week)
        deviation = sqrt(self._variance)
        left = value - self.expected
        distance = 0.0
        if self._points > _FIRST:
            distance = left / (deviation + 1e-9 * abs(value) + 1e-12)
            distance = max(-_FARTHEST, min(_FARTHEST, distance))
        self._learn(value, left, elapsed, (level, fast, by_day, by_week))
        hours = elapsed / HOUR if elapsed < 2 * HOUR else 1.0
        offset = value - self._level
        self._day.learn(hour, offset, min(hours, 1.0))
        self._week.learn(hour, offset, min(hours, 1.0))
        return distance

    def _mix(self, level: float, fast: float, by_day: float, by_week: float) -> None:
        if self._points <= _FIRST:
            self.expected = self.plan = fast
            return
        one, two, three, four = [1 / (each * each + 1e-12) for each in self._errors]
        slow, weight = one * level + three * by_day + four * by_week, one + three + four
        self.plan = slow / weight
        self.expected = (slow + two * fast) / (weight + two)

    def _learn(self, value: float, left: float, elapsed: float, guesses: tuple[float, float, float, float]) -> None:
        self._points += 1
        first = 1 / self._points
        square = left * left
        if self._points > _LEARNT:
            square = min(square, max(25 * self._variance, (_WAKES * value) ** 2))
        self._variance += max(first, _SPREAD) * (square - self._variance)
        gain = max(first, _ERROR)
        self._errors = [
            error + gain * (abs(value - guess) - error) for error, guess in zip(self._errors, guesses, strict=True)
        ]
        self._level += max(first, min(0.5, elapsed / _LEVEL_SECONDS)) * (value - self._level)
        self._fast += max(first, _FAST) * (value - self._fast)

    def dump(self) -> dict[str, Any]:
        """Return the state as plain numbers and lists."""
        plain = [self.expected, self.plan, self._level, self._fast, self._variance, self._points]
        return {"plain": plain, "errors": list(self._errors), "day": self._day.dump(), "week": self._week.dump()}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up a state that `dump` returned."""
        self.expected, self.plan, self._level, self._fast, self._variance, self._points = state["plain"]
        self._errors = list(state["errors"])
        self._day.load(state["day"])
        self._week.load(state["week"])
