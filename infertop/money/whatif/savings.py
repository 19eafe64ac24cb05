"""What caches and batches saved of measured traffic, and what they could save at most. USD of the whole traffic."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from infertop.money.quote import STANDARD_RATE, Quote, Way
from infertop.money.weights import TOKEN_WEIGHTS, weighted_tokens
from infertop.money.whatif.priced import QuoteOf, usd_of_tokens
from infertop.money.whatif.traffic import Counts, Traffic

_CACHE_WRITES = ("cache_write_5m", "cache_write_1h")
_NOT_BATCHED = f"{STANDARD_RATE}:batch"
_ZERO = Decimal(0)


def price(quote: Quote, name: str, prompt_tokens: int = 0) -> Decimal | None:
    """Return USD per million tokens of a class by its own price, None where it has none or stands for another's."""
    unit = quote.prices.get(name)
    return None if unit is None or unit.stands_for else unit.at(prompt_tokens) * 1_000_000 / unit.per


def cache_saved(traffic: Traffic, quote_of: QuoteOf) -> Decimal | None:
    """Return what reading from the cache saved, less what writing to it cost more.

    cache_read x (p_input - p_cache_read) - sum of cache_write x (p_cache_write - p_input), in USD; None where a price
    of the cache is not known. It is below 0 where more was written than reading made up for.
    """
    saved, prompt = _ZERO, traffic.prompt_tokens_per_request or 0
    for way, counts in traffic.tokens.items():
        quote = quote_of(way)
        fresh = price(quote, "input", prompt) if quote else None
        for name in ("cache_read", *_CACHE_WRITES):
            if not counts.get(name):
                continue
            own = price(quote, name, prompt) if quote else None
            if fresh is None or own is None:
                return None
            saved += usd_of_tokens(counts[name], fresh - own)
    return saved


def cache_possible(traffic: Traffic, quote_of: QuoteOf) -> Decimal | None:
    """Return what would be saved at most, if every fresh input token were read from the cache instead.

    input x (p_input - p_cache_read), in USD; None where the cache has no price of its own.
    """
    saved, prompt = _ZERO, traffic.prompt_tokens_per_request or 0
    for way, counts in traffic.tokens.items():
        quote = quote_of(way)
        fresh, read = (price(quote, name, prompt) if quote else None for name in ("input", "cache_read"))
        if fresh is None or read is None:
            return None
        saved += usd_of_tokens(counts.get("input", 0), fresh - read)
    return saved


def batch_saved(traffic: Traffic, quote_of: QuoteOf) -> Decimal | None:
    """Return what batches saved: sum of their tokens x (p_standard - p_batch), in USD; None without such prices."""
    batched = {way: counts for way, counts in traffic.tokens.items() if way.batch}
    return _difference(traffic, batched, quote_of)


def batch_possible(traffic: Traffic, quote_of: QuoteOf) -> Decimal | None:
    """Return what would be saved at most if all that was asked for at once had been sent in batches, in USD."""
    at_once = {way: counts for way, counts in traffic.tokens.items() if way == Way()}
    return _difference(traffic, at_once, quote_of)


def _difference(traffic: Traffic, counted: Mapping[Way, Counts], quote_of: QuoteOf) -> Decimal | None:
    """Return what these tokens cost at once less what they cost in batches; None without a price for batches."""
    standard, batch = quote_of(Way()), quote_of(Way(batch=True))
    if standard is None or batch is None or _NOT_BATCHED in batch.flags:
        return None
    saved, prompt = _ZERO, traffic.prompt_tokens_per_request or 0
    for counts in counted.values():
        for name, count in counts.items():
            one, other = standard.prices.get(name), batch.prices.get(name)
            if count and (one is None or other is None):
                return None
            if one is not None and other is not None:
                saved += count * (one.at(prompt) / one.per - other.at(prompt) / other.per)
    return saved


def cache_work_saved(tokens: Counts, weights: Mapping[str, float] = TOKEN_WEIGHTS) -> float | None:
    """Return the work that cached tokens saved an engine, over the work that it did: an estimate by token weights.

    cache_read x (w_input - w_cache_read) / sum(w x tokens); None where it did no work.
    """
    return _of_work(tokens, tokens.get("cache_read", 0), weights)


def cache_work_possible(tokens: Counts, weights: Mapping[str, float] = TOKEN_WEIGHTS) -> float | None:
    """Return the work that would be saved at most if all of the input were read from the cache, over the work done."""
    return _of_work(tokens, tokens.get("input", 0), weights)


def _of_work(tokens: Counts, read: int, weights: Mapping[str, float]) -> float | None:
    done = weighted_tokens(tokens, weights)
    return read * (weights["input"] - weights["cache_read"]) / done if done > 0 else None
