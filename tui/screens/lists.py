"""The pages of one table: the table, and below it the row under the cursor in full."""

from __future__ import annotations

from typing import Any

from tui.panels.detail import DetailPanel
from tui.panels.panel import TablePanel
from tui.scene import Scene
from tui.screens.page import Box, PanelPage
from tui.screens.space import Want, share
from tui.screens.stack import Band, stack

_LEAST_TABLE, _LEAST_DETAIL = 6, 4


def detailed(table: TablePanel[Any]) -> PanelPage:
    """Return the page of a table, with its detail below it."""
    detail = DetailPanel(table)

    def layout(scene: Scene, width: int, height: int) -> list[Box]:
        full, size = table.rows(scene), detail.rows(scene)
        wants = [
            Want(table.name, tuple(sorted({min(_LEAST_TABLE, full), full}))),
            Want(detail.name, tuple(sorted({min(_LEAST_DETAIL, size), size + 2})) if size else ()),
        ]
        given = share(max(0, height - 2 * bool(size)), wants)
        bands: list[Band] = [(given[table.name], [(table, width)]), (given.get(detail.name, 0), [(detail, width)])]
        return stack(bands, height)

    return PanelPage(table.name, table.name, layout)
