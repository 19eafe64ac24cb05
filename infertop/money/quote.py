"""What a model costs at one moment for one way of processing, and what a use of it costs by that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from infertop.money.lines import Price
from infertop.readings.registry import CALL_UNITS

STANDARD_RATE = "standard_rate"
UNPRICED = "unpriced"
PRICE_OF = "price_of"
LISTED_BY = "listed_by"
FACTOR = "factor"
CONTEXT_TIER = "context_tier"
CORRECTED = "corrected"
FAST = "fast"
# What providers call processing at the standard rate.
STANDARD_TIERS = frozenset({"", "auto", "default", "on_demand", "standard", "standard_only"})


@dataclass(frozen=True, slots=True)
class Way:
    """How a request is processed: in a batch or at once, and in which service tier ("" is the standard one)."""

    batch: bool = False
    service_tier: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, ("batch" if self.batch else "", self.service_tier)))


STANDARD = Way()
"""One request at once, at the standard rate."""


def way_by(batch: bool, tier: str = "", speed: str = "") -> Way:
    """Return the way of processing in the words of providers: "auto" is the standard tier, "batch" a tier of some.

    Anthropic's fast processing is a speed of the standard tier, with a price of its own like a tier's.
    """
    tier = tier.strip().lower()
    if tier == "batch":
        batch, tier = True, ""
    if tier in STANDARD_TIERS:
        tier = FAST if speed == FAST else ""
    return Way(batch, tier)


@dataclass(frozen=True, slots=True)
class UnitPrice:
    """USD for `per` units of a token class or call unit, and where that is from.

    `tiers` are (above, usd) in ascending order: a request with more than `above` prompt tokens (of all prompt classes
    together) pays `usd` for every unit, the cliff that all providers use. `stands_for` names the class whose price it
    is where the class has none of its own ("input" for a cache read), else it is empty. A use of less than `minimum`
    units, but more than none, is billed as that many. `flags` are words about this price, besides those of its quote.
    """

    usd: Decimal
    per: int
    source: str
    since: str = ""
    tiers: tuple[tuple[int, Decimal], ...] = ()
    stands_for: str = ""
    minimum: int = 0
    flags: tuple[str, ...] = ()

    def at(self, prompt_tokens: int) -> Decimal:
        """Return USD for `per` units in a request with that many prompt tokens."""
        usd = self.usd
        for above, more in self.tiers:
            if prompt_tokens > above:
                usd = more
        return usd


@dataclass(frozen=True, slots=True)
class Quote:
    """All unit prices of one model over [start, end) for one way of processing, every correction and factor applied.

    `provider` and `matched` say whose list and which entry of it, or the pattern of pricing.toml, it is from; `source`
    ("snapshot 2026-11-10", "pricing.toml:31") and `since` (a date, or empty) are those of the price of its input, else
    of its first price. `prices` has every class and call unit that has a price, by its own or another class's.
    `flags` are words: "standard_rate:batch" where this way of processing has no price of its own, "listed_by:openai"
    where another provider's list answers, "factor:0.9" where a negotiated factor is in the prices. They are about all
    of the prices; where pricing.toml sets some and a list the others, a price has words of its own.
    """

    provider: str
    matched: str
    source: str
    since: str
    prices: Mapping[str, UnitPrice]
    flags: tuple[str, ...] = ()
    start: float = float("-inf")
    end: float = float("inf")

    def price(self, name: str, prompt_tokens: int = 0) -> Price | None:
        """Return the ledger's price of a class or call unit, None where it has none."""
        unit = self.prices.get(name)
        if unit is None:
            return None
        per = "1M tokens" if name not in CALL_UNITS else f"{unit.per} {name}"
        return Price(f"{self.matched} {name}", unit.at(prompt_tokens), per, unit.source, unit.since)


@dataclass(frozen=True, slots=True)
class Cost:
    """What a use costs: exact USD in all and by class or call unit.

    A class or unit that has no price is None in `by_class`, and flagged "unpriced:output"; `usd` is the sum of what has
    a price, None where nothing that was used has one.
    """

    usd: Decimal | None
    by_class: Mapping[str, Decimal | None] = field(default_factory=dict)
    quote: Quote | None = None
    flags: tuple[str, ...] = ()
