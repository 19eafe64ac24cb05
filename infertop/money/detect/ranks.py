"""Where a value lies among those before it: its rank, from above and from below.

The values are kept as centroids (a t-digest, Dunning & Ertl 2019): single ones in the tails, where ranks have to be
right, many together in the middle. Older ones fade, so that what was usual long ago is not usual for ever.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Mapping
from math import log10
from typing import Any

_LEAST = 20
_HALF_LIFE_POINTS = 4000
_KEEP = 0.5 ** (1 / _HALF_LIFE_POINTS)
_WAITING = 64
_LARGEST = 0.2  # of all weight that one centroid may have, times its rank from below and from above
_SINGLE = 1.5


class Ranks:
    """Some 120 centroids, and up to 64 values that wait to be merged into them."""

    __slots__ = ("_below", "_means", "_points", "_waiting", "_weights")

    def __init__(self) -> None:
        self._means: list[float] = []
        self._weights: list[float] = []
        self._below = [0.0]  # the weight before each centroid, and at last all of it
        self._waiting: list[float] = []
        self._points = 0

    def rarity(self, value: float) -> float:
        """Return -log10 of the two-sided share of past values at least as extreme, and then count `value` as past."""
        rarity = 0.0
        if self._points >= _LEAST:
            share = 2 * max(self._nearest(value), 0.5) / self._below[-1]
            if share < 1:
                rarity = -log10(share)
        self._points += 1
        self._waiting.append(value)
        if len(self._waiting) > min(_WAITING - 1, self._points // 16):
            self._merge()
        return rarity

    def _nearest(self, value: float) -> float:
        """Return the weight of what is at or below `value`, or at or above it: the smaller one."""
        low, high = bisect_left(self._means, value), bisect_right(self._means, value)
        below, upto = self._below[low], self._below[high]
        if low == high and 0 < low < len(self._means):
            before, after = self._means[low - 1], self._means[low]
            left, right = self._half(low - 1), self._half(low)
            below = upto = below - left + (left + right) * ((value - before) / (after - before))
        return min(upto, self._below[-1] - below)

    def _half(self, place: int) -> float:
        """Return the weight of a centroid on one side of its mean."""
        weight = self._weights[place]
        return weight / 2 if weight > _SINGLE else 0.0

    def _merge(self) -> None:
        keep = _KEEP ** len(self._waiting)
        faded = [(mean, weight * keep) for mean, weight in zip(self._means, self._weights, strict=True)]
        (mean, weight), *others = sorted(faded + [(value, 1.0) for value in self._waiting])
        self._waiting = []
        total = weight + sum(each for _, each in others)
        means, weights, below, done = [], [], [0.0], 0.0
        for next_mean, next_weight in others:
            rank = (done + (weight + next_weight) / 2) / total
            if next_mean == mean:
                weight += next_weight
            elif weight + next_weight <= _LARGEST * total * rank * (1 - rank):
                weight += next_weight
                mean += (next_mean - mean) * (next_weight / weight)
            else:
                means.append(mean)
                weights.append(weight)
                done += weight
                below.append(done)
                mean, weight = next_mean, next_weight
        self._means, self._weights, self._below = [*means, mean], [*weights, weight], [*below, done + weight]

    def dump(self) -> dict[str, Any]:
        """Return the state as plain numbers."""
        kept = {"means": self._means, "weights": self._weights, "below": self._below, "waiting": self._waiting}
        return {"points": self._points, **{name: list(each) for name, each in kept.items()}}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what `dump` returned."""
        self._points = state["points"]
        self._means, self._weights = list(state["means"]), list(state["weights"])
        self._below, self._waiting = list(state["below"]), list(state["waiting"])
