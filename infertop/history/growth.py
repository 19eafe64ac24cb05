"""How much a meter grew over a row of readings, for the roll-ups. Restarts are seen by a fall."""

from __future__ import annotations

import math
from collections.abc import Sequence
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


def histogram_growth(path: Sequence[Buckets]) -> tuple[Buckets | None, int]:
    """Return what came into a histogram along `path`, and how often it began anew; None where its bounds changed."""
    counts = [each.observations for each in path]
    if all(map(le, counts, counts[1:])):
        return difference(path[-1], path[0]), 0
    parts: list[Buckets] = []
    resets = 0
    for before, after in pairwise(path):
        fell = after.observations < before.observations
        part = after if fell else difference(after, before)
        parts += [part] if part is not None else []
        resets += fell
    return add(parts), resets


def nothing_yet(like: Value) -> Value:
    """Return the reading of a meter that has counted nothing, in the form of `like`."""
    return Buckets(like.bounds, (0.0,) * len(like.counts), 0.0) if isinstance(like, Buckets) else 0.0
