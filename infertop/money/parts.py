"""Dividing a whole number into whole parts that sum to it, to the last unit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

Weight = int | float | Fraction


def split(total: int, weights: Sequence[Weight]) -> list[int]:
    """Return `total` divided in proportion to `weights` by largest remainder; the parts sum to `total` exactly.

    Each part is the exact share rounded down or up, ties go to the earlier one. Weights that are negative or not
    finite count as 0; where all are 0, the parts are equal. A negative total gives the negated parts of its size.
    Without weights only 0 can be divided: ValueError.
    """
    if total < 0:
        return [-part for part in split(-total, weights)]
    exact = [_exact(weight) for weight in weights]
    whole = sum(exact)
    if not whole:
        exact, whole = [1] * len(exact), len(exact)
    if not exact:
        if total:
            raise ValueError(f"{total} cannot be divided among nobody.")
        return []
    parts = [int(total * weight // whole) for weight in exact]
    missing = total - sum(parts)
    if missing:
        remainders = [total * weight - part * whole for weight, part in zip(exact, parts, strict=True)]
        largest_first = sorted(range(len(parts)), key=lambda i: (-remainders[i], i))
        for i in largest_first[:missing]:
            parts[i] += 1
    return parts


def _exact(weight: Weight) -> int | Fraction:
    """Return the weight as an exact number, 0 where it is none."""
    if isinstance(weight, float):
        return Fraction(weight) if weight > 0 and math.isfinite(weight) else 0
    return max(weight, 0)
