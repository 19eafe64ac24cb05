"""One subject of the what-if page: what was measured of it, where else it could go, and when that pays."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from infertop.money.quote import Way
from infertop.money.whatif.capacity import UNKNOWN
from infertop.money.whatif.offers import Candidate, quote_of
from infertop.money.whatif.priced import blended_usd_per_million, traffic_cost
from infertop.money.whatif.traffic import HOUR, Used
from infertop.readings.model import LOCAL
from infertop.views.whatif_explained import explained
from infertop.views.whatif_market import Choice, Market
from infertop.views.whatif_own import Own, break_evens, gpu_source, own_gpus, own_row, scales
from infertop.views.whatif_rows import Costed, number
from infertop.views.whatif_savings import savings
from infertop.views.whatif_shapes import Alternative, Scale, WhatIf
from infertop.views.whatif_together import ALL

_MOST_BREAK_EVENS = 8
_NAMESAKE = "namesake"


def subject(each: Used, market: Market, coverage: float | None) -> WhatIf:
    """Return what one model's traffic of one source would cost elsewhere and at other sizes; `each` may be all."""
    traffic, own = each.traffic, own_gpus(each, market) if each.model != ALL else None
    choice = market.choice(traffic, market.own_names(each), each.model) if traffic.all_tokens else Choice()
    shadow = _shadow(each, market)
    capacity = own.capacity if own else UNKNOWN
    gpus = each.gpus
    held = traffic.seconds and gpus.hours and (own is None or own.held)
    return WhatIf(
        source=each.source,
        provider=each.provider,
        model=each.model,
        seconds=float(traffic.seconds),
        coverage=coverage,
        requests=None if traffic.requests is None else float(traffic.requests),
        tokens={name: float(count) for name, count in traffic.by_class.items()},
        usd=number(each.usd),
        usd_per_hour=number(traffic.per_hour(each.usd)),
        basis=each.basis,
        gpus=number(gpus.hours * HOUR / traffic.seconds) if held else None,
        gpu_name=own.name if own else gpus.name,
        gpu_usd_per_hour=number(own.usd if own else gpus.usd_per_gpu_hour),
        capacity_tokens_per_second=number(capacity.tokens_per_second),
        capacity_method=capacity.method,
        alternatives=_alternatives(each, market, choice, shadow, own),
        break_even=break_evens(own, traffic, _against(each, market, choice, shadow)),
        scale=_growth(each, market, choice, shadow, own) if each.model != ALL else (),
        savings=savings(each, market) if each.model != ALL else (),
        explained=explained(each, market, choice, own),
        more=choice.more,
    )


def _shadow(each: Used, market: Market) -> Candidate | None:
    offer = market.shadow(each.model) if each.provider == LOCAL else None
    return Candidate(offer, traffic_cost(each.traffic, quote_of(offer, market.prices, market.now))) if offer else None


def _alternatives(
    each: Used, market: Market, choice: Choice, shadow: Candidate | None, own: Own | None
) -> tuple[Alternative, ...]:
    """Return the rows, what it costs now first among equals; what has no cost comes last."""
    traffic = each.traffic
    costed = Costed(traffic, each.usd)
    rows = [_current(each, market, costed)]
    if traffic.all_tokens:
        if own is not None and not own.held:
            rows.append(own_row(own, traffic, each.usd))
        found = (*((shadow,) if shadow else ()), *choice.shown)
        rows += [costed.offered(one, market.now) for one in found]
    return tuple(sorted(rows, key=lambda one: (one.usd_per_hour is None, one.usd_per_hour or 0.0, not one.current)))


def _current(each: Used, market: Market, costed: Costed) -> Alternative:
    """Return what it costs now: what the ledger booked."""
    source, since = "the ledger", ""
    if each.model != ALL and each.gpus.price_source:
        source, since = gpu_source(each.gpus.price_source), each.gpus.price_since
    elif each.model != ALL and (quote := market.quote(each, Way())):
        source, since = quote.source, quote.since
    return costed.row(
        each.provider,
        each.model,
        each.usd,
        price_source=source,
        since=since,
        notes=_current_notes(each),
        current=True,
    )


def _current_notes(each: Used) -> tuple[str, ...]:
    notes = []
    if each.usd is None:
        notes.append("nothing of it has a price")
    if each.gpus.default:
        notes.append("a default GPU rate: set yours in pricing.toml")
    if each.reserved:
        notes.append("paid for by the hours of reserved throughput, which stand apart")
    if not each.counts:
        notes.append("also told by another source: part of no total")
    return tuple(notes)


def _against(
    each: Used, market: Market, choice: Choice, shadow: Candidate | None
) -> Iterable[tuple[str, Decimal | None]]:
    """Return what own GPUs are compared with, and its USD per million at this mix: what is paid now, or the API's."""
    tokens = each.traffic.all_tokens
    if each.provider != LOCAL:
        return [(f"{each.provider}/{each.model}", blended_usd_per_million(each.usd, tokens))]
    found = [*([shadow] if shadow else []), *_few(each, market, choice.compared)]
    return [(str(one.offer.name), blended_usd_per_million(one.priced.usd, tokens)) for one in found]


def _few(each: Used, market: Market, shown: Sequence[Candidate]) -> list[Candidate]:
    """Return the cheapest of the namesakes and of each provider's; all that is shown where that is not too much.

    Of a provider its newest count, and what pricing.toml prices.
    """
    if len(shown) <= _MOST_BREAK_EVENS:
        return list(shown)
    twins, known = set(market.twins(each.model)), {*market.newest, *market.declared}
    chosen: dict[str, Candidate] = {}
    for one in shown:
        name = one.offer.name
        if name in twins:
            chosen.setdefault(_NAMESAKE, one)
        elif name in known:
            chosen.setdefault(name.provider, one)
    return (list(chosen.values()) or list(shown))[:_MOST_BREAK_EVENS]


def _growth(each: Used, market: Market, choice: Choice, shadow: Candidate | None, own: Own | None) -> tuple[Scale, ...]:
    name, usd = _api(each, market, choice, shadow)
    is_shadow = shadow is not None and name == str(shadow.offer.name)
    return scales(own, each.traffic, (name, usd), market.asked.scale, shadow=is_shadow)


def _api(each: Used, market: Market, choice: Choice, shadow: Candidate | None) -> tuple[str, Decimal | None]:
    """Return the API that grows with the traffic: the one in use or asked for, the shadow price, else the cheapest."""
    if each.provider != LOCAL:
        return f"{each.provider}/{each.model}", each.usd
    cheapest = next((one for one in choice.compared if one.priced.usd is not None), None)
    one = cheapest if market.asked.to else shadow or cheapest
    return (str(one.offer.name), one.priced.usd) if one else ("", None)
