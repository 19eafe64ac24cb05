"""What tokens cost by the token, at a list price: the other side of every break-even."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from infertop.money.quote import Quote
from infertop.readings.registry import TOKEN_CLASSES


def tokens_usd(
    quote: Quote | None, tokens: Mapping[str, Decimal], prompt_tokens: Decimal = Decimal(0)
) -> Decimal | None:
    """Return what tokens by class cost in requests with `prompt_tokens` each, which decide the context tier.

    None where there is no price, or none for a class of which there are some: a part of a price compares with nothing.
    """
    if quote is None:
        return None
    total = Decimal(0)
    for name, amount in tokens.items():
        if not amount:
            continue
        unit = quote.prices.get(name)
        if unit is None:
            return None
        total += amount * unit.at(int(prompt_tokens)) / unit.per
    return total


def prompt_of(tokens: Mapping[str, Decimal]) -> Decimal:
    """Return the prompt tokens among tokens by class, cached ones included."""
    return sum((amount for name, amount in tokens.items() if TOKEN_CLASSES[name].prompt), Decimal(0))
