"""What is compared: of what, and which two windows."""

from __future__ import annotations

from typing import Any

from infertop.views.shapes import Event, SourceRow
from tui.handling import Handling
from tui.incidents import WHY_TABLES
from tui.panels.models import Entry
from tui.screens.page import TextPage
from tui.screens.why_pages import COMPARE
from tui.windows import MOVED, Window, Windows

Scope = tuple[tuple[str, str], ...]
_LEAST_SECONDS = 300.0
_OF_INCIDENT = "the incident, and what it is compared with"
_NO_NAMES = ("", "(none)", "(others)")


class Comparing(Handling):
    """Opens the comparison of two windows and moves them."""

    def compare(self) -> None:
        """Compare two windows: an incident's own, else those chosen last; on that page go back."""
        if self._left(COMPARE):
            self._turned()
            return
        event = self._incident() if self.page.name in ("events", "incident") else None
        if event is not None:
            self._compare_incident(event)
            return
        opened = next((page.subject for page in reversed(self.pages) if isinstance(page, TextPage)), "")
        self.choices.beside = _of_model(opened) if opened else self._under_cursor()
        self._compare(self.choices.beside if opened else ())

    def _compare(self, scope: Scope) -> None:
        self.choices.compared, self.choices.compared_from = scope, len(scope)
        self.choices.to_top(*WHY_TABLES)
        self.pages.append(COMPARE)
        self._turned()

    def _compare_incident(self, event: Event) -> None:
        self.choices.beside = tuple(event.scope.items())
        self.choices.windows = Windows(
            self.choices.windows.number, moved=_windows_of(event, self.view.at), of=_OF_INCIDENT
        )
        self._compare(self.choices.beside)

    def _under_cursor(self) -> Scope:
        """Return what the row under the cursor is, as a scope of the ledger; nothing where it is none."""
        table = self.table()
        item: Any = table.find(self.scene, self.choices.cursor(table.name).key) if table else None
        if isinstance(item, Entry) and item.role == "model":
            return _of_model(item.key)
        if isinstance(item, SourceRow):
            return (("source", item.name),)
        chosen = getattr(item, "chosen", None)
        return (*self.choices.within, chosen) if chosen else ()

    def enter_change(self, name: str) -> None:
        """Compare what one name of the dimension that explains a change cost, in the same windows."""
        made = self.scene.comparison
        if made is None or not made.by or name in _NO_NAMES or made.by in made.scope:
            self.choices.message = "there is nothing more to divide it by"
            return
        if self.page is not COMPARE:
            incident = self.scene.incident
            if incident is None:
                return
            self._compare_incident(incident)
        self.choices.compared = (*self.choices.compared, (made.by, name))
        self._asked()

    def leave_change(self) -> bool:
        """Take back the last name that was entered; return whether there was one."""
        choices = self.choices
        if self.page is not COMPARE or len(choices.compared) <= choices.compared_from:
            return False
        choices.compared = choices.compared[:-1]
        self._asked()
        return True

    def whose(self) -> None:
        """Compare everything, or what was under the cursor when the page was opened."""
        choices = self.choices
        if not choices.beside:
            choices.message = "the cursor was on nothing that can be compared alone"
            return
        choices.compared = () if choices.compared else choices.beside
        choices.compared_from = len(choices.compared)
        self._asked()

    def preset(self) -> None:
        """Compare the next pair of windows."""
        self._windows(self.choices.windows.next())

    def side(self, step: int) -> None:
        """Let the keys move both windows, the one before, or the one after."""
        self._windows(self.choices.windows.turned(step))
        self.choices.message = MOVED[self.choices.windows.side]

    def shift(self, step: int) -> None:
        """Move the windows by a quarter of their width."""
        self._windows(self.choices.windows.stepped(step, self.view.at, self.view.timezone))

    def widen(self, step: int) -> None:
        """Make the windows wider or narrower."""
        windows = self.choices.windows.widened(step, self.view.at, self.view.timezone)
        self._windows(windows)
        self.choices.message = windows.lengths(self.view.at, self.view.timezone)

    def _windows(self, windows: Windows) -> None:
        self.choices.windows = windows
        self._asked()


def _of_model(key: str) -> Scope:
    source, _, model = key.partition("\t")
    return (("model", model), ("source", source))


def _windows_of(event: Event, now: float) -> tuple[Window, Window]:
    """Return the windows that its cause was looked for in, else as long before it began."""
    if event.why is not None:
        return event.why.before, event.why.after
    end = max(event.until or now, event.ts + _LEAST_SECONDS)
    return (2 * event.ts - end, event.ts), (event.ts, end)
