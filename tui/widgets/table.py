"""Tables: columns that go by rank where there is no room, figures that are never cropped, one row a thing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from tui.scene import Scene
from tui.themes import ACCENT, BOLD, DIM, HEAD, HEAD_STRONG, PLAIN
from tui.widgets.cells import MARGIN, Line, Row, cells, cut, cut_words

T = TypeVar("T")
Cell = tuple[str, str]
_WIDEST_GAP = 3


@dataclass(frozen=True)
class Column(Generic[T]):
    """A column: `key` names its figure to `?` and to sorting. `rank` 0 stays, the highest goes first.

    `width` is the least it needs, `grow` how much more it can use (after the others where it is `late`), `gap` the
    blanks before it. Text to the `left` may be shortened; a figure that does not fit its width shows as `#`. `cell`
    makes text and style from the thing, the scene and the width.
    """

    key: str
    head: str
    width: int
    cell: Callable[[T, Scene, int], Cell]
    rank: int = 0
    left: bool = False
    grow: int = 0
    late: bool = False
    gap: int = 1


@dataclass(frozen=True, slots=True)
class Placed(Generic[T]):
    """A column with its first cell and its width."""

    column: Column[T]
    x: int
    width: int


def arrange(columns: Sequence[Column[T]], width: int) -> tuple[Placed[T], ...]:
    """Return the columns that fit into `width` cells; what is left over goes to those that can use it, then to gaps."""
    width -= MARGIN
    kept = _fitting(columns, width)
    widths = _widths(kept, width)
    spare = max(0, width - _needed(kept) + sum(each.width for each in kept) - sum(widths))
    wider = min(_WIDEST_GAP - 1, spare // max(1, len(kept) - 1))
    placed, x = [], MARGIN
    for number, (column, size) in enumerate(zip(kept, widths, strict=True)):
        x += column.gap + wider * bool(column.gap) if number else 0
        placed.append(Placed(column, x, size))
        x += size
    return tuple(placed)


def _fitting(columns: Sequence[Column[T]], width: int) -> list[Column[T]]:
    kept = list(columns)
    while _needed(kept) > width and (worst := max(column.rank for column in kept)):
        kept.remove(next(column for column in reversed(kept) if column.rank == worst))
    return kept


def _widths(kept: Sequence[Column[T]], width: int) -> list[int]:
    """Return each column's cells; the first one, a name, gives way where even those that stay do not fit."""
    left = width - _needed(kept)
    widths = [column.width for column in kept]
    if left < 0:
        widths[0] = max(0, widths[0] + left)
        return widths
    for late in (False, True):
        for number, column in enumerate(kept):
            if column.late is late:
                more = min(column.grow, left)
                widths[number] += more
                left -= more
    return widths


def _needed(columns: Sequence[Column[T]]) -> int:
    return MARGIN + sum(column.width for column in columns) + sum(column.gap for column in columns[1:])


def sized(columns: Sequence[Column[T]], items: Sequence[T], scene: Scene) -> list[Column[T]]:
    """Return the columns with those of text growing as far as their longest text, and no further."""
    return [
        _sized(column, items, scene) if column.left and column.grow and not column.late else column
        for column in columns
    ]


def _sized(column: Column[T], items: Sequence[T], scene: Scene) -> Column[T]:
    most = column.width + column.grow
    longest = column.width
    for item in items:
        longest = max(longest, len(cells(column.cell(item, scene, most)[0])))
        if longest >= most:
            break
    return replace(column, grow=max(0, min(column.grow, longest - column.width)))


def heading(
    placed: Sequence[Placed[T]],
    width: int,
    title: str,
    sorted_by: str = "",
    *,
    rising: bool = False,
    focused: bool = False,
) -> Row:
    """Return the underlined heading; `title` stands for the first column's, the sorted column's has a mark."""
    line = Line(width, HEAD)
    for each in placed:
        column = each.column
        head = title if each is placed[0] else column.head
        by = column.key == sorted_by
        text = cut(
            f"{'▴' if rising else '▾'}{head}" if by and len(head) < each.width + (column.gap - 1) else head,
            each.width + column.gap,
        )
        strong = by or (focused and each is placed[0])
        x = each.x if column.left else each.x + each.width - len(text)
        line.put(x, text, HEAD_STRONG if strong else HEAD)
    return line.row()


def body(placed: Sequence[Placed[T]], item: T, scene: Scene, width: int, *, here: bool, grey: bool) -> Row:
    """Return the row of one thing; `here` is the cursor, `grey` says that its figures are old."""
    line = Line(width)
    if here:
        line.put(0, "▌", ACCENT)
    for each in placed:
        text, style = each.column.cell(item, scene, each.width)
        if grey and style != ACCENT:
            style = DIM if len(style) == 1 else DIM * len(style)
        if here and each is placed[0] and style in (PLAIN, DIM):
            style = BOLD
        _put(line, each, text, style)
    return line.row()


def _put(line: Line, each: Placed[T], text: str, style: str) -> None:
    if each.column.left:
        shown = cut_words(cells(text), each.width)
        line.put(each.x, shown, style if len(style) == 1 else style[: len(shown)])
        return
    figure = cells(text)
    shown = figure if len(figure) <= each.width else "#" * each.width
    line.put(each.x + each.width - len(shown), shown, style)


def window_title(title: str, first: int, shown: int, size: int, width: int, *, always: bool = False) -> str:
    """Return the title with what part of the list is shown, or else how much of it, where that is not all of it."""
    if not size or (shown >= size and not always):
        return title
    longer, short = f"{first + 1}-{first + shown} of {size:,}".replace(",", " "), f"{shown}/{size}"
    return next((told for told in (f"{title} {longer}", f"{title} {short}") if len(told) <= width), title)


def title_room(placed: Sequence[Placed[T]], sorted_by: str = "") -> int:
    """Return the cells for a title that runs over the headings of other names, up to the first that must stay."""
    first = placed[0]
    for each in placed[1:]:
        column = each.column
        if column.head and (not column.left or column.key == sorted_by):
            begin = each.x if column.left else each.x + each.width - len(column.head)
            return begin - (column.key == sorted_by and not column.left) - 1 - first.x
    return placed[-1].x + placed[-1].width - first.x
