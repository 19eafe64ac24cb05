"""Notices: sentences that stay until their cause is gone, in full."""

from __future__ import annotations

from dataclasses import dataclass

from tui.scene import Scene
from tui.themes import WARN
from tui.widgets.cells import Row, blank
from tui.widgets.prose import heading, paragraph


@dataclass(frozen=True)
class NoticesPanel:
    """Shows every notice, newest first."""

    name: str = "notices"

    def keys(self, scene: Scene) -> list[str]:
        """Return nothing: notices are read, not opened."""
        return []

    def rows(self, scene: Scene) -> int:
        """Return a heading and two rows a notice, 0 where there is none."""
        return 1 + 2 * len(scene.view.notices) if scene.view.notices else 0

    def draw(self, scene: Scene, width: int, height: int) -> list[Row]:
        """Return the notices, wrapped."""
        rows = [heading("NOTICE", width)]
        for notice in scene.view.notices:
            rows += paragraph(f"! {notice}", width, WARN)
        return rows[:height] + [blank(width)] * (height - len(rows))


NOTICES = NoticesPanel()
