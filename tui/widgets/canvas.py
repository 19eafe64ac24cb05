"""The canvas: shows rows of cells, and sends the terminal only those that changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from rich.segment import Segment
from textual import events
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget

from tui.look import Look
from tui.themes import style_of
from tui.widgets.cells import FILL, Row

Paint = Callable[[int, int], Sequence[Row]]
_JOIN = 6
"""Changed runs this near to each other are sent as one: moving the cursor costs about 8 bytes."""
_TOFU = "□ "


class Cut(Widget, inherit_css=False):
    """An empty widget below the canvas whose right edge is a cut.

    Textual writes a changed run from the widget edge to its left on. Without edges inside the canvas it would send
    whole rows.
    """


class Canvas(Widget, inherit_css=False):
    """Asks `paint(width, height)` for rows and repaints the runs of cells that differ from those it shows."""

    ALLOW_SELECT = False

    def __init__(self, paint: Paint, look: Look) -> None:
        super().__init__()
        self._paint = paint
        self._look = look
        self._rows: list[Row] = []
        self._shown = Size(0, 0)
        self._cuts: tuple[int, ...] = ()

    def on_resize(self, event: events.Resize) -> None:
        """Paint anew, unless the first line asked for has done so."""
        if self._measure(event.size):
            self.refresh()

    def _measure(self, size: Size) -> bool:
        """Ask for rows of this size, and return whether those shown had another."""
        if self._shown == size:
            return False
        self._shown = size
        self._cuts = tuple(cut.region.right for cut in self.screen.query(Cut))
        self._rows = self._fresh(size.width, size.height)
        return True

    def show(self) -> None:
        """Ask for the rows of now and repaint what differs."""
        shown = self._rows
        if not shown:
            return
        rows = self._fresh(self._shown.width, self._shown.height)
        regions = [
            Region(start, y, end - start, 1)
            for y, (old, new) in enumerate(zip(shown, rows, strict=False))
            if old != new
            for start, end in changed(old, new)
        ]
        self._rows = rows
        if regions:
            self.refresh(*regions)

    def _fresh(self, width: int, height: int) -> list[Row]:
        return [self._unsplit(self._look.finish(row)) for row in self._paint(width, height)]

    def _unsplit(self, row: Row) -> Row:
        """Replace wide characters that lie across a cut: Textual would blank both halves."""
        if FILL not in row.text:
            return row
        text = row.text
        for cut in self._cuts:
            if cut < len(text) and text[cut] == FILL:
                text = text[: cut - 1] + _TOFU + text[cut + 1 :]
        return Row(text, row.style)

    def render_line(self, y: int) -> Strip:
        """Return one row as a strip; the first one that is asked for after a resize paints them all."""
        width = self.size.width
        self._measure(self.size)
        if y >= len(self._rows):
            return Strip.blank(width)
        row = self._rows[y]
        shades = self._look.shades
        segments = [Segment(text.replace(FILL, ""), style_of(letter, shades)) for text, letter in runs(row)]
        return Strip(segments, len(row.text)).adjust_cell_length(width)


def runs(row: Row) -> Iterator[tuple[str, str]]:
    """Iterate over the stretches of one style."""
    text, style = row
    start = 0
    for at in range(1, len(style) + 1):
        if at == len(style) or style[at] != style[start]:
            yield text[start:at], style[start]
            start = at


def changed(old: Row, new: Row) -> Iterator[tuple[int, int]]:
    """Iterate over the runs of cells that differ, as (start, end), whole wide characters, near ones joined."""
    size = len(new.text)
    if len(old.text) != size:
        yield 0, size
        return
    differ = [
        at
        for at, (a, b, c, d) in enumerate(zip(old.text, new.text, old.style, new.style, strict=True))
        if a != b or c != d
    ]
    start = end = -1
    for at in differ:
        if end >= 0 and at - end <= _JOIN:
            end = at + 1
            continue
        if end >= 0:
            yield _whole(old, new, start, end)
        start, end = at, at + 1
    if end >= 0:
        yield _whole(old, new, start, end)


def _whole(old: Row, new: Row, start: int, end: int) -> tuple[int, int]:
    while start > 0 and FILL in (old.text[start], new.text[start]):
        start -= 1
    while end < len(new.text) and FILL in (old.text[end], new.text[end]):
        end += 1
    return start, end
