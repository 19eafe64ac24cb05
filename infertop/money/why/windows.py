"""Which windows of the past an incident is compared with, and which of them stands for what was before it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from infertop.money.why.usage import Usage

Span = tuple[float, float]

_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_LEAST, _MOST = 1800.0, 6 * 3600.0
_DAYS = 7
_RECENT = 8
# A window of which less was recorded tells of other times of day than the one that it is compared with.
_RECORDED = 0.5
# The window right before stands for what was before, unless it is off the usual by more than this and another is less.
_OFF = math.log(1.25)


class Windows(NamedTuple):
    """The window of an incident, the one right before it, and those of the past: the same time of day, and lately."""

    after: Span
    before: Span
    usual: tuple[Span, ...]


def windows_of(since: float, until: float) -> Windows:
    """Return the windows for an incident that began at `since` and is looked at at `until` (epoch seconds).

    Those of the past are as long as its last six hours, half an hour at least: the same time on each of the seven days
    before, and the eight windows before it began.
    """
    length = min(max(until - since, _LEAST), _MOST)
    length = math.ceil(length / _MINUTE) * _MINUTE
    days = [(until - n * _DAY - length, until - n * _DAY) for n in range(1, _DAYS + 1)]
    lately = [(since - (n + 1) * length, since - n * length) for n in range(_RECENT)]
    return Windows((since, until), lately[0], tuple(span for span in (*lately, *days) if span[1] <= since))


def usable(usage: Usage) -> bool:
    """Say whether a window of the past says what was usual then."""
    return bool(usage.nano_per_hour) and usage.recorded >= _RECORDED


def baseline(usages: Sequence[Usage]) -> int:
    """Return which of the windows (the one right before first) stands for what was before.

    It is the first, unless what that cost is far from the median of all and another is nearer: an incident that began
    while traffic was on its way up, or was seen late, is compared with a window that cost what is usual.
    """
    costs = {at: each.nano_per_hour for at, each in enumerate(usages) if usable(each)}
    known = {at: math.log(cost) for at, cost in costs.items() if cost is not None and cost > 0}
    if not known:
        return 0
    middle = median(known.values())
    if 0 in known and abs(known[0] - middle) <= _OFF:
        return 0
    return min(known, key=lambda at: (abs(known[at] - middle), at))
