"""The desk: what each key does to what is shown. Nothing here knows Textual."""

from __future__ import annotations

from infertop.views.shapes import Event
from tui.comparing import Comparing
from tui.incidents import CHANGES_NAME, INCIDENT, WHY_TABLES
from tui.keys import FILTERED
from tui.panels.models import Entry, split_key
from tui.screens.first import advice
from tui.screens.overview import VIEWS
from tui.screens.page import Page, TextPage
from tui.screens.why_pages import IncidentPage
from tui.showing import PROVIDERS, RUNS, WHATIF
from tui.widgets.cells import FILL


class Desk(Comparing):
    """Opens pages and leaves them."""

    def view_page(self, number: int) -> None:
        """Go to one of the views, and leave what was opened."""
        self.pages = [VIEWS[number - 1]]
        self._turned()
        if number > 1:
            self.choices.panel = VIEWS[number - 1].name

    def whatif(self) -> None:
        """Open the what-if page, from a model's page for that model; on it go back."""
        if not self._left(WHATIF):
            opened = (page.subject for page in reversed(self.pages) if isinstance(page, TextPage))
            self.choices.subject = next((subject for subject in opened if subject), "")
            self.pages.append(WHATIF)
        self._turned()

    def runs(self) -> None:
        """Open the page of runs; on it go back."""
        self._open(RUNS)

    def accounts(self) -> None:
        """Open the page of providers; on it go back."""
        self._open(PROVIDERS)

    def _open(self, page: Page) -> None:
        if not self._left(page):
            self.pages.append(page)
            self.choices.panel = page.name
        self._turned()

    def open(self) -> None:
        """Open the row under the cursor: a model's page, or how another row's figures were come by."""
        from tui.screens.model import model_page  # the first paint does not wait for pages that nobody opened

        table = self.table()
        if self.page is self._first:
            self.choices.message = advice(self.choices.first)
        if table is None:
            return
        key = self.choices.cursor(table.name).key
        item = table.find(self.scene, key)
        if isinstance(item, Entry) and item.role == "model":
            self.pages.append(model_page(self.feed, *split_key(key)))
        elif isinstance(item, Event) and item.kind == INCIDENT:
            self.choices.to_top(*WHY_TABLES)
            self.pages.append(IncidentPage(item))
            self._ask_course()
        elif table.name == CHANGES_NAME and item is not None:
            self.enter_change(key)
        elif self.page is PROVIDERS and item is not None:
            self.choices.enter(*item.chosen)
            self.choices.panel = "spend"
            self._asked()
        elif item is not None:
            self.explain()

    def explain(self) -> None:
        """Open the explanations of the row under the cursor, and the keys."""
        from tui.screens.explain import explanation  # as above

        page = self.page
        if isinstance(page, TextPage) and page.name == "explain":
            self.back()
        else:
            self.pages.append(explanation(self.feed, self.scene, page, self.table()))

    def back(self) -> None:
        """Leave the filter, or the page on top, or a view for the overview."""
        if self.choices.filter and self.page.name in FILTERED:
            self.choices.filter = ""
            self._asked()
        elif self.page is PROVIDERS and self.choices.leave():
            self._asked()
        elif self.leave_change():
            return
        elif len(self.pages) > 1:
            self.pages.pop()
            self._turned()
        else:
            self.view_page(1)

    def copied(self) -> str:
        """Return the row under the cursor, or the text of the page, for the clipboard."""
        from tui.screens.explain import copied_row  # as above

        if table := self.table():
            return copied_row(self.scene, table, self.choices.cursor(table.name).key)
        return "\n".join(row.text.replace(FILL, "").rstrip() for row in self.picture.rows)

    def click(self, x: int, y: int) -> None:
        """Put the cursor where the mouse was pressed; on a heading sort, on the row that has the cursor open it."""
        from tui.mouse import clicked  # as above

        clicked(self, x, y)
