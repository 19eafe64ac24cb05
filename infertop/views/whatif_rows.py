"""The alternatives as rows: what an hour of the traffic costs there, and what is to be known about the price."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from infertop.money.quote import CONTEXT_TIER, FACTOR, LISTED_BY, PRICE_OF, STANDARD_RATE, UNPRICED, Quote
from infertop.money.whatif.offers import Candidate
from infertop.money.whatif.priced import REQUESTS, blended_usd_per_million, ratio
from infertop.money.whatif.traffic import DAY, Traffic
from infertop.readings.registry import CALL_UNITS
from infertop.views.once import timestamp
from infertop.views.whatif_shapes import Alternative

_MOST_ALSO = 3
_WRITES = ("cache_write_5m", "cache_write_1h")


class Costed:
    """Makes rows of one traffic; `now_usd` is what it cost as it was, in USD."""

    def __init__(self, traffic: Traffic, now_usd: Decimal | None) -> None:
        self._traffic = traffic
        self._tokens = traffic.all_tokens
        self._now_usd = now_usd
        counts = traffic.by_class
        self._reads_only = bool(counts.get("cache_read")) and not any(counts.get(name) for name in _WRITES)

    def row(
        self,
        provider: str,
        model: str,
        usd: Decimal | None,
        *,
        price_source: str,
        since: str,
        notes: tuple[str, ...] = (),
        current: bool = False,
    ) -> Alternative:
        """Return the row of a place where the whole traffic costs `usd`."""
        requests = self._traffic.requests
        return Alternative(
            provider=provider,
            model=model,
            usd_per_hour=number(self._traffic.per_hour(usd)),
            usd_per_request=number(usd / requests) if usd is not None and requests else None,
            usd_per_million_tokens=number(blended_usd_per_million(usd, self._tokens)),
            ratio=number(ratio(usd, self._now_usd)),
            price_source=price_source,
            since=since,
            notes=notes,
            current=current,
        )

    def offered(self, found: Candidate, now: float) -> Alternative:
        """Return the row of a candidate at `now`, in epoch seconds."""
        offer = found.offer
        return self.row(
            offer.name.provider,
            offer.name.model,
            found.priced.usd,
            price_source=offer.quote.source,
            since=offer.quote.since,
            notes=tuple(self._notes(found, now)),
        )

    def _notes(self, found: Candidate, now: float) -> Iterable[str]:
        quote = found.offer.quote
        for flag in found.priced.flags:
            said = _said(*flag.split(":", 1)) if ":" in flag else _WORDS.get(flag, "")
            if said:
                yield said
        if self._traffic.requests is None and REQUESTS in quote.prices:
            yield "a fee per request is left out: requests are not known"
        if self._reads_only and _writes_cost_more(quote):
            yield "writing to the cache costs extra there: not in it"
        if quote.end - now < DAY:
            yield f"the price changes at {timestamp(quote.end)}"
        if found.also:
            more = f" and {len(found.also) - _MOST_ALSO} more" if len(found.also) > _MOST_ALSO else ""
            yield f"the same at {', '.join(found.also[:_MOST_ALSO])}{more}"


def number(amount: Decimal | None) -> float | None:
    """Return an amount as a view shows it."""
    return None if amount is None else float(amount)


_WORDS = {"corrected": "a price of the list is corrected"}


def _said(word: str, what: str) -> str:
    if word == PRICE_OF:
        kind, _, name = what.partition(":")
        return f"no price for {name}: counted as {kind}"
    if word == CONTEXT_TIER:
        return f"by the mean prompt, the price above {int(what):,} prompt tokens"
    if word == STANDARD_RATE:
        return f"no {what} price: at the standard rate"
    if word == LISTED_BY:
        return f"by the list of {what}"
    if word == FACTOR:
        return f"list price x {what}"
    if word == UNPRICED:
        return f"no price for {CALL_UNITS[what].help if what in CALL_UNITS else what}"
    return ""


def _writes_cost_more(quote: Quote) -> bool:
    """Say whether writing to the cache, which reading from it needs, costs more there than input does."""
    fresh, write = quote.prices.get("input"), quote.prices.get(_WRITES[0])
    return fresh is not None and write is not None and not write.stands_for and write.usd > fresh.usd
