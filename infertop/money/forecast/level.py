"""How much is spent an hour, as a multiple of the week's shape: of late, over a day, a week and four weeks.

Hours of an outage that is over are left out, and the share of such hours among all is taken off instead: six dead
hours yesterday are no reason to expect six today. A silence that lasts counts as what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from infertop.money.forecast.hours import DAY, WEEK

_MONTH = 4 * WEEK
_DEAD = 0.1  # of the week's median: less is an outage
_NO_SHAPE = 0.02  # an hour of which the shape expects less says nothing of the level
_LATE_HOURS = 5
_FADE = 0.8
_MOST_RATIO = 4.0
_LEAST_HOURS = 6


class Levels(NamedTuple):
    """What an hour takes, over the shape, by how far back one looks."""

    late: float
    day: float
    week: float
    month: float


def levels(amounts: Sequence[float], shape: Sequence[float]) -> Levels:
    """Return the levels at the end of `amounts`; `shape` has the factor of each of these hours."""
    amounts, shape = amounts[-_MONTH:], shape[-_MONTH:]
    ratios = [value / factor if factor > _NO_SHAPE else 0.0 for value, factor in zip(amounts, shape, strict=True)]
    alive = _alive(ratios)
    up = 1 - alive.count(False) / (len(alive) + DAY)
    pairs = list(zip(amounts, shape, alive, strict=True))
    last = [ratio for ratio, lives in zip(ratios[-DAY:], alive[-DAY:], strict=True) if lives]
    if len(last) < _LEAST_HOURS:
        last = ratios[-DAY:]
    # Half a mean, half a median: the mean follows one burst, the median does not see many.
    day = (_mean(pairs[-DAY:]) + (median(last) if last else 0.0)) / 2
    return Levels(up * _late(last, day), up * day, up * _mean(pairs[-WEEK:]), up * _mean(pairs))


def _alive(ratios: Sequence[float]) -> list[bool]:
    """Say of each hour that it is not one of an outage that is over."""
    least = _DEAD * median(ratios[-WEEK:]) if ratios else 0.0
    alive = [ratio >= least for ratio in ratios]
    for at in range(len(alive) - 1, -1, -1):
        if alive[at]:
            break
        alive[at] = True
    return alive


def _mean(pairs: Sequence[tuple[float, float, bool]]) -> float:
    expected = sum(factor for _, factor, lives in pairs if lives)
    return sum(value for value, _, lives in pairs if lives) / expected if expected > 0 else 0.0


def _late(last: Sequence[float], day: float) -> float:
    """Return the level of the last hours, newer ones first; none of them counts for more than 4 times the day's."""
    total = weights = 0.0
    for age, ratio in enumerate(reversed(last[-_LATE_HOURS:])):
        total += _FADE**age * min(max(ratio, day / _MOST_RATIO), day * _MOST_RATIO)
        weights += _FADE**age
    return total / weights if weights else day
