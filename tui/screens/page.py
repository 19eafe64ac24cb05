"""A page: the frame around panels, and the two kinds there are - panels in boxes, and a text to scroll."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from infertop.views.shapes import Explained
from tui.feed import Feed
from tui.keys import footer, prompt
from tui.panels.events import EVENTS
from tui.panels.headline import head_rows, notice_line, title_line
from tui.panels.newest import newest, newest_rows
from tui.panels.panel import Panel
from tui.scene import Scene
from tui.screens.space import reserved
from tui.widgets.cells import Row, blank, paste


@dataclass(frozen=True, slots=True)
class Box:
    """A panel and the cells that it has."""

    panel: Panel
    x: int
    y: int
    width: int
    height: int

    def holds(self, x: int, y: int) -> bool:
        """Return whether a cell is in it."""
        return self.x <= x < self.x + self.width and self.y <= y < self.y + self.height


MAIN = "models"
PAGE = 10
"""What the keys for a page go on by: rows of a table; a text by as much as is shown."""
Layout = Callable[[Scene, int, int], list[Box]]


@dataclass(frozen=True, slots=True)
class Picture:
    """What a page drew: its rows, and where its panels are."""

    rows: list[Row]
    boxes: tuple[Box, ...] = ()


class Page(Protocol):
    """What the board shows."""

    @property
    def name(self) -> str:
        """Which keys the footer shows."""
        ...

    def draw(self, scene: Scene, width: int, height: int) -> Picture:
        """Return `height` rows of `width` cells."""
        ...


@dataclass(frozen=True, slots=True)
class PanelPage:
    """Panels in boxes under the headline; `crumb` is where the breadcrumbs say that this is.

    `counted` says how many things the filter lets through, and of how many.
    """

    name: str
    crumb: str
    layout: Layout
    counted: Callable[[Scene], tuple[int, int]] = lambda scene: _models_counted(scene)

    def draw(self, scene: Scene, width: int, height: int) -> Picture:
        """Draw headline, notice, panels, newest event and footer, each with the rows that space allows."""
        listed = self.name == EVENTS.name
        fixed = reserved(height, len(scene.view.notices), 0 if listed else newest_rows(scene))
        rows = head_rows(scene, width, fixed["head"])
        if self.crumb and fixed["head"] > 1:
            rows[0] = title_line(scene, width, (self.crumb,))
        if fixed["notice"]:
            rows.append(notice_line(scene, width))
        room = max(0, height - sum(fixed.values()))
        laid = self.layout(scene, width, room)
        if fixed["event"] and any(box.panel is EVENTS for box in laid):
            # What matters most is on top of the list: the rows that would say it again are the list's.
            room, listed = room + fixed["event"], True
            laid = self.layout(scene, width, room)
        boxes = [Box(b.panel, b.x, b.y + len(rows), b.width, b.height) for b in laid]
        _focus(scene, boxes)
        rows += [blank(width)] * room
        for box in boxes:
            paste(rows, box.x, box.y, box.panel.draw(scene, box.width, box.height))
        if not listed:
            rows += newest(scene, width, fixed["event"])
        if fixed["foot"]:
            rows.append(_foot(self, scene, width))
        return Picture(rows[:height], tuple(boxes))


def _focus(scene: Scene, boxes: list[Box]) -> None:
    """Put the cursor into a table of this page where it is in none, and back into the main one when that appears."""
    choices, names = scene.choices, [box.panel.name for box in boxes if box.panel.keys(scene)]
    if choices.wanted in names:
        choices.panel, choices.wanted = choices.wanted, ""
    if names and choices.panel not in names:
        choices.wanted = choices.panel if choices.panel == MAIN else ""
        choices.panel = names[0]


def _models_counted(scene: Scene) -> tuple[int, int]:
    models, matches = scene.view.models, scene.choices.matches
    return sum(matches(row.model, row.source, row.kind, row.provider) for row in models), len(models)


def _foot(page: PanelPage, scene: Scene, width: int) -> Row:
    choices = scene.choices
    if choices.typing:
        return prompt(choices.filter, *page.counted(scene), width)
    message = choices.message or (f"/{choices.filter}" if choices.filter else "")
    return footer(page.name, width, message, ascii=scene.look.ascii, mode=scene.view.mode)


@dataclass(slots=True)
class TextPage:
    """A text under breadcrumbs that scrolls; `lines` makes it for a width, `update` asks the feed once a tick.

    `subject` is the model that it is about (source and model with a tab between), empty where it is about none.
    """

    name: str
    crumbs: tuple[str, ...]
    lines: Callable[[Scene, int], list[Row]]
    update: Callable[[Feed], None] = lambda feed: None
    explained: Callable[[], Sequence[Explained]] = tuple
    subject: str = ""
    offset: int = 0
    _size: int = field(default=0, repr=False)
    _room: int = field(default=0, repr=False)

    def draw(self, scene: Scene, width: int, height: int) -> Picture:
        """Draw breadcrumbs, what of the text fits, and the footer."""
        room = max(0, height - (2 if height >= 3 else 1))
        text = self.lines(scene, width)
        self._room, self._size = room, max(0, len(text) - room)
        self.offset = max(0, min(self.offset, self._size))
        rows = [title_line(scene, width, self.crumbs), *text[self.offset : self.offset + room]]
        rows += [blank(width)] * (room + 1 - len(rows))
        if height >= 3:
            more = f"{self._size - self.offset} more lines ↓" if self.offset < self._size else ""
            more += ", keys at the End" if more and self.name == "explain" else ""
            message, look = scene.choices.message or more, scene.look
            rows.append(footer(self.name, width, message, ascii=look.ascii, mode=scene.view.mode))
        return Picture(rows[:height])

    def scroll(self, step: int) -> None:
        """Go `step` lines on, a page less two lines where that is `PAGE`, and stop at either end."""
        if abs(step) == PAGE:
            step = step // PAGE * max(1, self._room - 2)
        self.offset = max(0, min(self.offset + step, self._size))
