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
_TELLING = 0.25  # an hour of which less is expected is part of no outage, and says less of the level
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


class _Hour(NamedTuple):
    """What an hour took, and what the shape expects of it."""

    amount: float
    factor: float


def levels(amounts: Sequence[float], shape: Sequence[float]) -> Levels:
    """Return the levels at the end of `amounts`; `shape` has the factor of each of these hours."""
    amounts, shape = amounts[-_MONTH:], shape[-_MONTH:]
    alive = _alive(amounts, shape)
    up = 1 - alive.count(False) / (len(alive) + DAY)
    hours = [_Hour(value, factor) for value, factor, lives in zip(amounts, shape, alive, strict=True) if lives]
    month, week = _mean(hours), _mean(hours[len(hours) - sum(alive[-WEEK:]) :])
    last = hours[len(hours) - sum(alive[-DAY:]) :]
    if len(last) < _LEAST_HOURS:
        last = [_Hour(value, factor) for value, factor in zip(amounts[-DAY:], shape[-DAY:], strict=True)]
    # Half a mean, half a median: the mean follows one burst, the median does not see many.
    day = (_mean(last) + _median(last)) / 2
    expected = sum(each.factor for each in last)
    if expected < _LEAST_HOURS:  # a Sunday without work says little of Monday
        day = (day * expected + week * (_LEAST_HOURS - expected)) / _LEAST_HOURS
    return Levels(up * _late(last, day), up * day, up * week, up * month)


def _alive(amounts: Sequence[float], shape: Sequence[float]) -> list[bool]:
    """Say of each hour that it is not one of an outage that is over."""
    told = [value / factor for value, factor in zip(amounts[-WEEK:], shape[-WEEK:], strict=True) if factor >= _TELLING]
    least = _DEAD * median(told) if told else 0.0
    alive = [value >= least * factor or factor < _TELLING for value, factor in zip(amounts, shape, strict=True)]
    for at in range(len(alive) - 1, -1, -1):
        if alive[at] and shape[at] >= _TELLING:
            break
        alive[at] = True
    return alive


def _mean(hours: Sequence[_Hour]) -> float:
    expected = sum(each.factor for each in hours)
    return sum(each.amount for each in hours) / expected if expected > 0 else 0.0


def _median(hours: Sequence[_Hour]) -> float:
    """Return the median of the hours' levels, each counted by how much is expected of it."""
    ordered = sorted((each.amount / each.factor, each.factor) for each in hours if each.factor > _NO_SHAPE)
    half, below = sum(factor for _, factor in ordered) / 2, 0.0
    for level, factor in ordered:
        below += factor
        if below >= half:
            return level
    return 0.0


def _late(last: Sequence[_Hour], day: float) -> float:
    """Return the level of the last hours, newer ones first; none of them counts for more than 4 times the day's.

    What these hours lack in what is expected of them the day's level makes up for.
    """
    total = weights = 0.0
    for age, each in enumerate(reversed(last[-_LATE_HOURS:])):
        weight = _FADE**age * min(1.0, each.factor / _TELLING) ** 2
        ratio = each.amount / each.factor if each.factor > _NO_SHAPE else day
        total += weight * min(max(ratio, day / _MOST_RATIO), day * _MOST_RATIO)
        weights += weight
    usual = max(0.0, 1.0 - weights)
    return (total + usual * day) / (weights + usual)
