"""How the figures of the what-if page were come by: formulas first, then the inputs with their sources and ages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from infertop.money.quote import Way
from infertop.money.whatif.growth import RunRate
from infertop.money.whatif.own import usd_per_million
from infertop.money.whatif.priced import tokens_for
from infertop.money.whatif.savings import price
from infertop.money.whatif.traffic import DAY, HOUR, Used
from infertop.readings.model import LOCAL
from infertop.views.whatif_market import Choice, Market
from infertop.views.whatif_own import Own, rate_sentence
from infertop.views.whatif_words import count, usd


def explained(each: Used, market: Market, choice: Choice, own: Own | None) -> tuple[str, ...]:
    """Return sentences about one subject, formulas first."""
    return tuple(_sentences(each, market, choice, own))


def _sentences(each: Used, market: Market, choice: Choice, own: Own | None) -> Iterator[str]:
    traffic = each.traffic
    yield "elsewhere: $/h = sum over classes of tokens x price / 1e6, x 3600 / seconds recorded"
    if own is not None:
        yield "break-even: tokens a day = 24 R / p x 1e6, at R x 1e6 / (3600 x tps x p) of what the GPUs can serve"
        yield "growth: the API in proportion; own GPUs = ceil(tokens/s / tps), whole ones, times R"
    if traffic.seconds:
        yield f"measured over {_span(float(traffic.seconds))} that were recorded; unrecorded time is in no rate"
    else:
        yield "nothing of this time was recorded"
    hourly = traffic.per_hour(each.usd)
    if hourly is not None:
        rate = RunRate(hourly)
        yield f"at {usd(hourly)} an hour a day is {usd(rate.usd_per_day)}, a month (730 h) {usd(rate.usd_per_month)}"
    if each.provider not in (LOCAL, ""):
        yield "providers tell of the last minutes later: they may be missing"
    mean = traffic.prompt_tokens_per_request
    if traffic.parts:
        yield "context tiers by the mean prompt of each model (single requests are not known)"
    elif mean is not None:
        yield f"context tiers by the mean prompt: {mean:,} tokens a request (single requests are not known)"
    elif traffic.requests == 0 and traffic.all_tokens:
        yield "no request was finished: prices are those of the lowest context tier, without fees per request"
    elif traffic.all_tokens:
        yield "requests are not known: prices are those of the lowest context tier, without fees per request"
    if own is not None:
        yield from _own(each, own)
    yield _list(market)
    yield "tokens as this model counts them: another's tokenizer may make 10 to 20 % more or fewer of the same text"
    yield from _alert(each, market)
    yield from _left_out(each, market, choice)


def _own(each: Used, own: Own) -> Iterator[str]:
    yield rate_sentence(own)
    tps = own.capacity.tokens_per_second
    if not tps:
        yield "tps: what one GPU serves is not known"
        return
    yield f"tps = {count(tps)} tokens/s of one GPU at full use: {own.capacity.method}"
    if own.usd is not None:
        yield f"at full use a million tokens cost R / 3600 / tps x 1e6 = {usd(usd_per_million(own.usd, tps))}"


def _alert(each: Used, market: Market) -> Iterator[str]:
    """Yield what the threshold of [alert] means in this model's tokens."""
    limit = market.prices.settings.alert.request_usd
    quote = market.quote(each, Way()) if each.provider not in (LOCAL, "") else None
    fresh = price(quote, "input") if quote else None
    if limit is not None and fresh:
        yield f"a request of {usd(limit)} (alert.request_usd) is {count(tokens_for(limit, fresh))} input tokens here"


def _left_out(each: Used, market: Market, choice: Choice) -> Iterator[str]:
    if each.gap_tokens:
        yield f"{count(each.gap_tokens)} tokens of time in which nobody polled are left out"
    host = market.prices.host_price(market.now)
    if host is not None and each.gpus.hours:
        yield f"the host's {usd(host.usd)} an hour is in none of it ({host.source})"
    if choice.lacking:
        yield f"{choice.lacking:,} models lack a price for a class of tokens that is used here"
    yield f"{market.free:,} models that are free of charge are left out"


def _list(market: Market) -> str:
    """Return whose list prices are used, and how old they are."""
    listing = market.prices.listing
    try:
        day = datetime.fromisoformat(listing.date).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return f"list prices: {listing.name}; pricing.toml's are over them"
    days = max(int((market.now - day) // DAY), 0)
    return f"list prices: {listing.name}, {days} days old; pricing.toml's are over them"


def _span(seconds: float) -> str:
    if seconds < 2 * HOUR:
        return f"{seconds / 60:.3g} min"
    return f"{seconds / HOUR:.3g} h"
