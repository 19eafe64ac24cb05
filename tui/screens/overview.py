"""The overview: what am I spending an hour, on what, is that normal, and which budget is in danger."""

from __future__ import annotations

from collections.abc import Sequence

from tui.panels.budgets import BUDGETS
from tui.panels.charts import COST_CHART, TOKEN_CHART
from tui.panels.events import EVENTS
from tui.panels.gpus import GPUS
from tui.panels.models import MODELS
from tui.panels.panel import Panel
from tui.panels.sources import SOURCES
from tui.scene import Scene
from tui.screens.page import Box, PanelPage
from tui.screens.space import Want, share

_WIDE = 132
_TWO_CHARTS = 180
_LEAST_CHART, _MOST_CHART = 7, 17
_AIR_ROWS = 5
_BUDGET_CELLS = 80
_GUTTER = 3
_MOST_SOURCES = 9

Band = tuple[int, list[tuple[Panel, int]]]


def _steps(panel: Panel, scene: Scene, *rows: int) -> tuple[int, ...]:
    """Return the steps in which a panel grows, as far as it has things to show."""
    full = panel.rows(scene)
    return tuple(sorted({min(step, full) for step in (*rows, full)})) if full else ()


def layout(scene: Scene, width: int, height: int) -> list[Box]:
    """Return the boxes of the overview: budgets, models and GPUs are met first, the chart gets the rest."""
    wide = width >= _WIDE
    beside = SOURCES.rows(scene) if wide else 0
    lower = max(BUDGETS.rows(scene), min(beside, _MOST_SOURCES))
    wants = [
        Want("models", _steps(MODELS, scene, 4, 9)),
        Want("budgets", tuple(sorted({min(2, lower), min(3, lower), lower})) if lower else ()),
        Want("gpus", _steps(GPUS, scene, 3, 6)),
    ]
    given = share(height, wants)
    left = height - sum(given.values())
    charts = _charts(scene, width)
    chart = min(left, _MOST_CHART) if charts and left >= _LEAST_CHART else 0
    left -= chart
    events = min(EVENTS.rows(scene), left - _AIR_ROWS) if len(scene.view.events) > 1 else 0
    events = events if events > _AIR_ROWS // 2 else 0
    bands: list[Band] = [
        (chart, charts),
        (given.get("models", 0), [(MODELS, width)]),
        (given.get("gpus", 0), [(GPUS, width)]),
        (given.get("budgets", 0), _lower(scene, width, wide)),
        (events, [(EVENTS, width)]),
    ]
    return _stack([band for band in bands if band[0] > 0], height)


def _charts(scene: Scene, width: int) -> list[tuple[Panel, int]]:
    if not COST_CHART.rows(scene):
        return []
    if width < _TWO_CHARTS or not TOKEN_CHART.rows(scene):
        return [(COST_CHART, width)]
    first = (width - _GUTTER) * 3 // 5
    return [(COST_CHART, first), (TOKEN_CHART, width - _GUTTER - first)]


def _lower(scene: Scene, width: int, wide: bool) -> list[tuple[Panel, int]]:
    """Return budgets, with the sources beside them where there is room, or the sources alone."""
    if not wide:
        return [(BUDGETS, width)] if BUDGETS.rows(scene) else []
    if not BUDGETS.rows(scene):
        return [(SOURCES, width)]
    first = max(_BUDGET_CELLS, (width - _GUTTER) // 2)
    return [(BUDGETS, first), (SOURCES, width - _GUTTER - first)]


def _stack(bands: Sequence[Band], height: int) -> list[Box]:
    """Return the boxes of bands below each other, with a blank row before each where there is one for all."""
    boxes, y = [], 0
    air = 1 if height - sum(rows for rows, _ in bands) >= len(bands) else 0
    for rows, panels in bands:
        y, x = y + air, 0
        for panel, width in panels:
            boxes.append(Box(panel, x, y, width, rows))
            x += width + _GUTTER
        y += rows
    return boxes


def _single(panel: Panel) -> PanelPage:
    return PanelPage(panel.name, panel.name, lambda scene, width, height: [Box(panel, 0, 0, width, height)])


VIEWS: tuple[PanelPage, ...] = (
    PanelPage("overview", "", layout),
    *(_single(panel) for panel in (MODELS, GPUS, BUDGETS, SOURCES, EVENTS)),
)
"""The pages of the keys 1 to 6."""
