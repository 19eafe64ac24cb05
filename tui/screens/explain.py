"""The page of `?`: the figures of the row under the cursor, then marks and keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infertop.views.shapes import Explained
from tui.feed import Feed
from tui.panels.explained import page_rows
from tui.panels.panel import TablePanel
from tui.scene import Scene
from tui.screens.page import TextPage
from tui.widgets.cells import FILL, Row
from tui.widgets.table import body, heading

_COPY_CELLS = 240
HEAD_COLUMNS = ("usd_per_hour", "usual_usd_per_hour", "idle_usd_per_hour", "today_usd", "month_forecast_usd")
"""The headline's figures that can be explained."""


def explained_row(feed: Feed, panel: TablePanel[Any], key: str) -> list[Explained]:
    """Return what the feed says of each figure of a row, once each."""
    columns = dict.fromkeys(column.key for column in panel.columns)
    found = (feed.explain(panel.name, key, column) for column in columns)
    return [each for each in found if each.lines]


def explained_head(feed: Feed) -> list[Explained]:
    """Return what the feed says of the headline's figures."""
    return [each for column in HEAD_COLUMNS if (each := feed.explain("headline", "", column)).lines]


def explain_page(
    crumbs: tuple[str, ...], each: Sequence[Explained], panel: TablePanel[Any] | None, key: str
) -> TextPage:
    """Return the page; with a panel, its row stands on top."""

    def lines(scene: Scene, width: int) -> list[Row]:
        intro = row_of(scene, panel, key, width) if panel else []
        return page_rows(intro, each, width, ascii=scene.look.ascii)

    return TextPage("explain", crumbs, lines)


def row_of(scene: Scene, panel: TablePanel[Any], key: str, width: int) -> list[Row]:
    """Return a heading and the row of one thing, nothing where it is gone."""
    item = panel.find(scene, key)
    if item is None:
        return []
    placed = panel.placed([item], scene, width)
    return [
        heading(placed, width, panel.title),
        body(placed, item, scene, width, here=False, grey=not panel.fresh(item)),
    ]


def copied_row(scene: Scene, panel: TablePanel[Any], key: str) -> str:
    """Return a row as text for the clipboard: cells with a tab between, all columns."""
    item = panel.find(scene, key)
    if item is None:
        return ""
    texts = (each.column.cell(item, scene, each.width)[0] for each in panel.placed([item], scene, _COPY_CELLS))
    return "\t".join(scene.look.finish(Row(text, " " * len(text))).text.replace(FILL, "").strip() for text in texts)
