"""Compact memory of a histogram: what it held at each poll at which it changed.

Most of a histogram's buckets never see anything, and a cumulative count goes on unchanged through those: only the
buckets that have seen something are kept, as whole numbers of four bytes while all of them are and fit. A quarter of an
hour of 200 engines would else be 60 MB more.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence

_MOST_WHOLE = 2**32


class Rows:
    """Cumulative counts and their sum, by poll; they never fall. What was before poll `kept` is forgotten."""

    __slots__ = ("_counts", "_from", "_places", "_polls", "_totals", "kept")

    def __init__(self) -> None:
        self.kept = 0
        self._places: tuple[int, ...] = ()  # the buckets that have seen something
        self._from: tuple[int, ...] = ()  # for each bucket, how many of those are not above it
        self._polls = array("I")
        self._counts: array[int] | array[float] = array("I")
        self._totals = array("d")

    def __len__(self) -> int:
        return len(self._polls)

    def append(self, poll: int, counts: Sequence[float], total: float) -> None:
        """Add what the histogram holds at `poll`; nothing where that is what it held before."""
        known = self._counts
        if self._polls and total == self._totals[-1] and counts[-1] == (known[-1] if known else 0.0):
            return
        # Every bucket that has seen something makes a step, so that their number tells whether one is new.
        if len(set(counts)) - (counts[0] == 0) != len(self._places) or len(counts) != len(self._from):
            self._widen(counts)
        self._polls.append(poll)
        self._totals.append(total)
        self._extend([counts[place] for place in self._places])

    def at(self, poll: int) -> list[float] | None:
        """Return the counts and the sum as of `poll`, or None where it is before the first."""
        row = bisect_right(self._polls, poll) - 1
        return [*self._row(row), self._totals[row]] if row >= 0 else None

    def drop_before(self, first: int) -> None:
        """Forget what was before poll `first`, but for the row that held then."""
        self.kept = max(self.kept, first)
        gone = bisect_right(self._polls, first) - 1
        if gone > 0:
            del self._polls[:gone]
            del self._counts[: gone * len(self._places)]
            del self._totals[:gone]

    def _row(self, row: int) -> list[float]:
        width = len(self._places)
        counts = (0.0, *map(float, self._counts[row * width : (row + 1) * width]))
        return [counts[each] for each in self._from]

    def _widen(self, counts: Sequence[float]) -> None:
        """Keep other buckets from now on, of the rows that there are as well."""
        rows = list(map(self._row, range(len(self._polls)))) if self._from else []
        self._places = tuple(
            place for place, (count, below) in enumerate(zip(counts, (0.0, *counts), strict=False)) if count != below
        )
        self._from = tuple(bisect_right(self._places, place) for place in range(len(counts)))
        self._counts = array("I")
        for row in rows:
            self._extend([row[place] for place in self._places])

    def _extend(self, counts: Sequence[float]) -> None:
        if self._counts.typecode == "I":
            whole = list(map(int, counts))
            if whole == counts and (not whole or whole[-1] < _MOST_WHOLE):
                self._counts.extend(whole)
                return
            self._counts = array("d", self._counts)
        self._counts.extend(counts)  # type: ignore[arg-type]  # it is an array of doubles by now
