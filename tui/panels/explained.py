"""Explanations: how each figure of a row was come by, and the keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from infertop.views.shapes import Explained
from tui.keys import KEYS, printed
from tui.themes import BOLD, DIM, PLAIN
from tui.widgets.cells import MARGIN, Line, Row, blank, paste
from tui.widgets.prose import heading, paragraph, wrapped

_KEY_CELLS = 12
_COLUMN_CELLS = 60
_TOPICS = {
    "what-if": "KEYS OF THE WHAT-IF PAGE",
    "events": "KEYS OF EVENTS AND INCIDENTS",
    "compare": "KEYS OF THE COMPARISON",
    "replay": "KEYS OF A REPLAY",
}
_OF_PAGE = {"whatif": "what-if", "incident": "events"}
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


def key_list(width: int, ascii: bool, page: str = "") -> list[Row]:
    """Return what each mark means and what each key does, those of a page apart, in as many columns as fit.

    Those of `page`, from where they are asked for, come first.
    """
    by_topic: dict[str, list[tuple[str, str]]] = {"": []}
    for key in KEYS:
        topic, _, rest = key.help.partition(": ")
        topic, rest = (topic, rest) if topic in _TOPICS else ("", key.help)
        if rest:
            by_topic.setdefault(topic, []).append((printed(key, ascii), rest))
    rows: list[Row] = []
    topic = _OF_PAGE.get(page, page)
    if topic in _TOPICS:
        rows += [heading(_TOPICS[topic], width), *_pairs(by_topic.pop(topic), width), blank(width)]
    rows += [heading("MARKS", width), *_pairs(_MARKS, width), blank(width), heading("KEYS", width)]
    rows += _pairs(by_topic.pop(""), width)
    for topic, pairs in by_topic.items():
        rows += [blank(width), heading(_TOPICS[topic], width), *_pairs(pairs, width)]
    return rows


def _pairs(pairs: Sequence[tuple[str, str]], width: int) -> list[Row]:
    """Return marks with the whole of what they mean, down one column after the other."""
    columns = max(1, min(len(pairs), width // _COLUMN_CELLS))
    size = width // columns
    each = [_wrapped_pair(mark, text, size) for mark, text in pairs]
    depth = -(-sum(map(len, each)) // columns)
    rows: list[Row] = []
    x, y = 0, 0
    for block in each:
        if y and y + len(block) > depth and x + 2 * size <= width:
            x, y = x + size, 0
        rows += [blank(width)] * (y + len(block) - len(rows))
        paste(rows, x, y, block)
        y += len(block)
    return rows


def _wrapped_pair(mark: str, text: str, width: int) -> list[Row]:
    rows = []
    for number, words in enumerate(wrapped(text, width - MARGIN - _KEY_CELLS - 1)):
        line = Line(width)
        line.put(MARGIN, mark if number == 0 else "", BOLD)
        line.put(MARGIN + _KEY_CELLS, words)
        rows.append(line.row())
    return rows


def page_rows(intro: Sequence[Row], each: Iterable[Explained], width: int, *, ascii: bool, page: str = "") -> list[Row]:
    """Return a whole page of help: the row in question, how its figures were come by, marks and keys."""
    return [*intro, blank(width), *explanations(each, width), *key_list(width, ascii, page)]
