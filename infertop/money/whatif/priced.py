"""What measured traffic costs by a model's prices, and what a million of its tokens cost at its own mix."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from infertop.money.quote import CONTEXT_TIER, PRICE_OF, STANDARD, UNPRICED, Quote, UnitPrice, Way
from infertop.money.whatif.traffic import MILLION, Traffic

REQUESTS = "requests"
_ZERO = Decimal(0)

QuoteOf = Callable[[Way], Quote | None]


@dataclass(frozen=True, slots=True)
class Priced:
    """Exact USD of the whole traffic; None where a class that it used has no price, or nothing has one.

    `by_class` is what each class and call costs. `missing` are classes without a price; `flags` say what is to be
    known about the others (the words of `money.quote`); `quote` is the one of the first way of processing.
    """

    usd: Decimal | None
    by_class: Mapping[str, Decimal]
    missing: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    quote: Quote | None = None


def traffic_cost(traffic: Traffic, quote_of: QuoteOf) -> Priced:
    """Return what the traffic costs by the prices of one model, see `Reckoner`."""
    return Reckoner(traffic).cost(quote_of)


class Reckoner:
    """Prices one traffic by many models: sum of tokens x price / per by class, each way of processing by its own quote.

    The context tier is that of the mean prompt, because single requests are not known; a fee per request is added
    where requests are known. A sum of traffic costs what its parts do. USD.
    """

    def __init__(self, traffic: Traffic) -> None:
        self._parts = [Reckoner(each) for each in traffic.parts]
        ways = list(dict.fromkeys((*traffic.tokens, *traffic.calls))) or [STANDARD]
        self._prompt = traffic.prompt_tokens_per_request or 0
        self._requests = traffic.requests or 0
        self._used = [
            (way, [(name, count) for part in (traffic.tokens, traffic.calls) for name, count in _used(part, way)])
            for way in ways
        ]

    def cost(self, quote_of: QuoteOf) -> Priced:
        """Return what the traffic costs by these prices."""
        if self._parts:
            return _together([each.cost(quote_of) for each in self._parts if any(used for _, used in each._used)])
        by_class: dict[str, Decimal] = {}
        missing: dict[str, None] = {}
        flags: dict[str, None] = {}
        first: Quote | None = None
        for way, used in self._used:
            quote = quote_of(way)
            if quote is None:
                return Priced(None, {}, tuple(name for name, _ in used))
            for flag in quote.flags:
                flags[flag] = None
            # Requests are not told by way: those of all are with the first.
            fee = [(REQUESTS, self._requests)] if first is None and self._requests and REQUESTS in quote.prices else []
            first = first or quote
            for name, count in (*used, *fee):
                price = quote.prices.get(name)
                if price is None:
                    missing[name] = None
                    continue
                usd = self._usd(price, count)
                by_class[name] = by_class[name] + usd if name in by_class else usd
                if price.stands_for or price.tiers or price.flags:
                    flags.update(dict.fromkeys(self._said(name, price)))
        for name in missing:
            flags[f"{UNPRICED}:{name}"] = None
        total = None if missing or not by_class else sum(by_class.values(), _ZERO)
        return Priced(total, by_class, tuple(missing), tuple(flags), first)

    def _usd(self, price: UnitPrice, count: int) -> Decimal:
        if price.minimum:
            count = max(count, price.minimum * self._requests)
        return (price.at(self._prompt) if price.tiers else price.usd) * count / price.per

    def _said(self, name: str, price: UnitPrice) -> list[str]:
        said = list(price.flags)
        if price.stands_for:
            said.append(f"{PRICE_OF}:{price.stands_for}:{name}")
        above = [tier for tier, _ in price.tiers if self._prompt > tier]
        if above:
            said.append(f"{CONTEXT_TIER}:{above[-1]}")
        return said


def _together(parts: Sequence[Priced]) -> Priced:
    by_class: dict[str, Decimal] = {}
    for each in parts:
        for name, usd in each.by_class.items():
            by_class[name] = by_class.get(name, _ZERO) + usd
    missing = tuple(dict.fromkeys(name for each in parts for name in each.missing))
    flags = tuple(dict.fromkeys(flag for each in parts for flag in each.flags))
    known = [each.usd for each in parts if each.usd is not None]
    total = sum(known, _ZERO) if known and len(known) == len(parts) else None
    return Priced(total, by_class, missing, flags, next((each.quote for each in parts if each.quote), None))


def _used(by_way: Mapping[Way, Mapping[str, int]], way: Way) -> list[tuple[str, int]]:
    return [(name, count) for name, count in by_way.get(way, {}).items() if count]


def blended_usd_per_million(usd: Decimal | None, tokens: int | Decimal) -> Decimal | None:
    """Return USD per million tokens of all classes together: usd / tokens x 1e6; None without tokens or a cost."""
    return None if usd is None or not tokens else usd * MILLION / tokens


def usd_of_tokens(tokens: int | Decimal, usd_per_million: Decimal) -> Decimal:
    """Return tokens x USD per million / 1e6, in USD."""
    return tokens * usd_per_million / MILLION


def tokens_for(usd: Decimal, usd_per_million: Decimal) -> Decimal:
    """Return how many tokens cost `usd`, as for an alert's threshold: usd / (USD per million) x 1e6."""
    return usd * MILLION / usd_per_million


def ratio(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Return one / other, None where either is not known or the other is 0."""
    return None if one is None or not other else one / other
