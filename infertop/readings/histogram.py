"""Arithmetic on histograms: what came in between two readings, the sum over ranks, mean and quantiles.

Counts are cumulative, as on the page. A histogram whose counts fall from one bucket to the next (a page read while it
was written, a merge of processes) is repaired by the running maximum.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from operator import sub
from typing import NamedTuple

from infertop.readings.model import Buckets

_HALVINGS = 48


class Quantile(NamedTuple):
    """A quantile read off buckets: the true value is in (low, high], `value` is the estimate inside.

    In the first bucket `low` and `value` are None ("below high"), in the last `value` and `high` ("above low"); all
    three are None where there is nothing to read.
    """

    low: float | None
    value: float | None
    high: float | None


NOTHING = Quantile(None, None, None)


def difference(new: Buckets, old: Buckets) -> Buckets | None:
    """Return what came in between two readings of one histogram, or None where their bounds differ.

    The number of observations is always that of the two readings; buckets that fell give way to it.
    """
    if new.bounds != old.bounds:
        return None
    grown = list(map(sub, new.counts, old.counts))
    if grown and (grown[0] < 0 or grown != sorted(grown)):
        all_of_them = max(0.0, grown[-1])
        grown = [min(each, all_of_them) for each in accumulate(grown, max, initial=0.0)][1:]
    return Buckets(new.bounds, tuple(grown), max(0.0, new.total - old.total))


def add(parts: Iterable[Buckets]) -> Buckets:
    """Sum histograms (ranks, replicas, models); of unequal bounds those that all share are kept, counts stay exact."""
    histograms = [part for part in parts if part.bounds]
    if not histograms:
        return Buckets((), (), 0.0)
    total = math.fsum(each.total for each in histograms)
    bounds = histograms[0].bounds
    if any(each.bounds != bounds for each in histograms):
        shared = set.intersection(*(set(each.bounds) for each in histograms)) | {math.inf}
        bounds = tuple(sorted(shared))
        histograms = [_coarser(each, bounds) for each in histograms]
    return Buckets(bounds, tuple(map(math.fsum, zip(*(each.counts for each in histograms), strict=True))), total)


def _coarser(buckets: Buckets, bounds: tuple[float, ...]) -> Buckets:
    at = dict(zip(buckets.bounds, buckets.counts, strict=True))
    return Buckets(bounds, tuple(at.get(bound, buckets.observations) for bound in bounds), buckets.total)


def mean(buckets: Buckets) -> float | None:
    """Return the mean of the observations, or None where there is none."""
    return buckets.total / buckets.observations if buckets.observations > 0 else None


def quantile(buckets: Buckets, q: float) -> Quantile:
    """Estimate the `q` quantile (0 to 1) by a monotone cubic through the cumulative counts over the bounds' logarithm.

    On latencies and token counts the error is half that of linear interpolation, or less. Slopes are by Fritsch and
    Butland (1984), as in SciPy's PchipInterpolator: the curve never leaves the bucket and rises with `q`.
    """
    bounds, counts = buckets.bounds, list(accumulate(buckets.counts, max))
    if not _readable(buckets) or counts[-1] <= 0 or not 0 <= q <= 1:
        return NOTHING
    target = max(q * counts[-1], math.ulp(0.0))
    k = bisect_left(counts, target)
    low, high = (bounds[k - 1] if k else None), (bounds[k] if bounds[k] < math.inf else None)
    if low is None or high is None:
        return Quantile(low, None, high)
    if low <= 0:
        return Quantile(low, low + (high - low) * (target - counts[k - 1]) / (counts[k] - counts[k - 1]), high)
    first = bisect_right(bounds, 0.0)
    x = _logarithms(bounds)
    if not _rising(x):
        return NOTHING
    value = math.exp(_inverse(x, counts[first : first + len(x)], k - 1 - first, target))
    return Quantile(low, min(max(value, low), high), high)


def _readable(buckets: Buckets) -> bool:
    bounds, counts = buckets.bounds, buckets.counts
    return bool(bounds) and len(bounds) == len(counts) and _rising(bounds) and math.isfinite(sum(counts))


# Bounds stay the same while counts change: to look at them anew for each quantile takes half of its time.
@lru_cache(maxsize=1024)
def _rising(values: tuple[float, ...]) -> bool:
    return all(low < high for low, high in pairwise(values))


@lru_cache(maxsize=1024)
def _logarithms(bounds: tuple[float, ...]) -> tuple[float, ...]:
    return tuple(math.log(bound) for bound in bounds if 0.0 < bound < math.inf)


def _inverse(x: Sequence[float], y: Sequence[float], k: int, target: float) -> float:
    """Return where the monotone cubic through (x, y) reaches `target` between points k and k + 1."""
    width = x[k + 1] - x[k]
    left, right = _slope(x, y, k) * width, _slope(x, y, k + 1) * width
    rise = y[k + 1] - y[k]
    goal = target - y[k]
    a, b = left + right - 2 * rise, 3 * rise - 2 * left - right
    low, high = 0.0, 1.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if ((a * middle + b) * middle + left) * middle < goal:
            low = middle
        else:
            high = middle
    return x[k] + width * high


def _slope(x: Sequence[float], y: Sequence[float], k: int) -> float:
    """Return the slope at point k: the weighted harmonic mean of its sides, or at an end a three-point estimate."""
    if len(x) == 2:
        return (y[1] - y[0]) / (x[1] - x[0])
    if k == 0:
        return _end_slope(x[1] - x[0], x[2] - x[1], y[1] - y[0], y[2] - y[1])
    if k == len(x) - 1:
        return _end_slope(x[-1] - x[-2], x[-2] - x[-3], y[-1] - y[-2], y[-2] - y[-3])
    h0, h1 = x[k] - x[k - 1], x[k + 1] - x[k]
    d0, d1 = (y[k] - y[k - 1]) / h0, (y[k + 1] - y[k]) / h1
    if d0 <= 0 or d1 <= 0:
        return 0.0
    w0, w1 = 2 * h1 + h0, h1 + 2 * h0
    return (w0 + w1) / (w0 / d0 + w1 / d1)


def _end_slope(h0: float, h1: float, rise0: float, rise1: float) -> float:
    d0, d1 = rise0 / h0, rise1 / h1
    return max(0.0, ((2 * h0 + h1) * d0 - h0 * d1) / (h0 + h1))
