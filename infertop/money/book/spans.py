"""The span of time around a moment in which a model's rows give the same answer."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from itertools import pairwise

from infertop.money.book.rows import DAY, When


def span(whens: Iterable[When], ts: float, answer: Callable[[float], object]) -> tuple[float, float]:
    """Return the widest [start, end) around `ts` in which `answer` is what it is at `ts`.

    `answer` may change only at the starts of `whens` and at the edges of their daily windows. Either end may be
    infinite.
    """
    found = list(whens)
    starts = sorted({when.start for when in found if math.isfinite(when.start)})
    edges = sorted({edge % DAY for when in found if when.daily for edge in (when.opens, when.closes)})
    if not starts and not edges:
        return -math.inf, math.inf
    eras = list(pairwise((-math.inf, *starts, math.inf)))
    here = next(index for index, (_, end) in enumerate(eras) if ts < end)
    return _start(eras[: here + 1], edges, ts, answer), _end(eras[here:], edges, ts, answer)


def _end(eras: list[tuple[float, float]], edges: list[int], ts: float, answer: Callable[[float], object]) -> float:
    now = answer(ts)
    for start, end in eras:
        # Within an era every day is alike: what does not change within a day from its start does not change at all.
        start = max(start, ts)
        if answer(start) != now:
            return start
        for edge in _edges_after(start, edges):
            if edge < end and answer(edge) != now:
                return edge
    return math.inf


def _start(eras: list[tuple[float, float]], edges: list[int], ts: float, answer: Callable[[float], object]) -> float:
    now = answer(ts)
    for start, end in reversed(eras):
        if end <= ts and answer(_before(end)) != now:
            return end
        for edge in _edges_before(min(end, ts), edges):
            if edge > start and answer(_before(edge)) != now:
                return edge
    return -math.inf


def _before(ts: float) -> float:
    return math.nextafter(ts, -math.inf)


def _edges_after(ts: float, edges: list[int]) -> list[float]:
    """Return the edges of the windows in (ts, ts + 1 day], ascending."""
    midnight = math.floor(ts / DAY) * DAY
    return [at for day in (0, 1) for edge in edges if ts < (at := midnight + day * DAY + edge) <= ts + DAY]


def _edges_before(ts: float, edges: list[int]) -> list[float]:
    """Return the edges of the windows in [ts - 1 day, ts], descending."""
    midnight = math.floor(ts / DAY) * DAY
    found = [midnight + day * DAY + edge for day in (-1, 0) for edge in edges]
    return [at for at in reversed(found) if ts - DAY <= at <= ts]
