"""The page of `?`: the figures of the row under the cursor, then marks and keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infertop.views.shapes import Explained, Headline
from tui.feed import Feed
from tui.panels.explained import page_rows
from tui.panels.headline import HOW_UNPRICED, unpriced_words
from tui.panels.panel import TablePanel
from tui.scene import Scene
from tui.screens.page import Page, TextPage
from tui.widgets.cells import FILL, Row
from tui.widgets.table import body, heading

_COPY_CELLS = 240
WHATIF, WHY = "whatif", ("incident", "compare")
HEAD_COLUMNS = (
    "usd_per_hour",
    "gpu_usd_per_hour",
    "idle_usd_per_hour",
    "unheld_usd_per_hour",
    "host_usd_per_hour",
    "api_usd_per_hour",
    "unpriced",
    "unpriced_models",
    "default_prices",
    "usual_usd_per_hour",
    "today_usd",
    "month_usd",
    "month_forecast_usd",
)
"""The headline's figures that can be explained."""
_TROUBLES = ("unpriced", "unpriced_models", "default_prices")


def explained_row(feed: Feed, panel: TablePanel[Any], key: str, item: Any) -> list[Explained]:
    """Return what the thing itself says of all its figures, else what the feed says of each; nothing twice."""
    if (told := Explained(*panel.told(item))).lines:
        return [told]
    # Money first: it is what the page is asked for.
    columns = dict.fromkeys(sorted((column.key for column in panel.columns), key=lambda key: "usd" not in key))
    found = {each.lines: each for column in reversed(columns) if (each := feed.explain(panel.name, key, column)).lines}
    return list(reversed(found.values()))


def explained_head(feed: Feed, head: Headline) -> list[Explained]:
    """Return what the feed says of the headline's figures."""
    asked = (column for column in HEAD_COLUMNS if column not in _TROUBLES or getattr(head, column))
    found = dict.fromkeys(feed.explain("headline", "", column) for column in asked)
    return [each for each in (*found, _unpriced(head)) if each.lines]


def _unpriced(head: Headline) -> Explained:
    words = unpriced_words(head)
    if not words:
        return Explained("", ())
    what = f"{' and '.join(words)}: counted, and in no figure in $"
    how = f'{HOW_UNPRICED} lists models; pricing.toml sets a price: [model."NAME"], [gpu."NAME"]'
    how += ", and [host] that of what runs on no GPU" if head.unpriced_own else ""
    return Explained("unpriced", (what, how))


def explanation(feed: Feed, scene: Scene, page: Page, table: TablePanel[Any] | None) -> TextPage:
    """Return the page of `?` on `page`: of its text, or of the row that the cursor of `table` is on."""
    if isinstance(page, TextPage):
        return _page((*page.crumbs, "explained"), page.explained())
    key = scene.choices.cursor(table.name).key if table else ""
    item = table.find(scene, key) if table and key else None
    if page.name == WHATIF:
        from tui.screens.whatif import explained

        return _page(("what-if", "explained"), explained(scene, item), table, key, WHATIF)
    if table is None or item is None:
        return _page(("keys", "explained"), [], of=page.name)
    told = explained_row(feed, table, key, item)
    told += [] if page.name in WHY else explained_head(feed, scene.view.headline)
    return _page((table.name, table.label(item).strip(), "explained"), told, table, key, page.name)


def _page(
    crumbs: tuple[str, ...],
    each: Sequence[Explained],
    panel: TablePanel[Any] | None = None,
    key: str = "",
    of: str = "",
) -> TextPage:
    """Return the page; with a panel, the row of `key` stands on top. `of` is the page whose keys matter most."""

    def lines(scene: Scene, width: int) -> list[Row]:
        intro = row_of(scene, panel, key, width) if panel and key else []
        return page_rows(intro, each, width, ascii=scene.look.ascii, page=of)

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
