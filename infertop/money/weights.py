"""How much of a GPU's work a token stands for, where the work itself cannot be measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

# Relative to a prompt token that is computed afresh: the usual ratios of list prices. An output token is a pass over
# the weights for itself, a prompt token shares one with its neighbours, a cached one is only read.
TOKEN_WEIGHTS: Mapping[str, float] = MappingProxyType({"input": 1.0, "cache_read": 0.1, "output": 4.0})


def weighted_tokens(quantities: Mapping[str, float], weights: Mapping[str, float] = TOKEN_WEIGHTS) -> float:
    """Return the tokens of all classes as that many fresh prompt tokens; a class without a weight counts as 0."""
    return math.fsum(weights.get(name, 0.0) * quantity for name, quantity in quantities.items())


def weights_from_prices(usd_per_million: Mapping[str, float]) -> Mapping[str, float]:
    """Return the ratios of a model's (shadow) prices as weights; the default ones where input or output has no price.

    A class without a price keeps its default weight.
    """
    unit = usd_per_million.get("input", 0.0)
    if not unit > 0 or not usd_per_million.get("output", 0.0) > 0:
        return TOKEN_WEIGHTS
    return {**TOKEN_WEIGHTS, **{name: usd / unit for name, usd in usd_per_million.items() if usd >= 0}}
