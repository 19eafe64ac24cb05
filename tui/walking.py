"""Where the cursor goes: through a table, on to the next one, down a text."""

from __future__ import annotations

from tui.screens.first import moved
from tui.screens.page import TextPage
from tui.showing import WHATIF, Showing


class Walking(Showing):
    """Moves the cursor."""

    def move(self, step: int) -> None:
        """Move the cursor, or scroll the text; a single step beyond an end goes on in the next table."""
        self.choices.wanted = ""
        page, table = self.page, self.table()
        if page is self._first:
            self.choices.first = moved(self.choices.first, step)
        if isinstance(page, TextPage):
            page.scroll(step)
            return
        if table is None:
            return
        cursor, keys = self.choices.cursor(table.name), table.keys(self.scene)
        cursor.settle(keys)
        if abs(step) == 1 and not 0 <= cursor.index + step < len(keys):
            self._next_table(step)
            self._to_end(start=step > 0)
        else:
            cursor.move(keys, step)

    def _to_end(self, *, start: bool) -> None:
        if table := self.table():
            keys = table.keys(self.scene)
            self.choices.cursor(table.name).move(keys, -len(keys) if start else len(keys))

    def panel(self, step: int) -> None:
        """Go to the next table that has rows; on the what-if page to the next model."""
        self.choices.wanted = ""
        if self.page is WHATIF:
            self._shelf.turn(step)
        else:
            self._next_table(step)

    def _next_table(self, step: int) -> None:
        names = [box.panel.name for box in self.picture.boxes if box.panel.keys(self.scene)]
        if names:
            here = names.index(self.choices.panel) if self.choices.panel in names else 0
            self.choices.panel = names[(here + step) % len(names)]
