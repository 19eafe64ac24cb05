"""How much of a GPU's work a token stands for, where the work itself cannot be measured."""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType

from infertop.readings.registry import TOKEN_CLASSES

_CACHED = "cache_read"
_FRESH, _READ, _GENERATED = 1.0, 0.1, 4.0


def _weight(name: str, prompt: bool) -> float:
    return _READ if name == _CACHED else _FRESH if prompt else _GENERATED


# Relative to a prompt token that is computed afresh: the usual ratios of list prices. An output token is a pass over
# the weights for itself, a prompt token shares one with its neighbours, a cached one is only read. On one's own GPU a
# token is work by its phase and not by what it stands for: one that is written to a cache, of audio or of an image is
# computed like any other of the prompt, and reasoning is generated like text. So every class has a weight, and no
# token costs nothing.
TOKEN_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {each.name: _weight(each.name, each.prompt) for each in TOKEN_CLASSES.values()}
)


def weighted_tokens(quantities: Mapping[str, float], weights: Mapping[str, float] = TOKEN_WEIGHTS) -> float:
    """Return the tokens of all classes as that many fresh prompt tokens; a class without a weight counts as 0."""
    return math.fsum(weights.get(name, 0.0) * quantity for name, quantity in quantities.items())


def weights_from_prices(usd_per_million: Mapping[str, float]) -> Mapping[str, float]:
    """Return the ratios of a model's (shadow) prices as weights; the default ones where input or output has no price.

    Of the classes without a price of their own, generated ones weigh what output does, and prompts keep their weight.
    """
    unit, output = usd_per_million.get("input", 0.0), usd_per_million.get("output", 0.0)
    if not (0 < unit < math.inf and 0 < output < math.inf):
        return TOKEN_WEIGHTS
    kinds = {each.name: TOKEN_WEIGHTS[each.name] if each.prompt else output / unit for each in TOKEN_CLASSES.values()}
    return {**kinds, **{name: usd / unit for name, usd in usd_per_million.items() if 0 <= usd < math.inf}}
