"""Where a value lies among the last ones: its rank, from above and from below."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Sequence
from math import log10

KEPT = 1000
_LEAST = 20


class Ranks:
    """The last 1,000 values, in the order in which they came and sorted."""

    __slots__ = ("_next", "_ring", "_sorted")

    def __init__(self) -> None:
        self._ring: list[float] = []
        self._sorted: list[float] = []
        self._next = 0

    def rarity(self, value: float) -> float:
        """Return -log10 of the two-sided share of kept values at least as extreme, and then keep `value`."""
        ordered = self._sorted
        count = len(ordered)
        rarity = 0.0
        if count >= _LEAST:
            nearest = min(bisect_right(ordered, value), count - bisect_left(ordered, value))
            share = 2 * max(nearest, 0.5) / count
            if share < 1:
                rarity = -log10(share)
        if count < KEPT:
            self._ring.append(value)
        else:
            oldest = self._ring[self._next]
            del ordered[bisect_left(ordered, oldest)]
            self._ring[self._next] = value
            self._next = (self._next + 1) % KEPT
        insort(ordered, value)
        return rarity

    def dump(self) -> list[float]:
        """Return the kept values, oldest first."""
        return self._ring[self._next :] + self._ring[: self._next]

    def load(self, state: Sequence[float]) -> None:
        """Take up what `dump` returned."""
        self._ring = list(state)
        self._sorted = sorted(state)
        self._next = 0
