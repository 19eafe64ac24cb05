"""Which factor is unusual: traffic drifts all the time, and what did most of a change need not be what is wrong.

A client's requests may double from hour to hour while the length of its prompts never moves by a tenth: if both are
half as much again, it is the prompts that something happened to. So the window is compared with several of the past:
the same time of the days before, and those right before it began. Each comparison says of each factor by how much it
moved the cost, as a logarithm: effect / L(c1, c0). What a factor did, m, is the median over the two windows right
before, or over those and the days before, whichever is less, so that neither a step that comes every day nor a drift
since yesterday counts for much. What it does anyway, s, is the deviation of its steps from one window to the next, by
their third quartile. The factor that is named has the largest m x z^2 / (z^2 + c^2), with z = m / s.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median

from infertop.money.why.cause import block_of
from infertop.money.why.concentration import Division
from infertop.money.why.divide import log_mean
from infertop.money.why.parts import all_contributions, measured_of
from infertop.money.why.usage import Usage

LEAST_WINDOWS = 3
Moves = Mapping[str, float]
"""By how much each factor moved the cost, as logarithms."""

# A factor that never moved is taken to move by this much: figures of a few requests do.
_FLOOR = 0.01
# So many spreads have half the weight.
_HALF = 16.0
_LATEST = 2
# Of normal values a quarter are farther off than so many deviations.
_QUARTER = 1.15


def unusual_factor(lately: Sequence[Moves], days: Sequence[Moves], *, rises: bool = True) -> str:
    """Return the factor that moved the cost most unusually, empty where fewer windows than LEAST_WINDOWS tell.

    `lately` are the moves since the windows right before, the latest first, `days` those since the same time of earlier
    days. `rises` is the direction that is asked for. Volume stands for mix and clients too.
    """
    if len(lately) + len(days) < LEAST_WINDOWS:
        return ""
    sign = 1 if rises else -1
    factors = dict.fromkeys(factor for each in (*lately, *days) for factor in each)
    scores = {
        factor: _score(*([sign * each.get(factor, 0.0) for each in moves] for moves in (lately, days)))
        for factor in factors
    }
    best = max(scores, key=lambda factor: scores[factor], default="")
    return best if scores.get(best, 0.0) > 0 else ""


def _score(lately: Sequence[float], days: Sequence[float]) -> float:
    did = min(median(lately[:_LATEST] or days), median([*lately[:_LATEST], *days]))
    if did <= 0:
        return 0.0
    steps = [one - other for one, other in pairwise(lately)] or list(days)
    sizes = sorted(abs(each) for each in steps)
    spread = sizes[3 * (len(sizes) - 1) // 4] / _QUARTER + _FLOOR
    z = did / spread
    return did * z * z / (z * z + _HALF * _HALF)


def moves(before: Usage, after: Usage, division: Division | None) -> Moves | None:
    """Return by how much each factor moved the cost between two windows; None where either cost nothing."""
    one, other = before.nano_per_hour, after.nano_per_hour
    if one is None or other is None or min(one, other) <= 0:
        return None
    mean = log_mean(other, one)
    found: dict[str, float] = {}
    measured = measured_of(before.lines, after.lines, division)
    for each in all_contributions(measured, before.lines, after.lines):
        factor = block_of(each.factor)
        found[factor] = found.get(factor, 0.0) + each.nano / mean
    return found
