"""What is known of a model's price: at one moment, in every way of processing, before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from math import inf, isfinite, nextafter

from infertop.money.book.listing import Listed
from infertop.money.quote import STANDARD_RATE, Quote, UnitPrice, Way
from infertop.money.rates import PriceBook
from infertop.readings.model import LOCAL

DAY = 86400
WAYS = (Way(batch=True), Way(False, "flex"), Way(False, "priority"), Way(False, "fast"))
_CHANGES = 12
_HOURS = 6


@dataclass(frozen=True, slots=True)
class Change:
    """From `start` on the model costs what `quote` says."""

    start: float
    quote: Quote


@dataclass(frozen=True, slots=True)
class Page:
    """A model's price: `asked` of `provider` in a `way`, the quote in force, and `variants`, other ways' own prices.

    `listed` are the prices of the list where pricing.toml changes some. `changes` are the others by date, `hours` those
    of the coming week where they go by the hour of the day. `why` is the reason of a correction.
    """

    provider: str
    asked: str
    way: Way
    quote: Quote
    entry: Listed | None
    variants: dict[str, Quote]
    listed: Quote | None
    changes: tuple[Change, ...]
    hours: tuple[Change, ...]
    why: str


def pages(book: PriceBook, model: str, provider: str | None, way: Way, ts: float) -> list[Page]:
    """Return the prices of `model`: `provider`'s, or its maker's and those that pricing.toml has for others."""
    names = [provider] if provider else ["", *_own_providers(book, model)]
    found: list[Page] = []
    for name in names:
        quote = book.quote(name, model, ts, way)
        if quote is not None and not any(_same(quote, each.quote) for each in found):
            found.append(_page(book, name, model, quote, way, ts))
    return found


def _own_providers(book: PriceBook, model: str) -> Iterator[str]:
    """Iterate over the providers that pricing.toml's entries for the model name, "local" among them."""
    for each in book.settings.models:
        pattern = each.pattern.lower()
        named = pattern == model.lower() or fnmatchcase(model.lower(), pattern)
        if named and each.provider and not any(ch in each.provider for ch in "*?["):
            yield each.provider


def _same(one: Quote, other: Quote) -> bool:
    return (one.provider, one.prices) == (other.provider, other.prices)


def _page(book: PriceBook, provider: str, model: str, quote: Quote, way: Way, ts: float) -> Page:
    asked = provider or quote.provider
    variants: dict[str, Quote] = {}
    for each in WAYS if way == Way() else ():
        found = book.quote(provider, model, ts, each)
        if found is not None and not any(flag.startswith(STANDARD_RATE) for flag in found.flags):
            variants[str(each)] = found
    listed = None if asked == LOCAL else book.listing.quote(provider, model, ts, way)
    hourly = quote.end - quote.start < 7 * DAY
    return Page(
        provider=asked,
        asked=model,
        way=way,
        quote=quote,
        entry=_entry(book, quote),
        variants=variants,
        listed=listed if listed is not None and dict(listed.prices) != dict(quote.prices) else None,
        changes=() if hourly else tuple(_changes(book, provider, model, way, quote)),
        hours=tuple(_hours(book, provider, model, way, quote)) if hourly else (),
        why=book.listing.reason(provider, model) if asked != LOCAL else "",
    )


def _entry(book: PriceBook, quote: Quote) -> Listed | None:
    return next(
        (each for each in book.listing.models() if (each.provider, each.model) == (quote.provider, quote.matched)), None
    )


def _changes(book: PriceBook, provider: str, model: str, way: Way, now: Quote) -> Iterable[Change]:
    """Return the prices before and after those in force, in the order of time."""
    before: list[Change] = []
    quote: Quote | None = now
    while quote is not None and isfinite(quote.start) and len(before) < _CHANGES:
        quote = book.quote(provider, model, nextafter(quote.start, -inf), way)
        if quote is not None:
            before.append(Change(quote.start, quote))
    after: list[Change] = []
    quote = now
    while quote is not None and isfinite(quote.end) and len(after) < _CHANGES:
        start = quote.end
        quote = book.quote(provider, model, start, way)
        if quote is not None:
            after.append(Change(start, quote))
    return [*reversed(before), *after]


def _hours(book: PriceBook, provider: str, model: str, way: Way, now: Quote) -> Iterator[Change]:
    """Iterate over the next changes of a price that goes by the hour."""
    quote: Quote | None = now
    for _ in range(_HOURS):
        if quote is None or not isfinite(quote.end):
            return
        start = quote.end
        quote = book.quote(provider, model, start, way)
        if quote is not None:
            yield Change(start, quote)


def own_price(unit: UnitPrice) -> bool:
    """Say whether a class has a price of its own."""
    return not unit.stands_for
