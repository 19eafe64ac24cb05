"""Text as terminal cells: one character a cell, so that columns, cuts and comparisons are plain indexing."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from rich.cells import get_character_cell_size

from infertop.views.text import REPLACEMENT, safe

FILL = "\0"
"""Stands in the second cell of a wide character; it is dropped when the row is written."""
ELLIPSIS = "…"
MARGIN = 1
"""The first cell of a row is the cursor's, the last one is left blank."""
_LIMIT = 512
_TEXT_LIMIT = 4000
_WORD_MARGIN = 12
_GROUP = re.compile(r"[0-9]{3}(?![0-9])")
# Their width depends on their neighbours and on the terminal: flags are pairs of letters, skin tones join a face.
_UNSTEADY = ((0x1F1E6, 0x1F1FF), (0x1F3FB, 0x1F3FF))


class Row(NamedTuple):
    """A line of the screen: `text` has one character a cell, `style` one letter a cell (see `tui/themes.py`)."""

    text: str
    style: str


def blank(width: int) -> Row:
    """Return an empty row of `width` cells."""
    return Row(" " * width, " " * width)


def _cell(ch: str) -> str:
    code = ord(ch)
    if any(low <= code <= high for low, high in _UNSTEADY):
        return REPLACEMENT
    width = get_character_cell_size(ch)
    return "" if width == 0 else ch + FILL * (width - 1)


@lru_cache(maxsize=4096)
def cells(text: str) -> str:
    """Return `text` fit for a terminal, one character a cell; marks that take no cell of their own are left out."""
    clean = safe(text, _LIMIT)
    return clean if clean.isascii() else "".join(map(_cell, clean))


def text_cells(text: str) -> str:
    """Return `cells(text)` of a whole paragraph: longer than a name may be, and not kept."""
    clean = safe(text, _TEXT_LIMIT)
    return clean if clean.isascii() else "".join(map(_cell, clean))


def cut(text: str, width: int) -> str:
    """Return at most `width` cells of the cells `text`; what is cut ends in an ellipsis, and no wide one is halved."""
    if len(text) <= width:
        return text
    if width <= 0:
        return ""
    kept = text[: width - 1]
    if text[width - 1] == FILL:
        kept = kept[:-1] + " "
    return kept + ELLIPSIS


def cut_words(text: str, width: int) -> str:
    """Return `cut(text, width)`, but end at a whole word where one ends near."""
    short = cut(text, width)
    if short == text or width < _WORD_MARGIN:
        return short
    end = last_blank(text, width - _WORD_MARGIN, len(short))
    return short if end <= 0 else (short[:end].rstrip(" ,;:-") + ELLIPSIS)


def last_blank(text: str, start: int, end: int) -> int:
    """Return the last blank of text[start:end] that is none within a number ("2 489"), -1 where there is none."""
    at = text.rfind(" ", start, end)
    while at > 0 and text[at - 1].isdigit() and _GROUP.match(text, at + 1):
        at = text.rfind(" ", start, at)
    return at


def fit(text: str, width: int, *, right: bool = False) -> str:
    """Return a string from outside as exactly `width` cells."""
    short = cut(cells(text), width)
    return short.rjust(width) if right else short.ljust(width)


def _whole(text: str) -> str:
    """Return cells with the halves of wide characters at both ends blanked."""
    if text[0] == FILL:
        text = " " + text[1:]
    return text[:-1] + " " if text[-1] != FILL and get_character_cell_size(text[-1]) == 2 else text


class Line:
    """A row in the making: text is put at cells, what falls outside is left out."""

    __slots__ = ("_style", "_text", "width")

    def __init__(self, width: int, style: str = " ") -> None:
        self.width = max(0, width)
        self._text = [" "] * self.width
        self._style = [style] * self.width

    def put(self, x: int, text: str, style: str = " ") -> int:
        """Put the cells `text` at `x` in `style` (one letter, or one a cell) and return where they end."""
        end = x + len(text)
        letters = style * len(text) if len(style) == 1 else style
        left, right = max(0, -x), min(len(text), self.width - x)
        if right > left:
            self._clear_halves(x + left, x + right)
            self._text[x + left : x + right] = _whole(text[left:right])
            self._style[x + left : x + right] = letters[left:right]
        return end

    def _clear_halves(self, start: int, end: int) -> None:
        """Blank what is left of wide characters that the edges of a new text cut in two."""
        if self._text[start] == FILL:
            self._text[start - 1] = " "
        if end < self.width and self._text[end] == FILL:
            self._text[end] = " "

    def row(self) -> Row:
        """Return the row as it stands."""
        return Row("".join(self._text), "".join(self._style))


def paste(rows: list[Row], x: int, y: int, block: list[Row]) -> None:
    """Lay `block` over `rows` with its corner at (x, y); it must lie within them."""
    for offset, (text, style) in enumerate(block):
        under = rows[y + offset]
        end = x + len(text)
        rows[y + offset] = Row(under.text[:x] + text + under.text[end:], under.style[:x] + style + under.style[end:])
