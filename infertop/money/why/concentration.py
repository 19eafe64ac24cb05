"""Which dimension explains a change best: the one whose few values it is concentrated in, as in Adtributor.

Of each dimension the values are taken by surprise, the largest first, until those taken explain two thirds of the
change; values that explain less than a tenth of it are passed over. Surprise is a value's term of the Jensen-Shannon
divergence between the shares of the cost before and after, so that a value whose cost changed like everybody's has
none, and neither has the only value of a dimension. The dimension whose values are the most surprising in sum explains
best (Bhagwan et al., NSDI 2014).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infertop.money.why.usage import UsageLine

NONE, OTHERS = "(none)", "(others)"
DIMENSIONS = (
    "model",
    "key",
    "project",
    "source",
    "provider",
    "user",
    "team",
    "feature",
    "customer",
    "environment",
)
_LEAST_SHARE, _ENOUGH = 0.1, 0.67
_MOST_VALUES = 4
# How much more surprising another dimension has to be than the one before it in the order.
_MORE = 1.15


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a dimension: what it cost an hour before and after in 1e-9 USD, None where nothing has a price."""

    name: str
    before: int | None
    after: int | None

    @property
    def change(self) -> int:
        """What it costs more."""
        return (self.after or 0) - (self.before or 0)


@dataclass(frozen=True, slots=True)
class Division:
    """A dimension's values, the largest change first, and those that explain the change with their surprise."""

    dimension: str
    values: tuple[Value, ...]
    explaining: tuple[str, ...] = ()
    surprise: float = 0.0


def best_division(
    before: Iterable[UsageLine], after: Iterable[UsageLine], dimensions: Sequence[str] = DIMENSIONS
) -> Division | None:
    """Return the division by the dimension that explains the change best, None where no line has any of them."""
    lines = (tuple(before), tuple(after))
    best: Division | None = None
    for dimension in dimensions:
        found = division(*lines, dimension)
        if found.values and (best is None or found.surprise > best.surprise * _MORE):
            best = found
    return best


def division(before: Iterable[UsageLine], after: Iterable[UsageLine], dimension: str) -> Division:
    """Return the values of a dimension; without values where no line has any."""
    costs: dict[str, list[int | None]] = {}
    for at, lines in enumerate((before, after)):
        for line in lines:
            each = costs.setdefault(value_of(line, dimension), [None, None])
            if line.nano_per_hour is not None:
                each[at] = (each[at] or 0) + line.nano_per_hour
    if not costs.keys() - {NONE}:
        return Division(dimension, ())
    values = tuple(
        sorted((Value(name, *each) for name, each in costs.items()), key=lambda value: (-abs(value.change), value.name))
    )
    return _explained(dimension, values)


def value_of(line: UsageLine, dimension: str) -> str:
    """Return a line's value of a dimension."""
    return line.dimensions.get(dimension) or NONE


def _explained(dimension: str, values: tuple[Value, ...]) -> Division:
    change = sum(each.change for each in values)
    before = sum(max(each.before or 0, 0) for each in values)
    after = sum(max(each.after or 0, 0) for each in values)
    if not change:
        return Division(dimension, values)
    surprises = {each.name: _surprise(each, before, after) for each in values}
    explaining: list[str] = []
    explained = 0.0
    for each in sorted(values, key=lambda value: (-surprises[value.name], -abs(value.change), value.name)):
        share = each.change / change
        if share >= _LEAST_SHARE and explained < _ENOUGH and len(explaining) < _MOST_VALUES:
            explaining.append(each.name)
            explained += share
    surprise = sum(surprises[name] for name in explaining) if explained >= _ENOUGH else 0.0
    return Division(dimension, values, tuple(explaining), surprise)


def _surprise(value: Value, before: int, after: int) -> float:
    p = max(value.before or 0, 0) / before if before else 0.0
    q = max(value.after or 0, 0) / after if after else 0.0
    return sum(0.5 * x * math.log(2 * x / (p + q)) for x in (p, q) if x > 0)
