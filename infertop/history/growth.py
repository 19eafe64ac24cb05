"""How much a meter grew over a row of readings, for the roll-ups. Restarts are seen by a fall."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from operator import le

from infertop.readings.histogram import add, difference
from infertop.readings.model import Buckets, Value


def counter_growth(path: Sequence[float]) -> tuple[float, int]:
    """Return by how much a counter grew along `path`, and how often it began anew; a fall counts the new value in full.

    Readings that are not finite or below 0 are passed over.
    """
    if all(map(le, path, path[1:])) and path[-1] < math.inf and path[0] >= 0:
        return path[-1] - path[0], 0
    good = [value for value in path if 0 <= value < math.inf]
    grown, resets = 0.0, 0
    for before, after in pairwise(good):
        grown += after - before if after >= before else after
        resets += after < before
    return grown, resets


@dataclass(slots=True)
class HistogramGrowth:
    """How much one histogram grows, reading by reading; only the first and the last are kept.

    `before` is the reading before them: None where there is none, and then the first is where counting begins.
    """

    before: Buckets | None
    last: Buckets | None = None
    readings: int = 0
    grown: Buckets | None = None
    resets: int = 0

    def add(self, reading: Value) -> None:
        """Take the next reading."""
        self.readings += 1
        if not isinstance(reading, Buckets):
            return
        if self.last is not None and reading.observations < self.last.observations:
            self._settle()
            self.before = empty(reading)
            self.resets += 1
        elif self.before is None:
            self.before = reading
        self.last = reading

    def take(self) -> tuple[Buckets | None, int, int]:
        """Return growth, restarts and the number of readings since the last time, and begin again from there."""
        self._settle()
        found = self.grown, self.resets, self.readings
        self.grown, self.resets, self.readings = None, 0, 0
        return found

    def _settle(self) -> None:
        if self.last is None or self.before is None:
            return
        self.grown = plus(self.grown, difference(self.last, self.before))
        self.before = self.last


def empty(like: Buckets) -> Buckets:
    """Return the reading of a histogram with the same bounds that holds nothing."""
    return Buckets(like.bounds, (0.0,) * len(like.counts), 0.0)


def plus(one: Buckets | None, other: Buckets | None) -> Buckets | None:
    """Add histograms, of which either may be unknown."""
    if one is None or other is None:
        return other if one is None else one
    return add((one, other))
