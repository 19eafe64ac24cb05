"""The page of events: all of them, the one under the cursor in full, notices, and a chart where there is room."""

from __future__ import annotations

from tui.panels.detail import DetailPanel
from tui.panels.events import EVENTS, NAME
from tui.panels.notices import NOTICES
from tui.scene import Scene
from tui.screens.lists import spare_chart
from tui.screens.page import Box, PanelPage
from tui.screens.space import Want, share
from tui.screens.stack import Band, stack
from tui.widgets.cells import cells

_LEAST_TABLE, _LEAST_NOTICES = 9, 2
_DETAIL = DetailPanel(EVENTS)
_WRAPPED = 2
_NOTICE_MARGIN = 4


def layout(scene: Scene, width: int, height: int) -> list[Box]:
    """Return the boxes: some events, then all that is known of one, then more events, then notices."""
    full, detail = EVENTS.rows(scene), _DETAIL.rows(scene)
    notices = 0 if _are_shown(scene, width) else NOTICES.rows(scene)
    wants = [
        Want(NAME, tuple(sorted({min(_LEAST_TABLE, full), full}))),
        Want(_DETAIL.name, tuple(sorted({detail, detail + _WRAPPED})) if detail else ()),
        Want(NOTICES.name, tuple(sorted({min(_LEAST_NOTICES, notices), notices})) if notices else ()),
    ]
    air = 1 + bool(detail) + bool(notices)
    given = share(max(0, height - air), wants)
    bands: list[Band] = [(given.get(NAME, 0), [(EVENTS, width)])]
    bands += [(given.get(panel.name, 0), [(panel, width)]) for panel in (_DETAIL, NOTICES)]
    bands.append(spare_chart(scene, width, height - sum(rows + 1 for rows, _ in bands)))
    return stack(bands, height)


def _are_shown(scene: Scene, width: int) -> bool:
    """Return whether the line of notices says them all, whole."""
    notices = scene.view.notices
    return len(notices) <= 1 and all(len(cells(each)) <= width - _NOTICE_MARGIN for each in notices)


PAGE = PanelPage(NAME, NAME, layout, lambda scene: (len(EVENTS.items(scene)), len(scene.view.events)))
