"""The page of providers: accounts on top, the spend by who used it, then bills by day and one account in full."""

from __future__ import annotations

from tui.panels.charts import API_COST_CHART
from tui.panels.detail import DetailPanel
from tui.panels.providers import ACCOUNTS, DAYS, NAME, SPEND, SPEND_BY, UNASSIGNED, made, parts
from tui.scene import Scene
from tui.screens.lists import spare_chart
from tui.screens.page import Box, PanelPage
from tui.screens.space import Want, share
from tui.screens.stack import GUTTER, Band, stack

_WIDE = 132
_DAYS_CELLS = 78
_DETAIL = DetailPanel(ACCOUNTS)


def layout(scene: Scene, width: int, height: int) -> list[Box]:
    """Return the boxes: accounts, then some of the parts, the newest days, what is said of one account, the rest."""
    spend = SPEND_BY[scene.choices.part]
    sizes = {
        NAME: ACCOUNTS.rows(scene),
        SPEND: spend.rows(scene),
        DAYS.name: DAYS.rows(scene),
        _DETAIL.name: _DETAIL.rows(scene),
        UNASSIGNED.name: UNASSIGNED.rows(scene),
    }
    wide = width >= _WIDE and sizes[DAYS.name] > 0
    if wide:
        sizes[DAYS.name] = max(sizes[DAYS.name], sizes[_DETAIL.name] + 3)
        sizes[_DETAIL.name] = 0
    least = {NAME: 4, SPEND: 5, DAYS.name: 4, _DETAIL.name: 4, UNASSIGNED.name: 2}
    wants = [Want(name, tuple(sorted({min(least[name], size), size})) if size else ()) for name, size in sizes.items()]
    given = share(max(0, height), wants)
    bands: list[Band] = [
        (given.get(NAME, 0), [(ACCOUNTS, width)]),
        (given.get(SPEND, 0), [(spend, width)]),
        (given.get(UNASSIGNED.name, 0), [(UNASSIGNED, width)]),
    ]
    if wide:
        beside = width - GUTTER - _DAYS_CELLS
        bands.append((given.get(DAYS.name, 0), [(DAYS, _DAYS_CELLS), (_DETAIL, beside)]))
    else:
        bands += [(given.get(DAYS.name, 0), [(DAYS, width)]), (given.get(_DETAIL.name, 0), [(_DETAIL, width)])]
    used = sum(rows + 1 for rows, _ in bands if rows)
    bands.append(spare_chart(scene, width, height - used, API_COST_CHART))
    return stack(bands, height)


def _counted(scene: Scene) -> tuple[int, int]:
    return len(parts(scene)), len(made(scene).parts)


def page(scene: Scene) -> PanelPage:
    """Return the page, with what it is limited to in its breadcrumbs."""
    within = [name for _, name in scene.choices.within]
    return PanelPage(NAME, " › ".join([NAME, *within]), layout, _counted)
