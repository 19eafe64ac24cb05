"""The points of a file of `timestamp,value` lines, and what is said of lines that hold none."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from infertop.commands.input_lines import shown
from infertop.commands.series_lines import NoPoint, Point, is_header, read_point

_TOLD = 10


class PointLines:
    """The points of a file; of lines that hold none the first are told on stderr, the others counted."""

    def __init__(self, name: str) -> None:
        self._name = shown(name)
        self.refused = 0

    def of(self, batches: Iterator[list[bytes | None]]) -> Iterator[list[Point]]:
        """Iterate over the points of lines, by batches of lines."""
        number = 0
        for batch in batches:
            points = []
            for line in batch:
                number += 1
                if line is not None and (not line.strip() or (number == 1 and is_header(line))):
                    continue
                try:
                    points.append(read_point(line))
                except NoPoint as refused:
                    self._refuse(number, refused)
            yield points

    def _refuse(self, number: int, refused: NoPoint) -> None:
        self.refused += 1
        if self.refused <= _TOLD:
            print(f"infertop: {self._name}:{number} {refused}", file=sys.stderr)

    def sum_up(self) -> None:
        """Say on stderr how many lines were left out, where not each of them was told."""
        if self.refused > _TOLD:
            print(f"infertop: {self.refused:,} lines of {self._name} are left out", file=sys.stderr)
