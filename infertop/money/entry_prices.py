"""The unit prices that an entry of pricing.toml sets, for one way of processing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from decimal import Context, Decimal

from infertop.money.quote import UnitPrice
from infertop.money.settings import ClassPrice, ModelPrices, Tier, Variant

PER_TOKENS = 1_000_000
PER_CALL = 1
# Wide enough for a price times a factor: prices and factors have 28 digits at most.
_EXACT = Context(prec=60)
# A class without a price of its own costs what the nearest of these does that has one.
_KINDS: Mapping[str, tuple[str, ...]] = {
    "cache_read": ("input",),
    "cache_write_5m": ("input",),
    "cache_write_1h": ("cache_write_5m", "input"),
    "reasoning": ("output",),
}


def entry_prices(entry: ModelPrices, words: Sequence[str]) -> tuple[dict[str, UnitPrice], tuple[str, ...]]:
    """Return the prices that `entry` sets by class and call unit, and those of `words` that it has no price for.

    `words` are ways of processing ("batch", "flex"), the first that has a price for a class winning. A class without
    one for any of them has the standard rate, and then these words are returned.
    """
    variants = [each for word in words for each in entry.variants if each.name == word]
    since = entry.since.isoformat() if entry.since else ""
    prices: dict[str, UnitPrice] = {}
    for variant in variants:
        for name, unit in _variant_prices(entry, variant, since):
            prices.setdefault(name, unit)
    standard = [each for each in entry.prices if each.name not in prices]
    prices |= _units(entry.prices, entry.tiers, since, without=frozenset(prices))
    prices |= {each.name: UnitPrice(each.usd, PER_CALL, each.where, since) for each in entry.calls}
    known = {each.name for each in variants}
    return prices, tuple(word for word in words if standard or (entry.prices and word not in known))


def _variant_prices(entry: ModelPrices, variant: Variant, since: str) -> Iterator[tuple[str, UnitPrice]]:
    if variant.factor is None:
        yield from _units(variant.prices, variant.tiers, since).items()
        return
    for name, unit in _units(entry.prices, entry.tiers, since).items():
        yield name, scaled(unit, variant.factor)


def _units(
    prices: Iterable[ClassPrice], tiers: Sequence[Tier], since: str, without: frozenset[str] = frozenset()
) -> dict[str, UnitPrice]:
    return {
        each.name: UnitPrice(each.usd, PER_TOKENS, each.where, since, _tiers(each.name, tiers))
        for each in prices
        if each.name not in without
    }


def _tiers(name: str, tiers: Sequence[Tier]) -> tuple[tuple[int, Decimal], ...]:
    return tuple((tier.above, each.usd) for tier in tiers for each in tier.prices if each.name == name)


def scaled(unit: UnitPrice, factor: Decimal) -> UnitPrice:
    """Return a price times a factor, all its tiers included."""
    tiers = tuple((above, _EXACT.multiply(usd, factor)) for above, usd in unit.tiers)
    return replace(unit, usd=_EXACT.multiply(unit.usd, factor), tiers=tiers)


def with_kinds(prices: dict[str, UnitPrice]) -> dict[str, UnitPrice]:
    """Return prices to which caches have been added at the price of input, and reasoning at that of output."""
    found = dict(prices)
    for name, kinds in _KINDS.items():
        kind = next((each for each in kinds if each in prices), None)
        if name not in found and kind:
            found[name] = replace(prices[kind], stands_for=kind, minimum=0)
    return found
