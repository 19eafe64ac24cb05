"""Metrics pages in the Prometheus text format, read cheaply again and again.

A page changes its values at every poll and its shape almost never. So the first page is read line by line, and of the
later ones each line is held against what stood at its place: where all starts agree, only the needed numbers are read.
Any doubt leads back to reading line by line; the cache never changes a result.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache

from infertop.readings.exposition_draft import Draft
from infertop.readings.exposition_kin import Kin
from infertop.readings.exposition_line import Bad, Malformed, RawSeries, Read, judge, number
from infertop.readings.exposition_shape import Layout, Odd, Shape

__all__ = ["Exposition", "Layout", "Page", "RawSeries"]

MAX_LINES = 1_000_000
_SUFFIXES = ("", "_total", "_bucket", "_sum", "_count")
_SHOWN = 80
_KIN = Kin()


@dataclass(frozen=True, slots=True)
class Page:
    """What one page said: `values` are parallel to `layout.series`.

    `rejected` counts the lines that could not be read, stand twice or are beyond a limit, `lost` those of them whose
    series is nowhere else on the page; `first_rejected` says which was the first and what is wrong with it. It quotes
    the page: it has to go through `safe()`.
    """

    layout: Layout
    values: list[float]
    rejected: int = 0
    lost: int = 0
    first_rejected: str = ""


class Exposition:
    """The reader of one target's pages; it keeps the shape of the last one.

    `wanted` are names of families: `x` takes the samples x, x_total, x_bucket, x_sum and x_count (never x_created, if
    not asked for), and `:` and `_` are the same. None takes everything. Readers of the same `kin` share the shapes of
    their pages.
    """

    def __init__(self, wanted: Collection[str] | None, kin: Kin = _KIN) -> None:
        self._wanted = None if wanted is None else _samples_of(frozenset(wanted))
        self._kin = kin
        self._shape: Shape | None = None

    def parse(self, page: bytes) -> Page:
        """Read a page; lines that cannot be read are counted and passed over, so that this never fails."""
        lines = page.removesuffix(b"\n").split(b"\n", MAX_LINES)
        beyond = lines.pop().count(b"\n") + 1 if len(lines) > MAX_LINES else 0
        shape = self._shape
        values = self._values(shape, lines) if shape else None
        if shape is None or values is None:
            shape, values = self._inherit(lines) or self._learn(lines)
            self._shape = shape
        beyond += shape.lines - shape.ends
        lost = len(shape.odd) - shape.repeated + beyond
        return Page(shape.layout, values, len(shape.odd) + beyond, lost, self._complaint(lines, shape, beyond))

    def _values(self, shape: Shape, lines: list[bytes]) -> list[float] | None:
        """Return the values of a page of this shape, None where it has another."""
        values = shape.values(lines)
        fits = values is not None and all(self._same(lines[odd.at], odd) for odd in shape.odd)
        return values if fits else None

    def _inherit(self, lines: list[bytes]) -> tuple[Shape, list[float]] | None:
        """Return the shape of another target that this page has too, and its values."""
        before = self._shape.layout if self._shape else None
        for shape in self._kin.like(self._wanted, lines):
            values = self._values(shape, lines)
            if values is not None:
                # Series that only moved keep their order here, which may be another one there.
                moved = before is not None and before is not shape.layout and _same_series(before, shape.layout)
                return None if moved else (shape, values)
        return None

    def _same(self, line: bytes, odd: Odd) -> bool:
        verdict = judge(line, self._wanted)
        if odd.series is None:
            return isinstance(verdict, Bad)
        return isinstance(verdict, Read) and verdict.series == odd.series

    def _complaint(self, lines: list[bytes], shape: Shape, beyond: int) -> str:
        if shape.odd:
            odd = shape.odd[0]
            verdict = judge(lines[odd.at], self._wanted)
            reason = verdict.reason if isinstance(verdict, Bad) else odd.reason
            text = lines[odd.at][:_SHOWN].decode("utf-8", "replace")
            return f"line {odd.at + 1} {reason}: {text}"
        return f"{beyond} lines are beyond the limit of {MAX_LINES}" if beyond else ""

    def _learn(self, lines: list[bytes]) -> tuple[Shape, list[float]]:
        """Read every line, helped by what is known of lines that only moved."""
        known = self._shape.known() if self._shape else {}
        draft = Draft()
        for at, line in enumerate(lines):
            # What stands before the last blank is, of most lines, all that comes before the value.
            found = known.get(line.rpartition(b" ")[0])
            if not draft.take(at, line, (found and _recall(line, *found)) or judge(line, self._wanted)):
                break
        shape, values = draft.finish(len(lines), self._shape.layout if self._shape else None)
        self._kin.add(self._wanted, shape)
        return shape, values


def _same_series(one: Layout, other: Layout) -> bool:
    return len(one.series) == len(other.series) and set(one.series) == set(other.series)


@lru_cache(maxsize=64)
def _samples_of(families: frozenset[str]) -> frozenset[bytes]:
    return frozenset((family.replace(":", "_") + suffix).encode() for family in families for suffix in _SUFFIXES)


def _recall(line: bytes, series: RawSeries, size: int) -> Read | None:
    """Read a line whose first `size` bytes are known to be the name and labels of `series`."""
    try:
        return Read(series, size, number(line[size:]))
    except Malformed:
        return None
