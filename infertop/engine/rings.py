"""Compact memory of readings: flat arrays of doubles that grow at one end and are trimmed in blocks at the other.

Every poll of a source has a number, counted from its first. Columns say from which poll on they hold values; the
source's timeline says when each poll was.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import repeat


class Timeline:
    """When the polls were (epoch seconds), and the running sum of the seconds that rates may count.

    `first` is the number of the oldest poll kept.
    """

    __slots__ = ("first", "measured", "times")

    def __init__(self) -> None:
        self.first = 0
        self.times = array("d")
        self.measured = array("d")

    @property
    def end(self) -> int:
        """The number that the next poll gets."""
        return self.first + len(self.times)

    def append(self, ts: float, seconds: float) -> None:
        """Add a poll at `ts`; `seconds` of the time since the last one count."""
        self.measured.append(seconds + (self.measured[-1] if self.measured else 0.0))
        self.times.append(ts)

    def back(self, ts: float) -> int:
        """Return the number of the newest poll at or before `ts`, or of the oldest kept where all are later."""
        return self.first + max(bisect_right(self.times, ts) - 1, 0)

    def seconds(self, start: int, end: int) -> float:
        """Return the seconds that count between two polls."""
        return self.measured[end - self.first] - self.measured[start - self.first]

    def surplus(self, keep_seconds: float, keep_polls: int) -> int:
        """Return how many old polls are to go: none until an eighth more than is to be kept has gathered."""
        beyond = len(self.times) - keep_polls
        if beyond <= keep_polls // 8 and self.times[-1] - self.times[0] <= keep_seconds * 1.125:
            return 0
        return max(beyond, bisect_right(self.times, self.times[-1] - keep_seconds) - 1, 0)

    def drop(self, count: int) -> None:
        """Forget the oldest `count` polls."""
        del self.times[:count]
        del self.measured[:count]
        self.first += count


class Column:
    """One number a poll, from poll `start` on."""

    __slots__ = ("start", "values")

    def __init__(self, start: int) -> None:
        self.start = start
        self.values = array("d")

    @property
    def end(self) -> int:
        """The number of the first poll without a value."""
        return self.start + len(self.values)

    def fill(self, end: int, value: float) -> None:
        """Repeat `value` up to poll `end`: for polls that the series was not part of."""
        self.values.extend(repeat(value, end - self.end))

    def span(self, start: int, end: int) -> Sequence[float]:
        """Return the values of the polls from `start` to before `end`, as far as there are any."""
        return self.values[max(start - self.start, 0) : max(end - self.start, 0)]

    def drop_before(self, first: int) -> None:
        """Forget the values of polls before `first`."""
        count = max(first - self.start, 0)
        del self.values[:count]
        self.start += count
