"""Lines that stop moving: how unlikely so many equal values in a row are."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10

_LEAST_RUN = 5
_LONGER = 1.5
_AFTER = 30


class Flat:
    """How often a value was that before it, and the longest run of equal ones."""

    __slots__ = ("_last", "_longest", "_points", "_run", "_same")

    def __init__(self) -> None:
        self._last = 0.0
        self._points = 0
        self._same = 0
        self._run = 0
        self._longest = 0

    def rarity(self, value: float) -> float:
        """Return -log10 of the chance of this run, where it is half as long again as any."""
        rarity = 0.0
        if self._points and value == self._last:
            self._run += 1
            if self._points >= _AFTER and self._run >= _LEAST_RUN and self._run > _LONGER * self._longest:
                before = self._points - self._run + 1
                rarity = -self._run * log10((self._same + 1) / (before + 2))
        elif self._run:
            self._same += self._run
            self._longest = max(self._longest, self._run)
            self._run = 0
        self._last = value
        self._points += 1
        return rarity

    def dump(self) -> list[float]:
        """Return the state as plain numbers."""
        return [self._last, self._points, self._same, self._run, self._longest]

    def load(self, state: Sequence[float]) -> None:
        """Take up a state that `dump` returned."""
        self._last = state[0]
        self._points, self._same, self._run, self._longest = map(int, state[1:])
