"""Changes against what was: from one value to the next, of the level, of the spread; new extremes."""

from __future__ import annotations

from collections.abc import Sequence
from math import log, sqrt

_LEARNT = 30
_FIRST = 5
_JUMP = 0.01
_FARTHEST = 1e3
_WAKES = 0.05  # of a value: what the usual jump may learn of it at least, after a past that did not move
_BOUND = 8.0
_EVEN = 0.05  # added to both spreads, so that silence is no infinite change
_EXTREME_AFTER = 20
_LEAST_SHARE = 0.02


class Jump:
    """How far a value lies from the one before, in terms of how far that usually is."""

    __slots__ = ("_last", "_points", "_square")

    def __init__(self) -> None:
        self._last = 0.0
        self._square = 0.0
        self._points = 0

    def size(self, value: float) -> float:
        """Return the jump to `value` in root mean squares of the past ones, within 1,000."""
        jump = value - self._last if self._points else 0.0
        self._last = value
        size = 0.0
        if self._points > _FIRST:
            size = min(_FARTHEST, abs(jump) / (sqrt(self._square) + 1e-9 * abs(value) + 1e-12))
        self._points += 1
        square = jump * jump
        if self._points > _LEARNT:
            square = min(square, max(25 * self._square, (_WAKES * value) ** 2))
        self._square += max(1 / self._points, _JUMP) * (square - self._square)
        return size

    def dump(self) -> list[float]:
        """Return the state as plain numbers."""
        return [self._last, self._square, self._points]

    def load(self, state: Sequence[float]) -> None:
        """Take up a state that `dump` returned."""
        self._last, self._square, points = state
        self._points = int(points)


class Apart:
    """A short and a long running mean of a figure, given in standard deviations: where they part, something changed.

    `fast` and `slow` are the shares that a new point has in each.
    """

    __slots__ = ("_fast", "_fast_gain", "_points", "_slow", "_slow_gain")

    def __init__(self, fast: float, slow: float) -> None:
        self._fast_gain = fast
        self._slow_gain = slow
        self._fast = 0.0
        self._slow = 0.0
        self._points = 0

    def level(self, distance: float) -> float:
        """Return how far the short mean lies from the long one."""
        self._learn(distance)
        return abs(self._fast - self._slow)

    def spread(self, distance: float) -> float:
        """Return the logarithm of the short mean's ratio to the long one, of absolute distances."""
        self._learn(abs(distance))
        return abs(log((self._fast + _EVEN) / (self._slow + _EVEN)))

    def _learn(self, distance: float) -> None:
        distance = max(-_BOUND, min(_BOUND, distance))
        self._points += 1
        first = 1 / self._points
        self._fast += max(first, self._fast_gain) * (distance - self._fast)
        self._slow += max(first, self._slow_gain) * (distance - self._slow)

    def dump(self) -> list[float]:
        """Return the state as plain numbers."""
        return [self._fast, self._slow, self._points]

    def load(self, state: Sequence[float]) -> None:
        """Take up a state that `dump` returned."""
        self._fast, self._slow, points = state
        self._points = int(points)


class Extremes:
    """The range of all values ever seen."""

    __slots__ = ("_highest", "_lowest", "_points")

    def __init__(self) -> None:
        self._lowest = 0.0
        self._highest = 0.0
        self._points = 0

    def beyond(self, value: float) -> float:
        """Return how far `value` lies outside, as a share of the range; 0 inside and within 2 % of it."""
        if not self._points:
            self._lowest = self._highest = value
        width = self._highest - self._lowest
        outside = max(value - self._highest, self._lowest - value)
        share = 0.0
        if self._points > _EXTREME_AFTER and outside > _LEAST_SHARE * width:
            share = outside / width if width else 0.5
        self._lowest, self._highest = min(self._lowest, value), max(self._highest, value)
        self._points += 1
        return share

    def dump(self) -> list[float]:
        """Return the state as plain numbers."""
        return [self._lowest, self._highest, self._points]

    def load(self, state: Sequence[float]) -> None:
        """Take up a state that `dump` returned."""
        self._lowest, self._highest, points = state
        self._points = int(points)
