"""What is shown: the page on top, the views of now, and the picture that they make. Nothing here knows Textual."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from infertop.views.shapes import Overview
from tui.choices import Choices
from tui.feed import Feed
from tui.look import Look
from tui.panels.gpus import GPUS
from tui.panels.panel import TablePanel
from tui.scene import Scene
from tui.screens.first import first_page, nothing_found
from tui.screens.overview import VIEWS
from tui.screens.page import Page, Picture, TextPage
from tui.screens.why_pages import COMPARE, IncidentPage
from tui.shelf import Shelf
from tui.widgets.cells import Row

if TYPE_CHECKING:
    from infertop.views.page_shapes import GpuHistory

GPUS_PAGE = VIEWS[2]
EVENTS, WHATIF, RUNS, PROVIDERS = VIEWS[5:9]


class Showing:
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
        self._course: GpuHistory | None = None
        self._shelf = Shelf(feed, self.choices)

    @property
    def scene(self) -> Scene:
        """What panels draw from."""
        shelf = self._shelf
        scene = Scene(self.view, self.choices, self.look, shelf.made, shelf.runs, shelf.accounts)
        for page in reversed(self.pages):
            if page is COMPARE:
                return replace(scene, comparison=shelf.compared, course=shelf.course)
            if isinstance(page, IncidentPage):
                incident = page.look(self.view)
                return replace(scene, incident=incident, comparison=incident.why, course=shelf.course)
        return scene

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
        self._shelf.ask_for({page.name for page in self.pages}, self.view)
        self._ask_course()
        if isinstance(self.page, TextPage):
            self.page.update(self.feed)

    def news(self) -> Overview:
        """Return the view of now, also while the picture is paused."""
        return self.feed.overview() if self.choices.paused else self.view

    @property
    def waiting(self) -> bool:
        """Whether the page on top is still being made."""
        shelf, page = self._shelf, self.page
        if page is COMPARE or (isinstance(page, IncidentPage) and page.event.why is not None):
            return shelf.course is None or (page is COMPARE and shelf.compared is None)
        made = {"runs": shelf.runs, "providers": shelf.accounts}
        return shelf.waiting if page is WHATIF else made.get(page.name, self) is None

    def paint(self, width: int, height: int) -> list[Row]:
        """Return the rows of now."""
        page, scene = self.page, self.scene
        self.picture = page.draw(replace(scene, gpu=self._gpu(scene)) if page is GPUS_PAGE else scene, width, height)
        return self.picture.rows

    def _gpu(self, scene: Scene) -> GpuHistory | None:
        """Return the course of the GPU under the cursor: of now, or that of before while the picture is paused."""
        row = GPUS.chosen(scene)
        if row is None:
            return None
        if not self.choices.paused or self._course is None or self._course.uuid != row.uuid:
            try:
                self._course = self.feed.gpu_history(row.uuid)
            except KeyError:
                self._course = None
        return self._course

    def table(self) -> TablePanel[Any] | None:
        """Return the table under the cursor, None on a page without one."""
        panels = (box.panel for box in self.picture.boxes if isinstance(box.panel, TablePanel))
        return next((panel for panel in panels if panel.name == self.choices.panel), None)

    def _asked(self) -> None:
        """Take what the page on top shows anew, where its filter, span or windows changed."""
        self._shelf.ask_for({self.page.name}, self.view)
        self._ask_course()

    def _ask_course(self) -> None:
        """Take the course behind the windows that are shown, of the page on top or of the incident below it."""
        for page in reversed(self.pages):
            if page is COMPARE:
                before, after = self.choices.windows.at(self.view.at, self.view.timezone)
                self._shelf.ask_course(self.choices.compared, before, after, self.view.at)
                return
            if isinstance(page, IncidentPage):
                if (why := page.look(self.view).why) is not None:
                    self._shelf.ask_course(tuple(why.scope.items()), why.before, why.after, self.view.at)
                return

    def _turned(self) -> None:
        """Begin a page: its own filter holds, and what it shows is asked for."""
        self.choices.typing = False
        self.choices.scope = next((page.name for page in (EVENTS, WHATIF, RUNS, PROVIDERS) if page in self.pages), "")
        self._shelf.ask_for({page.name for page in self.pages}, self.view)
        self._ask_course()

    def _left(self, page: Page) -> bool:
        """Leave a page where it is open, with all on top of it; return whether it was."""
        if page not in self.pages:
            return False
        self.pages = self.pages[: self.pages.index(page)] or [VIEWS[0]]
        return True
