"""Provisioned throughput: a fixed price for so many tokens a minute, used or not. Pure formulas.

Tokens are weighted where the provider does so: Azure takes cached tokens out of the utilisation and counts an output
token of gpt-4.1 as 4 input tokens, Vertex burns down its scale units by such ratios.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from infertop.money.deployments.declared import Provisioned, Weights
from infertop.readings.registry import TOKEN_CLASSES

MINUTES_PER_HOUR = 60
MILLION = 1_000_000


def weight(name: str, weights: Weights) -> Decimal:
    """Return how many reserved tokens one token of the class `name` uses up."""
    if not TOKEN_CLASSES[name].prompt:
        return weights.output
    if name == "cache_read":
        return weights.cache_read
    return weights.cache_write if name.startswith("cache_write") else Decimal(1)


def weighted(tokens: Mapping[str, Decimal], weights: Weights) -> Decimal:
    """Return the sum of tokens by class, each by its weight."""
    return sum((amount * weight(name, weights) for name, amount in tokens.items()), Decimal(0))


def utilisation(terms: Provisioned, tokens_per_hour: Mapping[str, Decimal]) -> Decimal:
    """Return weighted tokens a minute over those reserved; of input and output, the one that is nearer to its limit."""
    if terms.tokens_per_minute is not None:
        return weighted(tokens_per_hour, terms.weights) / MINUTES_PER_HOUR / terms.tokens_per_minute
    return max(
        weighted(_side(tokens_per_hour, prompt), terms.weights) / MINUTES_PER_HOUR / reserved
        for prompt, reserved in ((True, terms.input_tokens_per_minute), (False, terms.output_tokens_per_minute))
        if reserved is not None
    )


def _side(tokens: Mapping[str, Decimal], prompt: bool) -> dict[str, Decimal]:
    return {name: amount for name, amount in tokens.items() if TOKEN_CLASSES[name].prompt is prompt}


def effective_usd_per_million(usd_per_hour: Decimal, tokens_per_hour: Decimal) -> Decimal | None:
    """Return the fixed price over the tokens really served, USD per million; None where none were."""
    return usd_per_hour / tokens_per_hour * MILLION if tokens_per_hour else None


def break_even_at(usd_per_hour: Decimal, used: Decimal, pay_as_you_go: Decimal) -> Decimal | None:
    """Return the utilisation from which a fixed price is the lower one, worked out from one point.

    `pay_as_you_go` USD an hour is what the traffic costs that uses `used` of it. What traffic of one mix costs by the
    token is in proportion to it, so that full use costs pay_as_you_go / used, and u* = fixed / that. None where tokens
    are free; above 1 the fixed price never is the lower one.
    """
    return usd_per_hour * used / pay_as_you_go if pay_as_you_go else None
