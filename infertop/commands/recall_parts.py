"""How a span of the past is read: in parts of a grid, and how these join each other and what was recorded."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from infertop.history.recalls import Span
from infertop.readings.model import Batch

GAP_STEPS = 5
_STEPS = (60, 300, 900, 3600)
_MOST_POLLS = 100_000  # of one reading back: half a minute of one core
_PART_POLLS = 3_000
_PART_STEPS = 10_000  # an answer may have 11,000 points of a series
_LEAST_STEPS = 10
_STAMP_SECONDS = 0.001

Ends = Mapping[tuple[str, float], Batch]
"""Polls by source and time."""


@dataclass(frozen=True, slots=True)
class Part:
    """One answer's worth. Where two parts meet is a multiple of `step` seconds."""

    since: float
    until: float
    step: int

    @property
    def start(self) -> float:
        """The first time of the grid, whose times are multiples of the step."""
        return math.ceil(self.since / self.step) * float(self.step)


def step_of(spans: Iterable[Span]) -> int:
    """Return the seconds between two readings: a minute, or more where that would be too many."""
    seconds = sum(each.until - each.since for each in spans)
    return next((step for step in _STEPS if seconds / step <= _MOST_POLLS), _STEPS[-1])


def cut(since: float, until: float, step: int, targets: int) -> list[Part]:
    """Return the parts of a span, the newest last."""
    steps = min(max(_PART_POLLS // targets, _LEAST_STEPS), _PART_STEPS)
    parts = []
    while until > since:
        start = max((math.ceil(until / step) - 1 - steps) * float(step), since)
        parts.append(Part(start, until, step))
        until = start
    return parts[::-1]


def halves(part: Part) -> list[Part]:
    """Return a part as two, the newer one last; one that is too small for that as it is."""
    steps = (part.until - part.start) // part.step
    if steps < 2 * _LEAST_STEPS:
        return [part]
    middle = part.start + steps // 2 * part.step
    return [Part(part.since, middle, part.step), Part(middle, part.until, part.step)]


def within(span: Span, part: Part, batches: Iterable[Batch], ends: Ends) -> Iterator[Batch]:
    """Yield what is read back of one span in one part, with the polls between which it lies.

    A reading of the grid tells of the time up to it: it is stamped a moment earlier, so that it is in that minute.
    """
    first, last = ends.get((span.source, span.since)), ends.get((span.source, span.until))
    low, high = max(span.since, part.since), min(span.until, part.until)
    if first is not None and span.since >= part.since:
        yield first
    for batch in batches:
        if low <= batch.ts < high or (batch.ts == high and (last is None or high < span.until)):
            yield replace(batch, source=span.source, ts=batch.ts - _STAMP_SECONDS)
    if last is not None and span.until <= part.until:
        yield last
