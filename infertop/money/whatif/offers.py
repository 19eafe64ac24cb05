"""Every model that traffic could be taken to at a price: those of the book, and those that pricing.toml adds."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from infertop.money.quote import Quote, Way
from infertop.money.rates import PriceBook
from infertop.money.whatif.priced import Priced, QuoteOf, traffic_cost
from infertop.money.whatif.traffic import Traffic

LOCAL = "local"
_GLOB = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Offer:
    """A model of a provider, and what it costs when it is asked for at once."""

    provider: str
    model: str
    quote: Quote

    @property
    def name(self) -> str:
        """Provider and model, as globs are matched with."""
        return f"{self.provider}/{self.model}"


@dataclass(frozen=True, slots=True)
class Offers:
    """All offers at one time; `free` cost nothing, `without_price` have none for what is asked: both are left out."""

    all: tuple[Offer, ...]
    free: int
    without_price: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """An offer and what the traffic costs there; `also` are providers with the same model at the same cost."""

    offer: Offer
    priced: Priced
    also: tuple[str, ...] = ()


def offers(prices: PriceBook, ts: float) -> Offers:
    """Return every model with a price at `ts` (epoch seconds), in the book's order, pricing.toml's own behind it."""
    return _offers(prices, ts // 60 * 60)


@lru_cache(maxsize=2)
def _offers(prices: PriceBook, ts: float) -> Offers:
    found: list[Offer] = []
    free = without = 0
    listed = {(each.provider, each.model): each.free for each in prices.listing.models()}
    for (provider, model), is_free in {**listed, **dict.fromkeys(_own(prices), False)}.items():
        quote = prices.quote(provider, model, ts)
        if quote is None or not quote.prices:
            free, without = free + is_free, without + (not is_free)
        elif not any(each.usd for each in quote.prices.values()):
            free += 1
        else:
            found.append(Offer(provider, model, quote))
    return Offers(tuple(found), free, without)


def _own(prices: PriceBook) -> Iterable[tuple[str, str]]:
    """Return the models that pricing.toml names in full; a price for what one serves oneself is no offer."""
    for entry in prices.settings.models:
        if entry.provider != LOCAL and not _GLOB & {*entry.pattern, *entry.provider}:
            yield entry.provider, entry.pattern


def candidates(traffic: Traffic, among: Iterable[Offer], prices: PriceBook, ts: float) -> list[Candidate]:
    """Return what the traffic costs by each offer, cheapest first; those that lack a price for part of it are last."""
    priced = [Candidate(each, traffic_cost(traffic, quote_of(each, prices, ts))) for each in among]
    return sorted(priced, key=lambda each: (each.priced.usd is None, each.priced.usd or 0, each.offer.name))


def quote_of(offer: Offer, prices: PriceBook, ts: float) -> QuoteOf:
    """Return the prices of an offer by way of processing."""
    return lambda way: offer.quote if way == Way() else prices.quote(offer.provider, offer.model, ts, way)


def merged(found: Sequence[Candidate], makers: Sequence[str]) -> list[Candidate]:
    """Return one candidate for each model and cost: the same model at the same cost elsewhere is named beside it.

    The provider that stands for the others is the first of `makers`, else the first by name.
    """
    groups: dict[tuple[str, Decimal | None], list[Candidate]] = {}
    for each in found:
        groups.setdefault((basename(each.offer.model), each.priced.usd), []).append(each)
    rank = {maker: place for place, maker in enumerate(makers)}
    one_each = []
    for group in groups.values():
        group.sort(key=lambda each: (rank.get(each.offer.provider, len(rank)), each.offer.name))
        also = tuple(dict.fromkeys(each.offer.provider for each in group[1:]))
        one_each.append(Candidate(group[0].offer, group[0].priced, also))
    return one_each


def basename(model: str) -> str:
    """Return a model's name without its maker's, however it is punctuated ("meta/Llama-3.1": "llama-3-1")."""
    name = model.rsplit("/", 1)[-1].lower()
    return name.replace(".", "-").replace("_", "-").replace(" ", "-")
