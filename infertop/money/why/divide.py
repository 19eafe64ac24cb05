"""Dividing the change of a product among its factors, exactly: LMDI-I, and Shapley's values as its check.

LMDI-I (Ang 2005): with L(a, b) = (a - b) / ln(a / b) and L(a, a) = a, the part of a factor x is
L(c1, c0) * ln(x1 / x0). The parts sum to c1 - c0, and change their signs where the windows are exchanged. Where the
product is 0 in one of the windows, the first factor of the chain that is 0 there has all of it: the limit of the
formula (Ang and Liu 2007).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

# Closer than this the logarithms of the quotients lose more digits than the mean of both is off.
_NEAR = 1e-6
_MOST_FACTORS = 12


class Link(NamedTuple):
    """A factor of a product: its values before and after."""

    factor: str
    before: float
    after: float


def log_mean(a: float, b: float) -> float:
    """Return the logarithmic mean of two positive numbers."""
    apart = (a - b) / (a + b) * 2
    if abs(apart) < _NEAR:
        return (a + b) / 2
    return (a - b) / math.log(a / b)


def divided(before: float, after: float, chain: Sequence[Link]) -> dict[str, float]:
    """Return the part of each factor in `after - before`; the product of the chain is that cost on both sides.

    Costs whose sign differs, or that are negative, are divided by Shapley's values.
    """
    if before == after == 0:
        return {}
    if before > 0 and after > 0 and all(each.before > 0 and each.after > 0 for each in chain):
        mean = log_mean(after, before)
        parts: dict[str, float] = {}
        for factor, x0, x1 in chain:
            if x0 != x1:
                parts[factor] = parts.get(factor, 0.0) + mean * math.log(x1 / x0)
        return parts
    if before == 0 or after == 0 or not all(each.before and each.after for each in chain):
        gate = next((each.factor for each in chain if (each.before == 0) != (each.after == 0)), chain[-1].factor)
        return {gate: after - before}
    return shapley(chain)


def shapley(chain: Sequence[Link]) -> dict[str, float]:
    """Return the mean of what each factor adds to the product over all orders in which factors may change.

    Of equal names the parts are added. Its time doubles with each factor: 12 at most, ValueError beyond.
    """
    count = len(chain)
    if count > _MOST_FACTORS:
        raise ValueError(f"{count} factors have too many orders; {_MOST_FACTORS} are the most.")
    parts: dict[str, float] = {}
    for at, link in enumerate(chain):
        others = [i for i in range(count) if i != at]
        part = 0.0
        for size in range(count):
            weight = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
            for changed in combinations(others, size):
                rest = math.prod(chain[i].after if i in changed else chain[i].before for i in others)
                part += weight * rest * (link.after - link.before)
        parts[link.factor] = parts.get(link.factor, 0.0) + part
    return parts


def whole(parts: Mapping[str, float], total: int) -> dict[str, int]:
    """Return parts that sum to `total` as whole numbers that sum to it, each rounded down or up where that does.

    The largest remainders are rounded up; what floats lost of the sum is in the largest part.
    """
    down = {name: math.floor(value) for name, value in parts.items()}
    missing = total - sum(down.values())
    if not parts:
        return {}
    if not 0 <= missing <= len(parts):
        largest = max(parts, key=lambda name: (abs(parts[name]), name))
        extra = missing if missing < 0 else missing - len(parts)
        down[largest] += extra
        missing -= extra
    for name in sorted(parts, key=lambda name: (down[name] - parts[name], name))[:missing]:
        down[name] += 1
    return down
