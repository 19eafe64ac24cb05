"""How far a forecast may be off, by how far forecasts of before were: conformal, and corrected by its own misses.

The half-width is a quantile of the absolute log errors, at a rank that adapts (Gibbs and Candes, Adaptive conformal
inference under distribution shift, 2021): each error outside of what the ones before it would have said moves it up.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from math import exp, log

COVERED = 0.8
_STEP = 0.05
_LEAST_MISS, _MOST_MISS = 0.03, 0.4
_WARM = 4
_SMALL_SAMPLE, _SMALL_OVERLAPPING = 1.5, 0.7  # over a day at most, over longer
_PRIOR = 0.5  # the half-width where nothing is known
_DAY = 24
_GROWTH, _MOST_GROWTH = 0.25, 2.0


def half_width(errors: Sequence[float], daily: Sequence[float], lead: int, ahead: int, stride: float) -> float:
    """Return q so that the truth is within forecast x e^-q and forecast x e^q in 80 % of the cases.

    `errors` are log errors over `lead` hours, oldest first, made every `stride` hours; the forecast is `ahead` hours.
    Where few of them do not overlap, `daily` ones (over a day, or less where less is forecast) count besides.
    """
    days = len(daily) * stride / _DAY
    usual = (days * _quantile(sorted(map(abs, daily)), COVERED) + _PRIOR) / (days + 1) if daily else _PRIOR
    independent = len(errors) * min(1.0, stride / lead)
    if not errors:
        return usual * _growth(lead, ahead)
    ordered, miss = _adapted(errors)
    small = _SMALL_SAMPLE if lead <= _DAY else _SMALL_OVERLAPPING
    known = _quantile(ordered, (1 - miss) * (1 + small / max(1.0, independent)))
    width = (independent * known + 2 * usual) / (independent + 2)
    return width * _growth(lead, ahead)


def _growth(lead: int, ahead: int) -> float:
    """Return how much further off a forecast for longer than was tested may be.

    Errors of a level that wanders grow with the root of the time, those of chance in each hour shrink with it.
    """
    return min(_MOST_GROWTH, exp(_GROWTH * log(max(1.0, ahead / lead))))


def _adapted(errors: Sequence[float]) -> tuple[list[float], float]:
    """Return the absolute errors in order, and the share that may lie outside after all of them."""
    ordered: list[float] = []
    miss = 1 - COVERED
    for error in errors:
        if len(ordered) >= _WARM:
            outside = abs(error) > _quantile(ordered, 1 - miss)
            miss = min(max(miss + _STEP * (1 - COVERED - outside), _LEAST_MISS), _MOST_MISS)
        insort(ordered, abs(error))
    return ordered, miss


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Return the value that `share` of all do not exceed, between neighbours in proportion."""
    place = min(max(share, 0.0), 1.0) * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (place - low) * (ordered[high] - ordered[low])
