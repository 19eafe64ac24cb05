"""From the book's price keys to infertop's token classes and call units, each with what it falls back to."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from infertop.money.book.rows import Tiered
from infertop.money.nearest import NEAREST
from infertop.money.quote import UnitPrice
from infertop.readings.registry import CALL_UNITS, TOKEN_CLASSES

PER_TOKENS = 1_000_000
# The book's keys are classes, call units, and this: what a list asks for writes to a cache however long they live.
CACHE_WRITE = "cache_write"
# Which class it is the price of.
_WRITES = "cache_write_5m"


def _chain(name: str) -> tuple[tuple[str, str], ...]:
    """Return what may price a class or unit, the nearest first, each with the class that it stands for ("": itself)."""
    own = ((name, ""), (CACHE_WRITE, "")) if name == _WRITES else ((name, ""),)
    return (*own, *((CACHE_WRITE if kind == _WRITES else kind, kind) for kind in NEAREST.get(name, ())))


# Every class and unit, how many of it are priced at once, and what may price it: once for all, as quotes are many.
_CHAINS = tuple(
    (name, CALL_UNITS[name].per if name in CALL_UNITS else PER_TOKENS, _chain(name))
    for name in (*TOKEN_CLASSES, *CALL_UNITS)
)


def unit_prices(
    prices: Mapping[str, tuple[Tiered, str]], source: str, minimum: Mapping[str, int]
) -> dict[str, UnitPrice]:
    """Return the price of every class and call unit that has one, from (price, since) by the book's keys."""
    found = {}
    for name, per, chain in _CHAINS:
        for key, stands_for in chain:
            if key in prices:
                price, since = prices[key]
                found[name] = UnitPrice(price.base, per, source, since, price.tiers, stands_for, minimum.get(name, 0))
                break
    return found


def free_prices(source: str) -> dict[str, UnitPrice]:
    """Return a price of nothing for every token class."""
    return {name: UnitPrice(Decimal(0), PER_TOKENS, source) for name in TOKEN_CLASSES}
