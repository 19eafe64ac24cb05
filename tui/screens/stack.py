"""Boxes from bands: panels beside each other, bands below each other."""

from __future__ import annotations

from collections.abc import Sequence

from tui.panels.panel import Panel
from tui.screens.page import Box

GUTTER = 3
"""Cells between two panels beside each other."""
Band = tuple[int, list[tuple[Panel, int]]]


def stack(bands: Sequence[Band], height: int) -> list[Box]:
    """Return the boxes of bands of (rows, panels with their widths); a blank row before each if all can have one."""
    shown = [band for band in bands if band[0] > 0]
    boxes, y = [], 0
    air = 1 if height - sum(rows for rows, _ in shown) >= len(shown) else 0
    for rows, panels in shown:
        y, x = y + air, 0
        for panel, width in panels:
            boxes.append(Box(panel, x, y, width, rows))
            x += width + GUTTER
        y += rows
    return boxes
