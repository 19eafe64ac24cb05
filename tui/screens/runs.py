"""The page of runs: what is usual of one on top, then all of them, the dearest first, and the chosen one in full."""

from __future__ import annotations

from tui.panels.detail import DetailPanel
from tui.panels.runs import NAME, RUNS, USUAL, runs
from tui.scene import Scene
from tui.screens.page import Box, PanelPage
from tui.screens.space import Want, share
from tui.screens.stack import Band, stack

_LEAST_TABLE = 6
_LEAST_DETAIL = 4
_DETAIL = DetailPanel(RUNS)


def layout(scene: Scene, width: int, height: int) -> list[Box]:
    """Return the boxes: a few runs come first, then what is usual, then the chosen run in full."""
    usual, full, detail = USUAL.rows(scene), RUNS.rows(scene), _DETAIL.rows(scene)
    wants = [
        Want(NAME, tuple(sorted({min(_LEAST_TABLE, full), full}))),
        Want("usual", (usual,) if usual else ()),
        Want("detail", tuple(sorted({min(_LEAST_DETAIL, detail), detail})) if detail else ()),
    ]
    given = share(max(0, height - 2), wants)
    bands: list[Band] = [
        (given.get("usual", 0), [(USUAL, width)]),
        (given.get(NAME, 0), [(RUNS, width)]),
        (given.get("detail", 0), [(_DETAIL, width)]),
    ]
    return stack(bands, height)


def _counted(scene: Scene) -> tuple[int, int]:
    return len(runs(scene)), len(scene.runs.rows) if scene.runs else 0


PAGE = PanelPage(NAME, NAME, layout, _counted)
