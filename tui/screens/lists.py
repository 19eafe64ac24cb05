"""The pages of one table: the table, and below it the row under the cursor in full."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tui.panels.detail import DetailPanel
from tui.panels.panel import Panel, TablePanel
from tui.scene import Scene
from tui.screens.page import Box, PanelPage
from tui.screens.space import Want, share
from tui.screens.stack import Band, stack

_LEAST_TABLE, _LEAST_DETAIL = 6, 4


def detailed(
    table: TablePanel[Any], *below: Panel, counted: Callable[[Scene], tuple[int, int]] | None = None
) -> PanelPage:
    """Return the page of a table, with its detail and what else belongs `below` it; its filter is `counted`."""
    detail = DetailPanel(table)

    def layout(scene: Scene, width: int, height: int) -> list[Box]:
        full = table.rows(scene)
        more = [(panel, panel.rows(scene)) for panel in (detail, *below) if panel.rows(scene)]
        wants = [Want(table.name, tuple(sorted({min(_LEAST_TABLE, full), full})))]
        wants += [Want(panel.name, tuple(sorted({min(_LEAST_DETAIL, size), size + 2}))) for panel, size in more]
        given = share(max(0, height - 2 * len(more)), wants)
        bands: list[Band] = [(given[table.name], [(table, width)])]
        bands += [(given[panel.name], [(panel, width)]) for panel, _ in more]
        return stack(bands, height)

    return PanelPage(table.name, table.name, layout, *([counted] if counted else []))
