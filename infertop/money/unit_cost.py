"""What one unit of a quantity costs, in 1e-9 USD, and rounding the cost of several lines so that they sum to it."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from infertop.money.lines import NANO, Price

# What a price pays for, in units of the quantity: milliseconds in an hour, millijoules in a kWh, tokens in a million.
_MS_PER_HOUR = 3_600_000
_PER = {
    **dict.fromkeys(("GPU hour", "host hour", "deployment hour"), _MS_PER_HOUR),
    "kWh": 3_600_000_000,
    "1M tokens": 1_000_000,
}


@lru_cache(maxsize=4096)
def _nano(usd: Decimal, per: str) -> Fraction:
    units = _PER.get(per) or int(per.split(" ", 1)[0])
    return Fraction(usd) * NANO / units


def nano_per_unit(price: Price) -> Fraction:
    """Return what one unit of a line's quantity costs, exactly; "1000 web_searches" pays for 1000 of them."""
    return _nano(price.usd, price.per)


def rounded(costs: Sequence[Fraction | int]) -> list[int]:
    """Return the costs as whole numbers that sum to the rounded whole, each its exact cost rounded down or up.

    The ones with the largest fractions are rounded up, ties go to the earlier; a whole cost stays as it is.
    """
    down = [int(cost // 1) for cost in costs]
    missing = round(sum(costs)) - sum(down)
    if missing:
        largest_first = sorted(range(len(costs)), key=lambda i: (down[i] - costs[i], i))
        for i in largest_first[:missing]:
            down[i] += 1
    return down
