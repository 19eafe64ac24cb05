"""Figures of the what-if page inside sentences."""

from __future__ import annotations

import math
from decimal import Decimal

Number = float | Decimal

_SCALES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def usd(amount: Number) -> str:
    """Return dollars with three significant digits below 1000, whole above: "$0.0313", "$4.98", "$12,345"."""
    value = float(amount)
    if abs(value) >= 999.5:
        return f"${value:,.0f}" if value >= 0 else f"-${-value:,.0f}"
    return f"-${_digits(-value)}" if value < 0 else f"${_digits(value)}"


def _digits(value: float) -> str:
    if value >= 1 or value == 0:
        return f"{value:.2f}"
    return f"{value:.{min(2 - math.floor(math.log10(value)), 15)}f}"


def count(amount: Number) -> str:
    """Return how many in three digits and a scale: "812", "55.3 M"; a blank is between them."""
    value = float(amount)
    for scale, letter in _SCALES:
        if abs(value) >= scale * 0.9995:
            return f"{value / scale:.3g} {letter}" if abs(value) / scale < 999.5 else f"{value / scale:,.0f} {letter}"
    return f"{value:.3g}" if abs(value) < 100 else f"{value:,.0f}"


def percent(ratio: Number) -> str:
    """Return a share in whole percent, with one digit below ten of them: "26 %", "4.2 %"."""
    value = float(ratio) * 100
    return f"{value:,.0f} %" if abs(value) >= 9.95 else f"{value:.2g} %"


def gpus(number: int) -> tuple[str, str]:
    """Return "this GPU" and "it", or "these 4 GPUs" and "they"."""
    return ("this GPU", "it") if number == 1 else (f"these {number} GPUs", "they")
