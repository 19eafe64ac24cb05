"""The first hour of a figure of minutes, before which nobody knows what is usual: a step in it that lasts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

_KNOWN_SECONDS = 1200.0
_UNTIL_SECONDS = 3600.0
_LONGEST_SECONDS = 120.0  # from one minute to the next
_MINUTE = 60.0
_BLOCK = 5  # minutes that are averaged
_BEFORE, _SINCE = 10, 15  # minutes at the lower and at the higher level, at least
_TIMES = 4.0  # of the highest five minutes before, in any five since
_USED = 0.8  # of the minutes before: what hardly ran says nothing of what is usual


class Stepped(NamedTuple):
    """What was usual before a step: its mean and the most of it; `since` is where the step is, `values` are those since
    then with their starts, of `seconds` each."""

    mean: float
    most: float
    since: float
    values: Sequence[tuple[float, float]]
    seconds: float


class First:
    """The minutes of the first hour, as (start, value)."""

    def __init__(self) -> None:
        self.minutes: list[tuple[float, float]] | None = []

    def add(self, ts: float, value: float, history: float) -> Stepped | None:
        """Take a value, with `history` seconds before it; return the step that lasts, where there is one."""
        if self.minutes is None:
            return None
        if self.minutes and (history >= _UNTIL_SECONDS or ts - self.minutes[-1][0] > _LONGEST_SECONDS):
            self.minutes = None
            return None
        self.minutes.append((ts, value))
        if history < _KNOWN_SECONDS:
            return None
        found = [each for at in range(_BEFORE, len(self.minutes) - _SINCE + 1) if (each := self._step(at))]
        return max(found, key=lambda each: (value - each.most, each.since), default=None)

    def rebase(self, factor: float) -> None:
        """Multiply all values."""
        if self.minutes is not None:
            self.minutes = [(ts, value * factor) for ts, value in self.minutes]

    def _step(self, at: int) -> Stepped | None:
        assert self.minutes is not None, "asked of minutes"
        before, since = ([value for _, value in part] for part in (self.minutes[:at], self.minutes[at:]))
        if sum(value > 0 for value in before) < _USED * len(before):
            return None
        most = max(_means(before))
        if min(_means(since)) < _TIMES * most or min(since[0], since[-1]) < _TIMES / 2 * most:
            return None
        return Stepped(sum(before) / len(before), most, self.minutes[at][0], self.minutes[at:], _MINUTE)


def _means(values: Sequence[float]) -> list[float]:
    return [sum(values[at : at + _BLOCK]) / _BLOCK for at in range(len(values) - _BLOCK + 1)]
