"""What a page asks of a panel, and the panel that most are: a table with a cursor."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from tui.scene import Scene
from tui.widgets.cells import Row, blank
from tui.widgets.prose import remark
from tui.widgets.table import Column, Placed, arrange, body, heading, sized, window_title

T = TypeVar("T")


class Panel(Protocol):
    """A part of a page. It draws what a view says and keeps nothing."""

    @property
    def name(self) -> str:
        """What the cursor, `?` and the layout call it."""
        ...

    def rows(self, scene: Scene) -> int:
        """Return how many rows it could use, its heading included; 0 where it has nothing to say."""
        ...

    def keys(self, scene: Scene) -> list[str]:
        """Return the keys of the things that the cursor can stand on, in the order shown."""
        ...

    def draw(self, scene: Scene, width: int, height: int) -> list[Row]:
        """Return exactly `height` rows of `width` cells."""
        ...


@dataclass(frozen=True)
class Order(Generic[T]):
    """A way to sort: the column that it goes by, and the value of each thing (unknown ones come last)."""

    column: str
    value: Callable[[T], Any] | None = None
    rising: bool = False

    def sorted(self, items: Sequence[T]) -> list[T]:
        """Return the items in this order; without a value as they came."""
        read = self.value
        if read is None:
            return list(items)
        have = [item for item in items if read(item) is not None]
        lack = [item for item in items if read(item) is None]
        return sorted(have, key=read, reverse=not self.rising) + lack


@dataclass(frozen=True)
class TablePanel(Generic[T]):
    """A table of things: how to list, name and grey them, what it says when it is empty.

    `detail` gives what is to be said of one thing in full, as (label, text); `told` how its figures were come by, where
    the thing says so itself: a title, then lines.
    """

    name: str
    title: str
    columns: tuple[Column[T], ...]
    items: Callable[[Scene], Sequence[T]]
    key: Callable[[T], str]
    label: Callable[[T], str]
    fresh: Callable[[T], bool] = lambda item: True
    empty: Callable[[Scene], str] = lambda scene: ""
    orders: tuple[Order[T], ...] = (Order(""),)
    detail: Callable[[T, Scene], list[tuple[str, str]]] = lambda item, scene: []
    told: Callable[[T], tuple[str, tuple[str, ...]]] = lambda item: ("", ())

    def order(self, scene: Scene) -> Order[T]:
        """Return the order chosen."""
        return self.orders[scene.choices.sorts.get(self.name, 0) % len(self.orders)]

    def head(self, key: str) -> str:
        """Return the heading of a column."""
        head = next((column.head for column in self.columns if column.key == key), "")
        return head or self.title

    def rows(self, scene: Scene) -> int:
        """Return one row a thing and one for the heading; nothing where there is nothing to say."""
        size = len(self.items(scene))
        return 1 + (size or bool(self.empty(scene))) if size or self.empty(scene) else 0

    def keys(self, scene: Scene) -> list[str]:
        """Return the keys of all things listed."""
        return [self.key(item) for item in self.items(scene)]

    def find(self, scene: Scene, key: str) -> T | None:
        """Return the thing with this key."""
        return next((item for item in self.items(scene) if self.key(item) == key), None)

    def chosen(self, scene: Scene) -> T | None:
        """Return the thing under the cursor, which stands on the first one as long as nobody moved it."""
        items, cursor = self.items(scene), scene.choices.cursor(self.name)
        cursor.settle([self.key(item) for item in items])
        return items[cursor.index] if items else None

    def placed(self, items: Sequence[T], scene: Scene, width: int) -> tuple[Placed[T], ...]:
        """Return the columns for these things at this width."""
        return arrange(sized(self.columns, items, scene), width)

    def column_at(self, scene: Scene, x: int, width: int) -> str:
        """Return the key of the column whose heading is at cell `x`."""
        for each in self.placed(self.items(scene), scene, width):
            if each.x - each.column.gap < x < each.x + each.width:
                return each.column.key
        return ""

    def draw(self, scene: Scene, width: int, height: int) -> list[Row]:
        """Return the heading and as many things as fit, scrolled to the cursor."""
        if height <= 0:
            return []
        items = self.items(scene)
        placed = self.placed(items, scene, width)
        cursor = scene.choices.cursor(self.name)
        cursor.settle([self.key(item) for item in items])
        top = cursor.scroll(len(items), height - 1)
        shown = items[top : top + height - 1]
        focused = scene.choices.panel == self.name
        room = placed[0].width + placed[0].column.gap - 1 if placed else 0
        title = window_title(self.title, top, len(shown), len(items), room)
        order = self.order(scene)
        rows = [heading(placed, width, title, order.column, rising=order.rising, focused=focused)]
        for item in shown:
            here = focused and self.key(item) == cursor.key
            rows.append(body(placed, item, scene, width, here=here, grey=not self.fresh(item)))
        if not items and height > 1:
            rows.append(remark(self.empty(scene), width))
        return rows + [blank(width)] * (height - len(rows))
