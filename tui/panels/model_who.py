"""Who used a model that is paid for by use: a line a key, project or user, as its account tells them."""

from __future__ import annotations

from collections.abc import Sequence

from infertop.views.account_shapes import NOBODY, PartRow
from tui.panels.providers import PART_COLUMNS
from tui.scene import Scene
from tui.widgets.cells import Row, blank
from tui.widgets.prose import remark
from tui.widgets.table import arrange, body, heading, sized

_MOST = 12


def who_rows(by: str, parts: Sequence[PartRow], scene: Scene, width: int) -> list[Row]:
    """Return a table of the dearest of them; nothing where the account tells nobody apart."""
    if all(part.name == NOBODY for part in parts):
        return []
    shown = parts[:_MOST]
    placed = arrange(sized(PART_COLUMNS, shown, scene), width)
    rows = [heading(placed, width, f"BY {by.upper()}")]
    rows += [body(placed, part, scene, width, here=False, grey=False) for part in shown]
    if len(parts) > _MOST:
        rows.append(remark(f"and {len(parts) - _MOST} more: p shows them all", width))
    return [*rows, blank(width)]
