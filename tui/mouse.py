"""What a click does: a row is gone to, and opened when it has the cursor; a heading sorts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.panels.panel import TablePanel
from tui.screens.page import Box

if TYPE_CHECKING:
    from tui.desk import Desk


def clicked(desk: Desk, x: int, y: int) -> None:
    """Put the cursor where the mouse was pressed; on a heading sort, on the row that has the cursor open it."""
    box = next((box for box in desk.picture.boxes if box.holds(x, y)), None)
    if box is None or not isinstance(box.panel, TablePanel):
        return
    choices = desk.choices
    choices.wanted = ""
    if y == box.y:
        _sort_by(desk, box, x)
        return
    cursor, keys = choices.cursor(box.panel.name), box.panel.keys(desk.scene)
    row = cursor.top + y - box.y - 1
    if row < len(keys):
        again = choices.panel == box.panel.name and cursor.key == keys[row]
        choices.panel, cursor.key = box.panel.name, keys[row]
        if again:
            desk.open()


def _sort_by(desk: Desk, box: Box, x: int) -> None:
    panel = box.panel
    if isinstance(panel, TablePanel):
        column = panel.column_at(desk.scene, x - box.x, box.width)
        place = next((n for n, order in enumerate(panel.orders) if order.column == column), None)
        if place is not None:
            desk.choices.sorts[panel.name] = place
