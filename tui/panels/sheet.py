"""A table that is read and not walked through: no cursor, no sorting."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from tui.scene import Scene
from tui.widgets.cells import Row, blank
from tui.widgets.prose import remark
from tui.widgets.table import Column, arrange, body, heading, sized, window_title

T = TypeVar("T")


@dataclass(frozen=True)
class Sheet(Generic[T]):
    """Shows `items` in `columns` under `title`, as many as fit; `empty` is said where there are none."""

    name: str
    title: Callable[[Scene], str]
    columns: tuple[Column[T], ...]
    items: Callable[[Scene], Sequence[T]]
    empty: str = ""

    def keys(self, scene: Scene) -> list[str]:
        """Return nothing: no row is stood on."""
        return []

    def rows(self, scene: Scene) -> int:
        """Return one row for the heading and one a thing, 0 where there is nothing to say."""
        size = len(self.items(scene))
        return 1 + max(size, bool(self.empty)) if size or self.empty else 0

    def draw(self, scene: Scene, width: int, height: int) -> list[Row]:
        """Return exactly `height` rows of `width` cells."""
        if height <= 0:
            return []
        items = self.items(scene)
        shown = items[: height - 1]
        placed = arrange(sized(self.columns, shown, scene), width)
        room = placed[0].width + placed[0].column.gap - 1 if placed else 0
        title = window_title(self.title(scene), 0, len(shown), len(items), room)
        rows = [heading(placed, width, title)]
        rows += [body(placed, item, scene, width, here=False, grey=False) for item in shown]
        if not items and height > 1:
            rows.append(remark(self.empty, width))
        return rows + [blank(width)] * (height - len(rows))
