"""What stood at each line of a metrics page, so that the next page of the same shape costs little to read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import is_, itemgetter
from typing import TypeVar

from infertop.readings.exposition_line import Malformed, RawSeries, number

T = TypeVar("T")
Pick = Callable[[Sequence[bytes]], tuple[bytes, ...]]


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Layout:
    """Which series a page has, and the type that it declares for each family (by the name in the declaration).

    The order is that of the first page that had exactly these series. Pages of the same series have the same object.
    """

    series: tuple[RawSeries, ...]
    types: dict[str, str]


@dataclass(frozen=True, slots=True)
class Odd:
    """A line that is counted as rejected: one of `series` that may not count, or one that cannot be read (None)."""

    at: int
    series: RawSeries | None
    reason: str


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Shape:
    """A page's lines by what they are.

    `pick_samples` picks the lines of `layout.series`, and `starts` is what those start with, up to the value;
    `pick_skipped` and `skips` likewise for lines of no concern; the lines at `fixed` have to be exactly `texts`.
    `lines` is how many lines the page has, `ends` before which of them reading ended; `repeated` of the odd lines are
    of series that the page has already.
    """

    layout: Layout
    lines: int
    ends: int
    repeated: int
    starts: tuple[bytes, ...]
    skips: tuple[bytes, ...]
    fixed: tuple[int, ...]
    texts: tuple[bytes, ...]
    odd: tuple[Odd, ...]
    pick_samples: Pick
    pick_skipped: Pick

    def values(self, lines: list[bytes]) -> list[float] | None:
        """Return the values of `layout.series`, or None where a line is not what stood in its place."""
        if len(lines) != self.lines or any(lines[at] != text for at, text in zip(self.fixed, self.texts, strict=True)):
            return None
        # From here to `float` every loop runs inside the interpreter: this is the whole cost of a poll.
        if not all(map(bytes.startswith, self.pick_skipped(lines), self.skips)):
            return None
        found = self.pick_samples(lines)
        rests = list(map(bytes.removeprefix, found, self.starts))
        if any(map(is_, rests, found)):  # removeprefix gives the line itself back where it does not start so
            return None
        return _numbers(rests)

    def may_fit(self, lines: list[bytes]) -> bool:
        """Say, at little cost, whether this may be the shape of a page of as many lines."""
        found = self.pick_samples(lines)
        return not found or (found[0].startswith(self.starts[0]) and found[-1].startswith(self.starts[-1]))

    def known(self) -> dict[bytes, tuple[RawSeries, int]]:
        """Map what stands before a line's last blank to the series and to where the rest begins."""
        return {
            start.removesuffix(b" "): (series, len(start))
            for start, series in zip(self.starts, self.layout.series, strict=True)
        }


def picker(places: Sequence[int]) -> Callable[[Sequence[T]], tuple[T, ...]]:
    """Return a function that picks these places from a sequence; itemgetter does not for none and for one."""
    if len(places) > 1:
        return itemgetter(*places)
    return lambda items: tuple([items[at] for at in places])


def _numbers(rests: list[bytes]) -> list[float] | None:
    try:
        values = list(map(float, rests))
    except ValueError:
        values = []
    if len(values) == len(rests) and b"_" not in b"".join(rests):  # float takes 1_000, the format does not
        return values
    try:
        return [number(rest) for rest in rests]
    except Malformed:
        return None
