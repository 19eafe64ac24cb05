"""Sentences on the screen: wrapped at words, shortened at words, and headings over them."""

from __future__ import annotations

from tui.themes import DIM, HEAD, PLAIN
from tui.widgets.cells import FILL, MARGIN, Line, Row, cells, cut_words, last_blank, text_cells


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return a sentence from outside as lines of at most `width` cells, broken at blanks where there are any."""
    lines, rest = [], text_cells(text)
    width = max(8, width)
    while len(rest) > width:
        at = last_blank(rest, 1, width + 1)
        at = at if at > len(indent) else width
        at -= rest[at] == FILL
        lines.append(rest[:at])
        rest = indent + rest[at:].lstrip(" ")
    return [*lines, rest]


def paragraph(text: str, width: int, style: str = PLAIN, x: int = MARGIN) -> list[Row]:
    """Return a sentence wrapped at words, from cell `x` on."""
    rows = []
    for each in wrapped(text, width - x - 1, indent="  "):
        line = Line(width)
        line.put(x, each, style)
        rows.append(line.row())
    return rows


def heading(title: str, width: int) -> Row:
    """Return an underlined heading over the whole width."""
    line = Line(width, HEAD)
    line.put(MARGIN, cut_words(cells(title), width - 2 * MARGIN), HEAD)
    return line.row()


def remark(sentence: str, width: int) -> Row:
    """Return a grey sentence of ours or from outside, shortened by word."""
    line = Line(width)
    line.put(MARGIN, cut_words(cells(sentence), width - 2 * MARGIN), DIM)
    return line.row()
