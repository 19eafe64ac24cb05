"""The points of a CSV file, and what is said of the file, and of lines that hold none."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from infertop.commands.input_lines import Unreadable, shown
from infertop.commands.series_layout import SAMPLED, Layout, layout
from infertop.commands.series_lines import LONGEST, NoPoint, Point
from infertop.readings.safe import safe

_TOLD = 10
_WIDE = (b"\xff\xfe", b"\xfe\xff")
_NEEDED = "a timestamp and a value are needed"
_Numbered = tuple[int, bytes | None]


class PointLines:
    """The points of a file; of lines that hold none the first are told on stderr, the others counted.

    `taken` points were read, `back` of them are of a time before the one before them, `again` of the same time.
    """

    def __init__(self, name: str) -> None:
        self._name = shown(name)
        self.refused = self.taken = self.back = self.again = 0
        self._last = float("-inf")
        self._layout: Layout | None = None

    def of(self, batches: Iterator[list[bytes | None]]) -> Iterator[list[Point]]:
        """Iterate over the points of lines, by batches of lines; raise Unreadable where the file has no such lines."""
        number = 0
        held: list[_Numbered] = []
        for batch in batches:
            for line in batch:
                number += 1
                if line is None or line.strip():
                    held.append((number, line))
            if self._layout is not None or self._looked(held, last=False):
                yield self._points(held)
                held = []
        if held and self._layout is None:
            self._looked(held, last=True)
            yield self._points(held)

    def _looked(self, held: list[_Numbered], *, last: bool) -> bool:
        """Find out how lines are read, once the first that is no header is there."""
        texts = [_text(line) for _, line in held[:SAMPLED] if line is not None]
        if not texts or (len(texts) < 2 and not last):
            return False
        first = next(line for _, line in held if line is not None)
        if first.startswith(_WIDE):
            raise Unreadable(f"{self._name} is UTF-16: save it as UTF-8")
        if any(line is not None and b"\0" in line for _, line in held[:SAMPLED]):
            raise Unreadable(f"{self._name} is no text: {_NEEDED} in each line of a CSV file")
        found = self._layout = layout(texts)
        if found is None:
            if last or len(texts) >= SAMPLED:
                raise Unreadable(f"{self._name} has one column: {_NEEDED}, with a comma, semicolon or tab between them")
            return False
        if found.skipped:
            texts_at = [at for at, (_, line) in enumerate(held) if line is not None]
            del held[: texts_at[found.skipped - 1] + 1]
        if found.doubt:
            print(f"infertop: of {self._name} {_columns(found)} are taken", file=sys.stderr)
        return True

    def _points(self, lines: list[_Numbered]) -> list[Point]:
        points = []
        for number, line in lines:
            try:
                points.append(self._point(line))
            except NoPoint as refused:
                self._refuse(number, refused)
        for each in points:
            if each.ts <= self._last:
                self.back, self.again = self.back + (each.ts < self._last), self.again + (each.ts == self._last)
            self._last = each.ts
        self.taken += len(points)
        return points

    def _point(self, line: bytes | None) -> Point:
        if line is None:
            raise NoPoint(f"is longer than {LONGEST} bytes: it is not read")
        assert self._layout is not None
        return self._layout.point(_text(line))

    def _refuse(self, number: int, refused: NoPoint) -> None:
        self.refused += 1
        if self.refused <= _TOLD:
            print(f"infertop: {self._name}:{number} {refused}", file=sys.stderr)

    def sum_up(self, times: str = "") -> bool:
        """Say on stderr what is to be said of the whole, and return whether all of it was read.

        `times` says what is done with points that are not after the one before.
        """
        if self.refused > _TOLD:
            print(f"infertop: {self.refused:,} lines of {self._name} are left out", file=sys.stderr)
        if not self.taken and not self.refused:
            print(f"infertop: {self._name} has no values in it: {_NEEDED} in each line", file=sys.stderr)
        odd = [f"{self.back:,} earlier than"] * bool(self.back) + [f"{self.again:,} of the same time as"] * bool(
            self.again
        )
        if odd and times:
            print(f"infertop: {self._name} has {' and '.join(odd)} the one before: {times}", file=sys.stderr)
        return bool(self.taken) and not self.refused


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").strip()


def _columns(found: Layout) -> str:
    if found.names:
        return f'the columns "{safe(found.names[found.time], 40)}" and "{safe(found.names[found.value], 40)}"'
    return f"column {found.time + 1} for the time and {found.value + 1} for the value"
