"""Explanations: how each figure of a row was come by, and the keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from infertop.views.shapes import Explained
from tui.keys import KEYS, printed
from tui.themes import BOLD, DIM, PLAIN
from tui.widgets.cells import MARGIN, Line, Row, blank
from tui.widgets.prose import heading, paragraph, wrapped

_KEY_CELLS = 12
_MARKS = (
    ("-", "unknown, never 0"),
    ("~", "computed or estimated, ahead of a bill"),
    ("!", "look at this; in bold or red: an open incident, see 6"),
    ("d", "a default price: nobody set it"),
    ("*", "the row has notes: ? tells them"),
    ("grey, 42 s", "the figure is old, and how old"),
    ("<0.3 >60", "beyond the first or last bucket"),
)


def explanations(each: Iterable[Explained], width: int) -> list[Row]:
    """Return titles with their lines below: the formula first, then its inputs."""
    rows: list[Row] = []
    for explained in each:
        if explained.lines:
            rows += paragraph(explained.title, width, BOLD)
            for number, text in enumerate(explained.lines):
                rows += paragraph(text, width, PLAIN if number == 0 else DIM, x=MARGIN + 2)
            rows.append(blank(width))
    return rows


def key_list(width: int, ascii: bool) -> list[Row]:
    """Return what each mark means and what each key does, in as many columns as fit."""
    keys = [(printed(key, ascii), key.help) for key in KEYS if key.help]
    return [heading("MARKS", width), *_pairs(_MARKS, width), blank(width), heading("KEYS", width), *_pairs(keys, width)]


def _pairs(pairs: Sequence[tuple[str, str]], width: int) -> list[Row]:
    longest = max(len(text) for _, text in pairs)
    columns = width // (MARGIN + _KEY_CELLS + longest + 2)
    if columns < 2:
        return [row for mark, text in pairs for row in _wrapped_pair(mark, text, width)]
    depth, size = -(-len(pairs) // columns), width // columns
    rows = []
    for y in range(depth):
        line = Line(width)
        for column, (mark, text) in enumerate(pairs[y::depth]):
            line.put(MARGIN + column * size, mark, BOLD)
            line.put(MARGIN + column * size + _KEY_CELLS, text)
        rows.append(line.row())
    return rows


def _wrapped_pair(mark: str, text: str, width: int) -> list[Row]:
    """Return a mark and the whole of what it means."""
    rows = []
    for number, words in enumerate(wrapped(text, width - MARGIN - _KEY_CELLS - 1)):
        line = Line(width)
        line.put(MARGIN, mark if number == 0 else "", BOLD)
        line.put(MARGIN + _KEY_CELLS, words)
        rows.append(line.row())
    return rows


def page_rows(intro: Sequence[Row], each: Iterable[Explained], width: int, *, ascii: bool) -> list[Row]:
    """Return a whole page of help: the row in question, how its figures were come by, marks and keys."""
    return [*intro, blank(width), *explanations(each, width), *key_list(width, ascii)]
