"""The pages of one table: the table, below it the row under the cursor in full, and a chart where there is room."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tui.panels.charts import NAMED_COST_CHART, TOKEN_CHART
from tui.panels.detail import DetailPanel
from tui.panels.panel import Panel, TablePanel
from tui.scene import Scene
from tui.screens.page import Box, PanelPage
from tui.screens.space import Want, share
from tui.screens.stack import GUTTER, Band, stack

_LEAST_TABLE, _LEAST_DETAIL = 6, 4
_LEAST_CHART, _MOST_CHART = 9, 31
_WIDE, _TWO_CHARTS = 132, 180


def spare_chart(scene: Scene, width: int, height: int, chart: Panel = NAMED_COST_CHART) -> Band:
    """Return the chart for what is left of a page, beside that of all $/hour that of tokens/s where both can be read.

    Nothing where there is too little room to read one.
    """
    rows = min(height - 1, _MOST_CHART)
    if rows < _LEAST_CHART or not chart.rows(scene):
        return 0, []
    if chart is not NAMED_COST_CHART or width < _TWO_CHARTS or not TOKEN_CHART.rows(scene):
        return rows, [(chart, width)]
    first = (width - GUTTER) * 3 // 5
    return rows, [(chart, first), (TOKEN_CHART, width - GUTTER - first)]


def detailed(table: TablePanel[Any], *, beside: Callable[[], Panel] | None = None, charted: bool = False) -> PanelPage:
    """Return the page of a table, with its detail below it; `charted`: with what an hour costs at the bottom.

    What `beside` returns, once the page is shown, stands beside the detail on wide screens.
    """
    detail = DetailPanel(table)

    def layout(scene: Scene, width: int, height: int) -> list[Box]:
        full, size = table.rows(scene), detail.rows(scene)
        more = beside() if beside and width >= _WIDE else None
        extra = more.rows(scene) if more else 0
        wants = [
            Want(table.name, tuple(sorted({min(_LEAST_TABLE, full), full}))),
            Want(detail.name, tuple(sorted({min(_LEAST_DETAIL, size), max(size + 2, extra)})) if size else ()),
        ]
        given = share(max(0, height - 2 * bool(size)), wants)
        below: list[tuple[Panel, int]] = [(detail, width)]
        if more and extra:
            first = (width - GUTTER) * 2 // 5
            below = [(detail, first), (more, width - GUTTER - first)]
        bands: list[Band] = [(given[table.name], [(table, width)]), (given.get(detail.name, 0), below)]
        if charted:
            bands.append(spare_chart(scene, width, height - sum(rows + 1 for rows, _ in bands)))
        return stack(bands, height)

    return PanelPage(table.name, table.name, layout)
