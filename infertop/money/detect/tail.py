"""How rare a figure is in its own history: a histogram that forgets."""

from __future__ import annotations

from collections.abc import Sequence
from math import log2, log10

_BINS = 96
_PER_OCTAVE = 5
_LEAST = 2.0**-10
_TOP = _BINS - 1.001
_HALF_LIFE_POINTS = 8000
_GROWTH = 2 ** (1 / _HALF_LIFE_POINTS)
_HEAVIEST = 1e12


class Tail:
    """The history of one figure of 0 or more, in bins of a fifth of an octave; a point counts half after 8,000 more."""

    __slots__ = ("_counts", "_total", "_weight")

    def __init__(self) -> None:
        self._counts = [0.0] * _BINS
        self._total = 0.0
        self._weight = 1.0

    def rarity(self, figure: float) -> float:
        """Return -log10 of the share of the past at or above `figure`, and then count it as past.

        It never exceeds log10 of twice the points seen: rarity is a statement about that much history and no more.
        """
        place = (log2(figure) + 10) * _PER_OCTAVE if figure > _LEAST else 0.0
        if place > _TOP:
            place = _TOP
        index = int(place)
        counts, weight = self._counts, self._weight
        above = sum(counts[index + 1 :]) + counts[index] * (1 - (place - index))
        share = (above + 0.5 * weight) / (self._total + weight)
        counts[index] += weight
        self._total += weight
        # Newer points weigh more, which is the same as older ones fading, and touches one bin.
        self._weight = weight * _GROWTH
        if weight > _HEAVIEST:
            self._counts = [each / weight for each in counts]
            self._total /= weight
            self._weight = _GROWTH
        return -log10(share)

    def dump(self) -> list[float]:
        """Return the state as plain numbers."""
        return [self._total, self._weight, *self._counts]

    def load(self, state: Sequence[float]) -> None:
        """Take up a state that `dump` returned."""
        self._total, self._weight, *self._counts = state
