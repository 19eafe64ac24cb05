"""What measured traffic costs by a model's prices, and what a million of its tokens cost at its own mix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from infertop.money.quote import CONTEXT_TIER, PRICE_OF, UNPRICED, Quote, Way
from infertop.money.whatif.traffic import MILLION, Counts, Traffic

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
    """Return what the traffic costs: sum of tokens x price / 1e6 by class, each way of processing by its own quote.

    The context tier is that of the mean prompt, because single requests are not known; a fee per request is added
    where requests are known. USD.
    """
    prompt = traffic.prompt_tokens_per_request or 0
    by_class: dict[str, Decimal] = {}
    missing: dict[str, None] = {}
    flags: dict[str, None] = {}
    first: Quote | None = None
    ways = list(dict.fromkeys((*traffic.tokens, *traffic.calls))) or [Way()]
    for way in ways:
        quote = quote_of(way)
        if quote is None:
            return Priced(None, {}, tuple(traffic.by_class))
        first = first or quote
        flags.update(dict.fromkeys(quote.flags))
        counted = {**traffic.tokens.get(way, {}), **traffic.calls.get(way, {}), **_fee(traffic, way is ways[0], quote)}
        _add(quote, counted, prompt, by_class, missing, flags)
    flags.update((f"{UNPRICED}:{name}", None) for name in missing)
    usd = None if missing or not by_class else sum(by_class.values(), _ZERO)
    return Priced(usd, by_class, tuple(missing), tuple(flags), first)


def _fee(traffic: Traffic, first: bool, quote: Quote) -> Counts:
    """Return the requests that pay a fee of their own; they are not told by way, so that the first one has them."""
    return {REQUESTS: traffic.requests} if first and traffic.requests and REQUESTS in quote.prices else {}


def _add(
    quote: Quote,
    counted: Counts,
    prompt: int,
    by_class: dict[str, Decimal],
    missing: dict[str, None],
    flags: dict[str, None],
) -> None:
    for name, count in counted.items():
        if not count:
            continue
        price = quote.prices.get(name)
        if price is None:
            missing[name] = None
            continue
        if price.stands_for:
            flags[f"{PRICE_OF}:{price.stands_for}:{name}"] = None
        if above := max((tier for tier, _ in price.tiers if prompt > tier), default=0):
            flags[f"{CONTEXT_TIER}:{above}"] = None
        by_class[name] = by_class.get(name, _ZERO) + price.at(prompt) * count / price.per


def blended_usd_per_million(usd: Decimal | None, tokens: int | Decimal) -> Decimal | None:
    """Return USD per million tokens of all classes together: usd / tokens x 1e6; None without tokens or a cost."""
    return None if usd is None or not tokens else usd * MILLION / tokens


def usd_of_tokens(tokens: int | Decimal, usd_per_million: Decimal) -> Decimal:
    """Return tokens x USD per million / 1e6, in USD."""
    return tokens * usd_per_million / MILLION


def tokens_for(usd: Decimal, usd_per_million: Decimal) -> Decimal:
    """Return how many tokens cost `usd`, as for an alert's threshold: usd / (USD per million) x 1e6."""
    return usd * MILLION / usd_per_million


def saved_by_stopping(output_tokens: int, stopped_after: int, usd_per_million: Decimal) -> Decimal:
    """Return what is saved where an answer is stopped: (output - stopped after) x price / 1e6, USD.

    An answer that ended before has cost all that it would.
    """
    return usd_of_tokens(max(output_tokens - stopped_after, 0), usd_per_million)


def ratio(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    """Return one / other, None where either is not known or the other is 0."""
    return None if one is None or not other else one / other


def reduction(old: Decimal, new: Decimal) -> Decimal:
    """Return by which share a price fell: (old - new) / old; below 0 where it rose."""
    return (old - new) / old
