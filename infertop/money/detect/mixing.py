"""Whether a mean moved by itself, or only because others are part of it now.

A model's mean prompt is three times as long once those who asked short ones ask no more: nobody's prompts are longer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import log

from infertop.money.detect.scopes import CACHE_HITS, METRICS, OUTPUT, PER_REQUEST, PROMPT, Flow

MEANS = frozenset({PER_REQUEST, PROMPT, OUTPUT, CACHE_HITS})
"""The figures that are means over whoever is part of a scope."""

_LITTLE = 1e-9


def own_share(metric: str, places: Iterable[tuple[Flow | None, Flow | None]]) -> float:
    """Return which share of what a mean did is not explained by another mix of its places (before, after).

    The mean of now is held against what it would be if every place did as before: places that are new, or of which
    nothing is known from before, do as they do. 1 where nothing is known; below 0 where the mix hid some of it.
    """
    before = after = mixed = weight_before = weight_after = 0.0
    for one, two in places:
        (amount0, of0), (amount1, of1) = (_parts(metric, each) for each in (one, two))
        before, weight_before = before + amount0, weight_before + of0
        after, weight_after = after + amount1, weight_after + of1
        mixed += of1 * amount0 / of0 if of0 > 0 else amount1
    if weight_before <= 0 or weight_after <= 0:
        return 1.0
    watched = METRICS[metric].watched
    values = [
        watched(amount / of) for amount, of in ((before, weight_before), (mixed, weight_after), (after, weight_after))
    ]
    if min(values) <= _LITTLE or abs(log(values[2] / values[0])) < _LITTLE:
        return 1.0
    return log(values[2] / values[1]) / log(values[2] / values[0])


def _parts(metric: str, flow: Flow | None) -> tuple[float, float]:
    """Return what a mean is of, and over how many it is taken."""
    if flow is None:
        return 0.0, 0.0
    amounts: Mapping[str, float | None] = {PER_REQUEST: flow.api_usd, PROMPT: flow.prompt, OUTPUT: flow.output}
    if metric == CACHE_HITS:
        return (flow.cached or 0.0, flow.prompt) if flow.prompt else (0.0, 0.0)
    amount = amounts[metric]
    return (amount, flow.requests) if amount is not None and flow.requests else (0.0, 0.0)
