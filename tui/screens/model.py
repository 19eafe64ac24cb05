"""The page of one model, which Enter opens."""

from __future__ import annotations

from dataclasses import dataclass

from infertop.views.account_shapes import NOBODY, PartRow
from infertop.views.page_shapes import ModelPage
from infertop.views.shapes import Explained
from tui.feed import Feed
from tui.panels.model_page import model_rows
from tui.panels.model_who import who_rows
from tui.scene import Scene, short_source
from tui.screens.page import TextPage
from tui.themes import WARN
from tui.widgets.cells import Row, blank
from tui.widgets.prose import paragraph

_WHO = ("key", "project", "user")


@dataclass(slots=True)
class ModelSheet:
    """Which model it is, the last page that the feed gave of it, and the `parts` of its use, by who used it."""

    source: str
    model: str
    page: ModelPage | None = None
    gone: bool = False
    by: str = _WHO[0]
    parts: tuple[PartRow, ...] = ()

    def update(self, feed: Feed) -> None:
        """Ask for the page of now; a model that is not known any more keeps its last one."""
        try:
            self.page = feed.model_page(self.source, self.model)
            self.gone = False
        except KeyError:
            self.gone = True
        if self.page is not None and self.page.row.stated:
            self._divide(feed)

    def _divide(self, feed: Feed) -> None:
        """Ask who used it: by keys, or else by what the account tells apart."""
        made = feed.accounts(self.by, (("source", self.source), ("model", self.model)))
        self.parts = made.parts if made else ()
        if self.parts and all(part.name == NOBODY for part in self.parts):
            self.by = _WHO[(_WHO.index(self.by) + 1) % len(_WHO)]

    def explained(self) -> tuple[Explained, ...]:
        """Return how the page's figures were come by."""
        return self.page.explained if self.page else ()

    def lines(self, scene: Scene, width: int) -> list[Row]:
        """Return the page as rows."""
        rows = paragraph(f"! {self.model} is not reported any more", width, WARN) if self.gone else []
        if self.page is None:
            return [*rows, blank(width)]
        return rows + model_rows(self.page, scene, width, who_rows(self.by, self.parts, scene, width))


def model_page(feed: Feed, source: str, model: str) -> TextPage:
    """Return the page of a model, filled."""
    sheet = ModelSheet(source, model)
    sheet.update(feed)
    return TextPage(
        "model",
        ("models", f"{model} on {short_source(source)}"),
        sheet.lines,
        sheet.update,
        sheet.explained,
        f"{source}\t{model}",
    )
