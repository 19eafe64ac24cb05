"""Sparklines and thin bars: a row of eighths, a line as long as its share."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from tui.format import known

LEVELS = "▁▂▃▄▅▆▇█"
_FLAT = "▃"
_FLAT_BELOW = 0.02


@lru_cache(maxsize=512)
def resample(values: Sequence[float | None], width: int) -> tuple[float | None, ...]:
    """Return `width` values: the mean of those that fall on each, or each repeated where there are too few."""
    size = len(values)
    if size == 0 or width <= 0:
        return (None,) * max(0, width)
    found = []
    for column in range(width):
        start = column * size // width
        part = [v for v in values[start : max(start + 1, (column + 1) * size // width)] if known(v)]
        found.append(sum(part) / len(part) if part else None)
    return tuple(found)


@lru_cache(maxsize=512)
def spark(values: Sequence[float | None], width: int, most: float | None = None) -> str:
    """Return `width` cells from 0 to `most`, or else to the largest value; a steady line is then low and flat.

    An unknown value is blank.
    """
    points = resample(values, width)
    numbers = [v for v in points if known(v)]
    if not numbers:
        return " " * max(0, width)
    top, bottom = most or max(numbers), min(numbers)
    if top <= 0:
        return "".join(LEVELS[0] if known(v) else " " for v in points)
    if most is None and top - bottom <= top * _FLAT_BELOW:
        return "".join(_FLAT if known(v) else " " for v in points)
    heights = (None if not known(v) else round(max(0.0, min(v, top)) / top * 8) - 1 for v in points)
    return "".join(" " if height is None else LEVELS[max(0, height)] for height in heights)


def bar(ratio: float | None, width: int) -> str:
    """Return a thin bar of `width` cells at most; anything above 0 shows at least half a cell."""
    if not known(ratio) or ratio <= 0 or width <= 0:
        return ""
    halves = max(1, min(width * 2, round(ratio * width * 2)))
    return "━" * (halves // 2) + "╸" * (halves % 2)


def two_sided(ratio: float | None, width: int) -> str:
    """Return a thin bar from the middle of `width` cells: to the left below 0, to the right above, `ratio` up to 1."""
    half = (width - 1) // 2
    if not known(ratio) or half <= 0:
        return ""
    size = min(half, max(1, round(abs(ratio) * half))) if ratio else 0
    return " " * (half - size) + "━" * size + "│" if ratio < 0 else " " * half + "│" + "━" * size
