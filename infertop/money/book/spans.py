"""The span of time around a moment in which a model's rows give the same answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

from infertop.money.book.when import WEEK, When


def span(whens: Iterable[When], ts: float, answer: Callable[[float], object]) -> tuple[float, float]:
    """Return the widest [start, end) around `ts` in which `answer` is what it is at `ts`.

    `answer` may change only where one of `whens` begins or ends to hold. Either end may be infinite.
    """
    found = list(whens)
    dates = sorted(set[float]().union(*(when.dates() for when in found)))
    weekly = sorted(set[int]().union(*(when.weekly() for when in found)))
    now = answer(ts)
    eras = list(pairwise((-math.inf, *dates, math.inf)))
    here = next(index for index, (_, end) in enumerate(eras) if ts < end)
    later = (at for start, end in eras[here:] for at in _from(max(start, ts), end, weekly))
    earlier = (at for start, end in reversed(eras[: here + 1]) for at in _back(start, min(end, ts), weekly))
    return (
        next((at for at in earlier if answer(math.nextafter(at, -math.inf)) != now), -math.inf),
        next((at for at in later if answer(at) != now), math.inf),
    )


def _from(start: float, end: float, weekly: list[int]) -> Iterator[float]:
    """Iterate over the moments in [start, end) at which an answer may change, ascending.

    Within an era every week is alike: what does not change in a week from its start does not change before its end.
    """
    yield start
    if weekly:
        first = math.floor(start / WEEK) * WEEK
        for week in (first, first + WEEK):
            for edge in weekly:
                if start < (at := week + edge) < min(end, start + WEEK + 1):
                    yield float(at)


def _back(start: float, end: float, weekly: list[int]) -> Iterator[float]:
    """Iterate over the moments in (start, end] before which an answer may have been another one, descending."""
    if weekly:
        first = math.floor(end / WEEK) * WEEK
        for week in (first, first - WEEK):
            for edge in reversed(weekly):
                if max(start, end - WEEK - 1) < (at := week + edge) <= end:
                    yield float(at)
    if math.isfinite(start):
        yield start
