"""Rates of counters that move when a request ends: without a mean over some time they are nothing but peaks."""

from __future__ import annotations

import math
from itertools import accumulate

from infertop.views.shapes import Spark

SMOOTH_SECONDS = 30.0


def smooth(bins: Spark, window: float) -> Spark:
    """Return each bin as the mean of those of the last 30 s, None where it was not measured.

    `window` is how many seconds all bins are together.
    """
    if not bins or window <= 0:
        return bins
    length = max(1, math.ceil(SMOOTH_SECONDS / (window / len(bins))))
    sums = list(accumulate((value or 0.0 for value in bins), initial=0.0))
    known = list(accumulate((value is not None for value in bins), initial=0))
    spans = ((max(0, at + 1 - length), at + 1) for at in range(len(bins)))
    return tuple(
        None if bins[end - 1] is None else (sums[end] - sums[start]) / (known[end] - known[start])
        for start, end in spans
    )
