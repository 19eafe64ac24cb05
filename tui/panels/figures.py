"""Small blocks of labelled figures, and how they are laid side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tui.themes import DIM, HEAD
from tui.widgets.cells import MARGIN, Line, Row, blank, cells, cut, paste
from tui.widgets.table import Cell

_GUTTER = 3


@dataclass(frozen=True, slots=True)
class Block:
    """A heading, columns of figures and rows of (label, figures); `label` and `widths` are in cells."""

    title: str
    heads: tuple[str, ...]
    widths: tuple[int, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    label: int = 14

    @property
    def least(self) -> int:
        """Return the cells that it needs."""
        return MARGIN + self.label + sum(width + 1 for width in self.widths)

    def draw(self, width: int) -> list[Row]:
        """Return the heading and the rows."""
        line = Line(width, HEAD)
        line.put(MARGIN, cells(self.title), HEAD)
        self._put(line, tuple((head, HEAD) for head in self.heads))
        rows = [line.row()]
        for label, figures in self.rows:
            line = Line(width)
            line.put(MARGIN, cut(label, self.label), DIM)
            self._put(line, figures)
            rows.append(line.row())
        return rows

    def _put(self, line: Line, figures: Sequence[Cell]) -> None:
        x = MARGIN + self.label
        for (text, style), width in zip(figures, self.widths, strict=False):
            x += width + 1
            line.put(x - len(text), text, style)


def beside(blocks: Sequence[Block], width: int) -> list[Row]:
    """Return blocks next to each other as far as there is room, else below each other."""
    rows: list[Row] = []
    band: list[Block] = []
    for block in blocks:
        if band and sum(each.least + _GUTTER for each in [*band, block]) - _GUTTER > width:
            rows += [*_band(band, width), blank(width)]
            band = []
        band.append(block)
    return [*rows, *_band(band, width), blank(width)] if band else rows


def _band(blocks: Sequence[Block], width: int) -> list[Row]:
    spare = max(0, width - sum(block.least for block in blocks) - _GUTTER * (len(blocks) - 1))
    more = spare // len(blocks)
    depth = max(len(block.rows) for block in blocks) + 1
    rows = [blank(width)] * depth
    x = 0
    for number, block in enumerate(blocks):
        size = block.least + more if number < len(blocks) - 1 else width - x
        size = max(0, min(size, width - x))
        paste(rows, x, 0, block.draw(size))
        x += size + _GUTTER
    return rows
