"""The overview: what am I spending an hour, on what, is that normal, and which budget is in danger."""

from __future__ import annotations

from dataclasses import dataclass

from tui.panels.budgets import BUDGETS, BUDGETS_ALONE
from tui.panels.charts import COST_CHART, TOKEN_CHART
from tui.panels.events import EVENTS
from tui.panels.gpus import GPUS
from tui.panels.models import MODELS
from tui.panels.panel import Panel
from tui.panels.sources import SOURCES
from tui.scene import Scene
from tui.screens.events import PAGE as EVENTS_PAGE
from tui.screens.lists import detailed
from tui.screens.page import Box, Page, PanelPage, Picture
from tui.screens.space import Want, share
from tui.screens.stack import GUTTER, Band, stack

_WIDE = 132
_TWO_CHARTS = 180
_LEAST_CHART, _MOST_CHART = 7, 17
_AIRY_CHART = 9
_AIR_ROWS, _LEAST_EVENTS = 5, 3
_BUDGET_CELLS = 80
_MOST_SOURCES = 9


def _steps(panel: Panel, scene: Scene, *rows: int) -> tuple[int, ...]:
    """Return the steps in which a panel grows, as far as it has things to show."""
    full = panel.rows(scene)
    return tuple(sorted({min(step, full) for step in (*rows, full)})) if full else ()


def layout(scene: Scene, width: int, height: int) -> list[Box]:
    """Return the boxes of the overview: budgets, models and GPUs are met first, the chart gets the rest."""
    wide = width >= _WIDE
    deployments = _deployments(scene)
    beside = SOURCES.rows(scene) if wide else 0
    lower = max(BUDGETS.rows(scene), min(beside, _MOST_SOURCES))
    wants = [
        Want("models", _steps(MODELS, scene, 4, 9)),
        Want("budgets", tuple(sorted({min(2, lower), min(3, lower), lower})) if lower else ()),
        Want("gpus", _steps(GPUS, scene, 3, 6)),
        Want("deployments", _steps(deployments, scene, 2, 3) if deployments else ()),
    ]
    given = share(height, wants)
    charts, left = _charts(scene, width), height - sum(given.values())
    chart = min(left, _MOST_CHART) if charts and left >= _LEAST_CHART else 0
    events = _event_rows(scene, left - chart)
    bands: list[Band] = [
        (given.get("models", 0), [(MODELS, width)]),
        (given.get("gpus", 0), [(GPUS, width)]),
        (given.get("deployments", 0), [(deployments, width)] if deployments else []),
        (given.get("budgets", 0), _lower(scene, width, wide)),
        (events, [(EVENTS, width)]),
    ]
    chart = _airy(chart, left - chart - events, 1 + sum(rows > 0 for rows, _ in bands))
    return stack([(chart, charts), *bands], height)


def _deployments(scene: Scene) -> Panel | None:
    """Return the panel of deployments, None where pricing.toml declares none: few do, and nobody else loads it."""
    if not scene.view.deployments:
        return None
    from tui.panels.deployments import DEPLOYMENTS

    return DEPLOYMENTS


def _event_rows(scene: Scene, left: int) -> int:
    """Return the rows of a list of events, 0 where there is no room for some or nothing to list."""
    rows = min(EVENTS.rows(scene), left - _AIR_ROWS) if len(scene.view.events) > 1 else 0
    return rows if rows >= _LEAST_EVENTS else 0


def _airy(chart: int, spare: int, bands: int) -> int:
    """Return the chart's rows so that each band can have a blank row before it, and no more rows stay blank."""
    if not chart or chart - max(0, bands - spare) < _AIRY_CHART:
        return chart
    return chart + spare - bands


def _charts(scene: Scene, width: int) -> list[tuple[Panel, int]]:
    if not COST_CHART.rows(scene):
        return []
    if width < _TWO_CHARTS or not TOKEN_CHART.rows(scene):
        return [(COST_CHART, width)]
    first = (width - GUTTER) * 3 // 5
    return [(COST_CHART, first), (TOKEN_CHART, width - GUTTER - first)]


def _lower(scene: Scene, width: int, wide: bool) -> list[tuple[Panel, int]]:
    """Return budgets, with the sources beside them where there is room, or the sources alone."""
    if not wide:
        return [(BUDGETS, width)] if BUDGETS.rows(scene) else []
    if not BUDGETS.rows(scene):
        return [(SOURCES, width)]
    first = max(_BUDGET_CELLS, (width - GUTTER) // 2)
    return [(BUDGETS, first), (SOURCES, width - GUTTER - first)]


def models_layout(scene: Scene, width: int, height: int) -> list[Box]:
    """Return all models, and the charts where they leave room."""
    charts = _charts(scene, width)
    table = min(MODELS.rows(scene), height)
    chart = min(height - table - 1, _MOST_CHART)
    return stack([(table, [(MODELS, width)]), (chart if chart >= _LEAST_CHART else 0, charts)], height)


@dataclass(frozen=True, slots=True)
class WhatIfPage:
    """The page of key w; its module is loaded when it is first shown, for the first paint does not wait for it."""

    name: str = "whatif"

    def draw(self, scene: Scene, width: int, height: int) -> Picture:
        """Draw it."""
        from tui.screens.whatif import draw

        return draw(scene, width, height)


@dataclass(frozen=True, slots=True)
class RunsPage:
    """The page of key r; its module too is loaded when it is first shown."""

    name: str = "runs"

    def draw(self, scene: Scene, width: int, height: int) -> Picture:
        """Draw it."""
        from tui.screens.runs import PAGE

        return PAGE.draw(scene, width, height)


@dataclass(frozen=True, slots=True)
class ProvidersPage:
    """The page of key p; its module too is loaded when it is first shown."""

    name: str = "providers"

    def draw(self, scene: Scene, width: int, height: int) -> Picture:
        """Draw it."""
        from tui.screens.providers import page

        return page(scene).draw(scene, width, height)


def _gpu_charts() -> Panel:
    from tui.panels.gpu_history import GPU_CHARTS

    return GPU_CHARTS


def _told_by_it() -> Panel:
    from tui.panels.source_tells import TELLS

    return TELLS


VIEWS: tuple[Page, ...] = (
    PanelPage("overview", "", layout),
    PanelPage("models", "models", models_layout),
    detailed(GPUS, beside=_gpu_charts),
    detailed(BUDGETS_ALONE, charted=True),
    detailed(SOURCES, beside=_told_by_it, charted=True),
    EVENTS_PAGE,
    WhatIfPage(),
    RunsPage(),
    ProvidersPage(),
)
"""The pages of the keys 1 to 9."""
