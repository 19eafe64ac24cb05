"""Which windows of the past an incident is compared with."""

from __future__ import annotations

import math
from typing import NamedTuple

Span = tuple[float, float]

_MINUTE, _DAY = 60, 86_400
_LEAST, _MOST = 1800.0, 6 * 3600.0
_DAYS = 7
_RECENT = 8


class Windows(NamedTuple):
    """The window of an incident, those right before it began (the latest first), and those of the days before."""

    after: Span
    lately: tuple[Span, ...]
    days: tuple[Span, ...]


def windows_of(since: float, until: float) -> Windows:
    """Return the windows for an incident that began at `since`, as of `until` (epoch seconds).

    Those of the past are as long as it lasts, half an hour at least and six hours at most: eight right before it began,
    and the same time of day on each of the seven days before, of which those are left out that reach into it.
    """
    length = math.ceil(min(max(until - since, _LEAST), _MOST) / _MINUTE) * _MINUTE
    lately = tuple((since - (n + 1) * length, since - n * length) for n in range(_RECENT))
    days = ((until - n * _DAY - length, until - n * _DAY) for n in range(1, _DAYS + 1))
    return Windows((since, until), lately, tuple(span for span in days if span[1] <= since))
