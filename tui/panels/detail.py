"""The row under the cursor in full: what the table has no room for, word for word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tui.panels.panel import TablePanel
from tui.scene import Scene
from tui.themes import DIM, HEAD, HEAD_STRONG, PLAIN
from tui.widgets.cells import MARGIN, Line, Row, blank, cells
from tui.widgets.prose import wrapped

_LABEL_CELLS = 17


@dataclass(frozen=True)
class DetailPanel:
    """Shows the thing that the cursor of `table` is on."""

    table: TablePanel[Any]

    @property
    def name(self) -> str:
        """What the layout calls it."""
        return f"{self.table.name} detail"

    def keys(self, scene: Scene) -> list[str]:
        """Return nothing: the cursor stays in the table."""
        return []

    def rows(self, scene: Scene) -> int:
        """Return the rows of its heading and one a line, before any is wrapped."""
        item = self._item(scene)
        return 1 + len(self.table.detail(item, scene)) if item is not None else 0

    def draw(self, scene: Scene, width: int, height: int) -> list[Row]:
        """Return the name as heading, then label and text."""
        item = self._item(scene)
        if item is None or height < 2:
            return [blank(width)] * max(0, height)
        line = Line(width, HEAD)
        line.put(MARGIN, cells(self.table.label(item)), HEAD_STRONG)
        rows = [line.row()]
        for label, text in self.table.detail(item, scene):
            rows += _labelled(label, text, width)
        return rows[:height] + [blank(width)] * (height - len(rows))

    def _item(self, scene: Scene) -> Any:
        return self.table.chosen(scene)


def _labelled(label: str, text: str, width: int) -> list[Row]:
    rows = []
    for number, part in enumerate(wrapped(text or "-", width - _LABEL_CELLS - 2 * MARGIN)):
        line = Line(width)
        line.put(MARGIN, label if number == 0 else "", DIM)
        line.put(MARGIN + _LABEL_CELLS, part, PLAIN)
        rows.append(line.row())
    return rows
