"""Every model that traffic could be taken to at a price: those of the book, and those that pricing.toml adds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from infertop.money.quote import STANDARD, Quote
from infertop.money.rates import PriceBook
from infertop.money.whatif.priced import Priced, QuoteOf, Reckoner
from infertop.money.whatif.traffic import Traffic
from infertop.readings.model import LOCAL

_GLOB = frozenset("*?[")


class Name(NamedTuple):
    """A model of a provider."""

    provider: str
    model: str

    def __str__(self) -> str:
        return f"{self.provider}/{self.model}" if self.provider else self.model


@dataclass(frozen=True, slots=True)
class Offer:
    """A model of a provider, and what it costs when it is asked for at once."""

    name: Name
    quote: Quote


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offer and what the traffic costs there; `also` are providers with the same model at the same cost."""

    offer: Offer
    priced: Priced
    also: tuple[str, ...] = ()


class Named(NamedTuple):
    """Every model that is listed or that pricing.toml names, but for `free` ones; `declared` are the latter."""

    names: tuple[Name, ...]
    free: int
    declared: tuple[Name, ...]


@lru_cache(maxsize=2)
def named(prices: PriceBook) -> Named:
    """Return the names of all models but free ones, in the book's order, pricing.toml's own behind them.

    What pricing.toml prices as one's own is no offer. What it prices without a provider is whoever's list has it.
    """
    listed = {Name(each.provider, each.model): each.free for each in prices.listing.models()}
    by_model: dict[str, list[Name]] = {}
    for name in listed:
        by_model.setdefault(name.model, []).append(name)
    free = {name for name, is_free in listed.items() if is_free}
    entries = [
        (Name(entry.provider, entry.pattern), [] if entry.provider else by_model.get(entry.pattern, []))
        for entry in prices.settings.models
        if entry.provider != LOCAL and not _GLOB & {*entry.pattern, *entry.provider}
    ]
    declared = dict.fromkeys(name for entry, meant in entries for name in meant or (entry,) if name not in free)
    names = (name for name in listed if name not in free)
    return Named(tuple(dict.fromkeys((*names, *declared))), len(free), tuple(declared))


def offer(name: Name, prices: PriceBook, ts: float) -> Offer | None:
    """Return what a model costs at `ts` (epoch seconds), None where it has no price or costs nothing."""
    quote = prices.quote(*name, ts)
    if quote is None or not any(each.usd for each in quote.prices.values()):
        return None
    return Offer(name, quote)


def candidates(traffic: Traffic, among: Iterable[Offer], prices: PriceBook, ts: float) -> list[Candidate]:
    """Return what the traffic costs by each offer, cheapest first; those that lack a price for part of it are last."""
    reckoner = Reckoner(traffic)
    priced = [Candidate(each, reckoner.cost(quote_of(each, prices, ts))) for each in among]
    return sorted(priced, key=lambda each: (each.priced.usd is None, each.priced.usd or 0, each.offer.name))


def quote_of(of: Offer, prices: PriceBook, ts: float) -> QuoteOf:
    """Return the prices of an offer by way of processing."""
    return lambda way: of.quote if way is STANDARD or way == STANDARD else prices.quote(*of.name, ts, way)


def merged(found: Sequence[Candidate], makers: Sequence[str]) -> list[Candidate]:
    """Return one candidate for each model and cost: the same model at the same cost elsewhere is named beside it.

    The provider that stands for the others is the first of `makers`, else the first by name.
    """
    groups: dict[tuple[str, Decimal | None], list[Candidate]] = {}
    for each in found:
        groups.setdefault((basename(each.offer.name.model), each.priced.usd), []).append(each)
    rank = {maker: place for place, maker in enumerate(makers)}
    one_each = []
    for group in groups.values():
        group.sort(key=lambda each: (rank.get(each.offer.name.provider, len(rank)), each.offer.name))
        also = tuple(dict.fromkeys(each.offer.name.provider for each in group[1:]))
        one_each.append(Candidate(group[0].offer, group[0].priced, also))
    return one_each


@lru_cache(maxsize=8192)
def basename(model: str) -> str:
    """Return a model's name without its maker's, however it is punctuated ("meta/Llama-3.1": "llama-3-1")."""
    name = model.rsplit("/", 1)[-1].lower()
    return name.replace(".", "-").replace("_", "-").replace(" ", "-")
