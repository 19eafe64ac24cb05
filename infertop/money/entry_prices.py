"""The unit prices that an entry of pricing.toml sets, for one way of processing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Context, Decimal

from infertop.money.nearest import NEAREST
from infertop.money.quote import STANDARD_RATE, UnitPrice
from infertop.money.settings import ClassPrice, ModelPrices, Tier, Variant

PER_TOKENS = 1_000_000
PER_CALL = 1
# Wide enough for a price times a factor: prices and factors have 28 digits at most.
_EXACT = Context(prec=60)


def entry_prices(entry: ModelPrices, words: Sequence[str]) -> dict[str, UnitPrice]:
    """Return the prices that `entry` sets by class and call unit.

    `words` are ways of processing ("batch", "flex"): the first that has a price for a class wins, and a class without
    any has the standard rate. Each price is flagged with those that it has none for.
    """
    since = entry.since.isoformat() if entry.since else ""
    found = _units(entry.prices, entry.tiers, since)
    ways = {each.name: _variant_prices(entry, each, since) for each in entry.variants if each.name in words}
    for word in reversed(words):
        found |= ways.get(word, {})
    prices = {
        name: replace(unit, flags=tuple(f"{STANDARD_RATE}:{word}" for word in words if name not in ways.get(word, {})))
        for name, unit in found.items()
    }
    return prices | {each.name: UnitPrice(each.usd, PER_CALL, each.where, since) for each in entry.calls}


def _variant_prices(entry: ModelPrices, variant: Variant, since: str) -> dict[str, UnitPrice]:
    if variant.factor is None:
        return _units(variant.prices, variant.tiers, since)
    standard = _units(entry.prices, entry.tiers, since)
    return {name: scaled(unit, variant.factor) for name, unit in standard.items()}


def _units(prices: Iterable[ClassPrice], tiers: Sequence[Tier], since: str) -> dict[str, UnitPrice]:
    return {each.name: UnitPrice(each.usd, PER_TOKENS, each.where, since, _tiers(each.name, tiers)) for each in prices}


def _tiers(name: str, tiers: Sequence[Tier]) -> tuple[tuple[int, Decimal], ...]:
    return tuple((tier.above, each.usd) for tier in tiers for each in tier.prices if each.name == name)


def scaled(unit: UnitPrice, factor: Decimal) -> UnitPrice:
    """Return a price times a factor, all its tiers included."""
    tiers = tuple((above, _EXACT.multiply(usd, factor)) for above, usd in unit.tiers)
    return replace(unit, usd=_EXACT.multiply(unit.usd, factor), tiers=tiers)


def with_kinds(prices: dict[str, UnitPrice]) -> dict[str, UnitPrice]:
    """Return prices to which what has none has been added at the price of its kind, see `NEAREST`."""
    found = dict(prices)
    for name, kinds in NEAREST.items():
        kind = next((each for each in kinds if each in prices), None)
        if name not in found and kind:
            found[name] = replace(prices[kind], stands_for=kind, minimum=0)
    return found
