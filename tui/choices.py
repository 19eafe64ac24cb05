"""What the person at the screen chose: where the cursor is, sorting, grouping, the filter, whether it is paused."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tui.windows import Windows

GROUPINGS = ("flat", "by source", "by kind")
PARTS = ("model", "key", "project", "user", "team")
"""What the spend of providers is divided by."""
WINDOWS = (60.0, 300.0, 900.0)
"""What averages run over, in seconds."""
SPANS = (3600.0, 86_400.0, 604_800.0)
"""How far the what-if page looks back, in seconds."""


@dataclass(slots=True)
class Cursor:
    """A place in a list that follows its item when the list is sorted anew; `top` is the first row shown.

    As long as nobody moved it, it stays on the first row, whatever comes to stand there: `first` is that item's key.
    """

    key: str = ""
    index: int = 0
    top: int = 0
    first: str = ""

    def settle(self, keys: Sequence[str]) -> None:
        """Stand on the item of before, or, where it is gone, where it was."""
        if self.key in keys and self.key != self.first:
            self.index = keys.index(self.key)
        else:
            self.index = max(0, min(self.index, len(keys) - 1))
            self.key = keys[self.index] if keys else ""
            self.first = self.key if self.index == 0 else ""

    def move(self, keys: Sequence[str], step: int) -> None:
        """Go `step` items on, and stop at either end."""
        self.settle(keys)
        self.index = max(0, min(self.index + step, len(keys) - 1))
        self.key, self.first = keys[self.index] if keys else "", ""

    def scroll(self, size: int, height: int) -> int:
        """Return the first row to show so that the cursor is among `height` of `size` rows."""
        height = max(1, height)
        self.top = min(self.top, self.index, max(0, size - height))
        self.top = max(self.top, self.index - height + 1, 0)
        return self.top


@dataclass(slots=True)
class Choices:
    """`sorts` maps a panel to the place in its cycle of orders, `message` answers the last key until the next one.

    `first` is the line under the cursor on the first start's page. The what-if page has a filter of its own (`scope`
    is the page's whose filter is meant), a subject (source and model with a tab between; empty: the first) and a span
    in seconds; with `every` it lists all models, not only the well-known ones. `window` is what averages run over,
    None until somebody chose it. `wanted` is the table that the cursor goes to as soon as it is there, while nobody has
    moved it. The spend of providers is divided by its `part`, `within` (dimension, name) as far as it is limited.
    `windows` are compared of `compared`, some (dimension, name), of which those behind the first `compared_from` were
    entered on its page (none: everything), or of `beside`, what was under the cursor.
    """

    panel: str = "models"
    cursors: dict[str, Cursor] = field(default_factory=dict)
    sorts: dict[str, int] = field(default_factory=dict)
    group: int = 0
    filters: dict[str, str] = field(default_factory=dict)
    scope: str = ""
    typing: bool = False
    paused: bool = False
    message: str = ""
    first: int = 0
    subject: str = ""
    span: float = SPANS[0]
    every: bool = False
    wanted: str = ""
    window: float | None = None
    part: str = PARTS[0]
    within: tuple[tuple[str, str], ...] = ()
    windows: Windows = field(default_factory=Windows)
    compared: tuple[tuple[str, str], ...] = ()
    compared_from: int = 0
    beside: tuple[tuple[str, str], ...] = ()

    def divide(self) -> None:
        """Divide the spend of providers by the next of its parts."""
        self.part = PARTS[(PARTS.index(self.part) + 1) % len(PARTS)]
        self.message = f"by {self.part}"

    def enter(self, dimension: str, name: str) -> None:
        """Limit the spend of providers to one of its parts, and divide that by what it is not limited to yet."""
        self.within = (*self.within, (dimension, name))
        chosen = {each for each, _ in self.within}
        self.part = next((each for each in PARTS if each not in chosen), self.part)

    def leave(self) -> bool:
        """Take back the last limit, and divide by what it was chosen from; return whether there was one."""
        if not self.within:
            return False
        (dimension, _), self.within = self.within[-1], self.within[:-1]
        self.part = dimension if dimension in PARTS else self.part
        return True

    @property
    def filter(self) -> str:
        """What is typed to narrow down the lists of this page."""
        return self.filters.get(self.scope, "")

    @filter.setter
    def filter(self, text: str) -> None:
        self.filters[self.scope] = text

    @property
    def wants_all(self) -> bool:
        """Whether the what-if page needs all models: a filter is one over all of them."""
        return self.every or self.typing or bool(self.filter)

    def cursor(self, panel: str) -> Cursor:
        """Return the cursor of a panel."""
        return self.cursors.setdefault(panel, Cursor())

    def to_top(self, *panels: str) -> None:
        """Let the cursors of these tables begin anew."""
        for panel in panels:
            self.cursors.pop(panel, None)

    def matches(self, *texts: str) -> bool:
        """Return whether the filter lets an item with these texts through."""
        wanted = self.filter.casefold()
        return not wanted or any(wanted in text.casefold() for text in texts)
