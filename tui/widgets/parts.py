"""One-line summaries: pieces that give way by rank where there is no room, and are never cropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.themes import PLAIN
from tui.widgets.cells import Line, Row

Ink = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of a line: runs of (cells, style letter). The highest `rank` goes first; 0 stays."""

    inks: tuple[Ink, ...]
    rank: int = 0

    @property
    def width(self) -> int:
        """Cells that it takes."""
        return sum(len(text) for text, _ in self.inks)


def part(text: str, style: str = PLAIN, rank: int = 0) -> Part:
    """Return a piece of one run."""
    return Part(((text, style),), rank)


def join(parts: Sequence[Part], rank: int = 0) -> Part:
    """Return one piece made of several."""
    return Part(tuple(ink for each in parts for ink in each.inks), rank)


def _needed(parts: Sequence[Part], gap: int) -> int:
    return sum(each.width for each in parts) + gap * max(0, len(parts) - 1)


def fitting(left: Sequence[Part], right: Sequence[Part], width: int, gap: int) -> tuple[list[Part], list[Part]]:
    """Return what of both sides fits into `width` cells, after the highest ranks have gone."""
    kept, tail = list(left), list(right)
    while kept or tail:
        if _needed([*kept, *tail], gap) <= width:
            break
        worst = max((each.rank for each in (*kept, *tail)), default=0)
        side = tail if any(each.rank == worst for each in tail) else kept
        if worst == 0 and len(kept) + len(tail) == 1:
            break
        side.remove(next(each for each in reversed(side) if each.rank == worst))
    return kept, tail


def one_line(width: int, left: Sequence[Part], right: Sequence[Part] = (), gap: int = 3, margin: int = 1) -> Row:
    """Return a row with `left` from the margin on and `right` at the other edge."""
    room = width - 2 * margin
    gap = gap if _needed([*left, *right], gap) <= room else min(gap, 2)
    kept, tail = fitting(left, right, room, gap)
    line = Line(width)
    x = margin
    for each in kept:
        x = _put(line, x, each) + gap
    x = width - margin - _needed(tail, gap)
    for each in tail:
        x = _put(line, x, each) + gap
    return line.row()


def _put(line: Line, x: int, each: Part) -> int:
    for text, style in each.inks:
        x = line.put(x, text, style)
    return x
