"""The desk: which page is shown, what was chosen, and what each key does to that. Nothing here knows Textual."""

from __future__ import annotations

from typing import Any

from infertop.views.shapes import Overview
from tui import format as fmt
from tui.choices import GROUPINGS, WINDOWS, Choices
from tui.feed import Feed
from tui.keys import FILTERED
from tui.look import Look
from tui.panels.models import Entry, split_key
from tui.panels.panel import TablePanel
from tui.scene import Scene
from tui.screens.first import advice, first_page, moved, nothing_found
from tui.screens.overview import VIEWS
from tui.screens.page import Page, Picture, TextPage
from tui.shelf import Shelf
from tui.widgets.cells import FILL, Row

WHATIF, RUNS, PROVIDERS = VIEWS[6:9]
INTERVALS = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0)


class Desk:
    """Holds the view of now, the choices and the pages that were opened, the last one on top."""

    def __init__(self, feed: Feed, look: Look, choices: Choices | None = None) -> None:
        self.feed = feed
        self.choices = choices or Choices()
        if self.choices.window is not None:
            feed.set_window(self.choices.window)
        self.look = look
        self.view: Overview = feed.overview()
        self.pages: list[Page] = [VIEWS[0]]
        self.picture = Picture([])
        self._first = first_page()
        self._shelf = Shelf(feed, self.choices)

    @property
    def scene(self) -> Scene:
        """What panels draw from."""
        shelf = self._shelf
        return Scene(self.view, self.choices, self.look, shelf.made, shelf.runs, shelf.accounts)

    @property
    def page(self) -> Page:
        """The page on top; in place of the overview the first start's, as long as there is nothing to show."""
        top = self.pages[-1]
        return self._first if top is VIEWS[0] and nothing_found(self.view) else top

    def tick(self) -> None:
        """Take the views of now, unless the picture is paused."""
        if self.choices.paused:
            return
        self.view = self.feed.overview()
        self._shelf.ask_for({page.name for page in self.pages})
        if isinstance(self.page, TextPage):
            self.page.update(self.feed)

    @property
    def waiting(self) -> bool:
        """Whether the page on top is still being made."""
        made = {"runs": self._shelf.runs, "providers": self._shelf.accounts}
        return self._shelf.waiting if self.page is WHATIF else made.get(self.page.name, self) is None

    def paint(self, width: int, height: int) -> list[Row]:
        """Return the rows of now."""
        self.picture = self.page.draw(self.scene, width, height)
        return self.picture.rows

    def table(self) -> TablePanel[Any] | None:
        """Return the table under the cursor, None on a page without one."""
        panels = (box.panel for box in self.picture.boxes if isinstance(box.panel, TablePanel))
        return next((panel for panel in panels if panel.name == self.choices.panel), None)

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

    def view_page(self, number: int) -> None:
        """Go to one of the views, and leave what was opened."""
        self.pages = [VIEWS[number - 1]]
        self._turned()
        if number > 1:
            self.choices.panel = VIEWS[number - 1].name

    def _turned(self) -> None:
        """Begin a page: its own filter holds, and what it shows is asked for."""
        self.choices.typing = False
        self.choices.scope = next((page.name for page in (WHATIF, RUNS, PROVIDERS) if page in self.pages), "")
        self._shelf.ask_for({page.name for page in self.pages})

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

    def _left(self, page: Page) -> bool:
        """Leave a page where it is open, with all on top of it; return whether it was."""
        if page not in self.pages:
            return False
        self.pages = self.pages[: self.pages.index(page)] or [VIEWS[0]]
        return True

    def subject(self, step: int) -> None:
        """Show the traffic of the next model on the what-if page."""
        if self.page is WHATIF:
            self._shelf.turn(step)

    def now(self) -> None:
        """Go to what it costs now among the alternatives."""
        table = self.table()
        if self.page is not WHATIF or table is None:
            return
        cursor = self.choices.cursor(table.name)
        cursor.key = next((entry.key for entry in table.items(self.scene) if entry.at.current), cursor.key)

    def every(self) -> None:
        """List all models on the what-if page, or only the well-known ones again."""
        if self.page is WHATIF:
            self.choices.every = not self.choices.every
            self._asked()

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
        elif len(self.pages) > 1:
            self.pages.pop()
            self._turned()
        else:
            self.view_page(1)

    def filter(self) -> None:
        """Begin to type a filter."""
        self.choices.typing = self.page.name in FILTERED
        self._asked()

    def typed(self, key: str, character: str | None) -> None:
        """Take one key of a filter; Enter keeps it, Esc drops it."""
        choices = self.choices
        if key == "enter":
            choices.typing = False
        elif key == "escape":
            choices.typing, choices.filter = False, ""
        elif key == "backspace":
            choices.filter = choices.filter[:-1]
        elif key in ("up", "down"):
            self.move(1 if key == "down" else -1)
        elif character and character.isprintable():
            choices.filter += character
        if key not in ("enter", "up", "down") and (table := self.table()):
            choices.cursor(table.name).index = 0  # where its row is gone, it stands on the best match
        self._asked()

    def _asked(self) -> None:
        """Take the what-if page or the runs anew, where their filter or span changed."""
        self._shelf.ask_for({self.page.name})

    def sort(self) -> None:
        """Sort the table under the cursor by the next column of its cycle."""
        table = self.table()
        if table is None or len(table.orders) < 2:
            return
        self.choices.sorts[table.name] = (self.choices.sorts.get(table.name, 0) + 1) % len(table.orders)
        self.choices.message = f"by {table.head(table.order(self.scene).column)}"

    def group(self) -> None:
        """Group models the next way; divide the spend of providers by the next part."""
        if self.page is PROVIDERS:
            self.choices.divide()
            self._asked()
            return
        self.choices.group = (self.choices.group + 1) % len(GROUPINGS)
        self.choices.message = GROUPINGS[self.choices.group]

    def window(self) -> None:
        """Average over the next longer window, from the longest on over the shortest; what-if and runs look back."""
        if self.page in (WHATIF, RUNS):
            self._shelf.longer()
            self._asked()
            return
        longer = [each for each in WINDOWS if each > self.view.window_seconds * 1.01]
        wanted = longer[0] if longer else WINDOWS[0]
        self.feed.set_window(wanted)
        self.choices.window = wanted
        self.choices.message = f"window {fmt.span(wanted)}"

    def interval(self, step: int) -> None:
        """Poll at the next longer or shorter interval."""
        now = self.view.interval_seconds
        further = [each for each in INTERVALS if (each > now * 1.01 if step > 0 else each < now * 0.99)]
        wanted = (further[:1] if step > 0 else further[-1:]) or [now]
        self.feed.set_interval(wanted[0])
        self.choices.message = f"every {fmt.span(wanted[0])}"

    def pause(self) -> None:
        """Freeze or free the picture."""
        self.choices.paused = not self.choices.paused
        self.tick()

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
