"""What caches and batches saved, and what they could still save at most, as rows with their formula."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import partial

from infertop.money.quote import Way
from infertop.money.whatif.offers import quote_of
from infertop.money.whatif.savings import (
    batch_possible,
    batch_saved,
    cache_possible,
    cache_saved,
    cache_work_possible,
    cache_work_saved,
)
from infertop.money.whatif.traffic import HOUR, Used
from infertop.readings.model import LOCAL
from infertop.views.whatif_market import SHADOW, Market
from infertop.views.whatif_rows import number
from infertop.views.whatif_shapes import Saving
from infertop.views.whatif_words import count, percent

CACHE, BATCH = "cache", "batch"
HAD, LEFT = "had", "to be had"


def savings(each: Used, market: Market) -> tuple[Saving, ...]:
    """Return what was saved of one subject's traffic, and what could be; what cannot be told is left out."""
    return tuple(_own(each, market) if each.provider == LOCAL else _asked_for(each, market))


def _asked_for(each: Used, market: Market) -> Iterator[Saving]:
    """Yield the savings of what a provider is paid for by the token."""
    traffic = each.traffic
    of = partial(market.quote, each)
    quote = of(Way())
    if quote is None:
        return
    by = f"by {quote.source}"
    counts = traffic.by_class
    read = counts.get("cache_read", 0)
    had = cache_saved(traffic, of)
    if had is not None and (read or had):
        yield _saving(CACHE, True, each, had, f"{count(read)} tokens read, less what writing cost more, {by}")
    possible = cache_possible(traffic, of)
    if possible:
        yield _saving(CACHE, False, each, possible, f"at most, if all {count(counts.get('input', 0))} were read, {by}")
    batched = sum(sum(tokens.values()) for way, tokens in traffic.tokens.items() if way.batch)
    saved = batch_saved(traffic, of)
    if batched and saved is not None:
        yield _saving(BATCH, True, each, saved, f"{count(batched)} tokens went in batches, {by}")
    still = batch_possible(traffic, of)
    if still:
        yield _saving(BATCH, False, each, still, f"at most, if nothing had to be answered at once, {by}")


def _own(each: Used, market: Market) -> Iterator[Saving]:
    """Yield the savings of an engine of one's own: GPU time by token weights, and money by the shadow price."""
    traffic, counts = each.traffic, each.traffic.by_class
    if "cache_read" in counts:
        read = f"{count(counts['cache_read'])} tokens were read" if counts["cache_read"] else "nothing was read"
        yield _work(each, True, cache_work_saved(counts), read)
        yield _work(each, False, cache_work_possible(counts), "at most, if all input were read")
    shadow = market.shadow(each.model)
    if shadow is None:
        return
    of = quote_of(shadow, market.prices, market.now)
    had = cache_saved(traffic, of)
    if had:
        yield _saving(CACHE, True, each, had, f"by {shadow.quote.source}", by=SHADOW)


def _work(each: Used, had: bool, share: float | None, what: str) -> Saving:
    """Return the GPU time that the cache stands for: a share of the work that was done, estimated by token weights."""
    busy, seconds = each.gpus.busy_hours, each.traffic.seconds
    usd = each.gpus.busy_usd
    parts = [what, "estimated by token weights", "GPU time that is paid for either way"]
    if share:
        parts.insert(1, f"{percent(share)} of the work done")
        if busy is not None and seconds:
            parts.insert(2, f"{count(busy * Decimal(str(share)) * HOUR / seconds)} GPU hours an hour")
    worth = None if usd is None or share is None else usd * Decimal(str(share))
    return _saving(CACHE, had, each, worth, ", ".join(parts))


def _saving(kind: str, had: bool, each: Used, usd: Decimal | None, sentence: str, *, by: str = "") -> Saving:
    """Return a row; a subject has no two of one name. `by` is the price that it is reckoned by where there are more."""
    name = f"{kind}, {HAD if had else LEFT}{f' ({by})' if by else ''}"
    return Saving(name, had, number(each.traffic.per_hour(usd)), sentence)
