"""The page of runs: what is usual of one on top, then all of them, the dearest first, and the chosen one in full.

On wide screens what projects took together stands beside it, and what is left is a chart.
"""

from __future__ import annotations

from tui.panels.charts import API_COST_CHART
from tui.panels.detail import DetailPanel
from tui.panels.panel import Panel
from tui.panels.runs import BY_PROJECT, NAME, RUNS, USUAL, runs
from tui.scene import Scene
from tui.screens.lists import spare_chart
from tui.screens.page import Box, PanelPage
from tui.screens.space import Want, share
from tui.screens.stack import GUTTER, Band, stack

_LEAST_TABLE = 6
_LEAST_DETAIL = 4
_WIDE = 132
_DETAIL = DetailPanel(RUNS)


def layout(scene: Scene, width: int, height: int) -> list[Box]:
    """Return the boxes: a few runs come first, then what is usual, then the chosen run in full."""
    usual, full, detail = USUAL.rows(scene), RUNS.rows(scene), _DETAIL.rows(scene)
    pair = width >= _WIDE and detail > 0
    beside = BY_PROJECT.rows(scene) if pair else 0
    wants = [
        Want(NAME, tuple(sorted({min(_LEAST_TABLE, full), full}))),
        Want("usual", (usual,) if usual else ()),
        Want("detail", tuple(sorted({min(_LEAST_DETAIL, detail), max(detail, beside)})) if detail else ()),
    ]
    given = share(max(0, height - 2), wants)
    first = (width - GUTTER) * 3 // 5
    below: list[tuple[Panel, int]] = [(_DETAIL, first), (BY_PROJECT, width - GUTTER - first)]
    bands: list[Band] = [
        (given.get("usual", 0), [(USUAL, width)]),
        (given.get(NAME, 0), [(RUNS, width)]),
        (given.get("detail", 0), below if pair else [(_DETAIL, width)]),
    ]
    used = sum(rows + 1 for rows, _ in bands if rows)
    bands.append(spare_chart(scene, width, height - used, API_COST_CHART))
    return stack(bands, height)


def _counted(scene: Scene) -> tuple[int, int]:
    return len(runs(scene)), len(scene.runs.rows) if scene.runs else 0


PAGE = PanelPage(NAME, NAME, layout, _counted)
