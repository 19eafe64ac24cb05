"""The figures of a change in words."""

from __future__ import annotations

from infertop.money.why.measured import RATIO

TOKENS_ASKED = "tokens asked"
"""What volume is called where requests are not known."""


def figure(value: float | None, unit: str) -> str:
    """Return a factor's figure with as many digits as one reads at a glance; what has none is "none"."""
    if value is None:
        return "none"
    if unit == RATIO:
        return percent(value)
    if unit.startswith("usd"):
        return usd(value)
    return f"{value:,.0f}" if abs(value) >= 99.5 else f"{value:.3g}"


def percent(ratio: float) -> str:
    """Return a share in whole percent, with one digit below ten: "51 %", "4.2 %"."""
    value = ratio * 100
    return f"{value:,.0f} %" if abs(value) >= 9.95 or abs(value) < 0.05 else f"{value:.2g} %"


def usd(value: float) -> str:
    """Return dollars: "$3.98", "$12,345", "$0.0042"; never "-0"."""
    size = abs(value)
    sign = "-" if value < 0 else ""
    if size >= 999.5:
        return f"{sign}${size:,.0f}"
    if size >= 0.0995 or size == 0:
        return f"{sign}${size:.2f}"
    return f"{sign}${size:.2g}" if size >= 0.0001 else f"{sign}${size:.1e}"


def signed_usd(value: float) -> str:
    """Return dollars with their sign: "+$3.98"."""
    return usd(value) if value < 0 else f"+{usd(value)}"


def times(before: float, after: float) -> str:
    """Return how many times as much it is: "2.6x", "0.40x"; "new" or "gone" where there was or is nothing."""
    if before < 0 or after < 0:
        return f"{usd(before)} -> {usd(after)}/h"
    if not before or not after:
        return "unchanged" if before == after else "gone" if before else "new"
    ratio = after / before
    return f"{ratio:,.0f}x" if ratio >= 99.5 else f"{ratio:.3g}x" if ratio >= 9.95 else f"{ratio:.2g}x"
