"""GPUs of one's own in the what-if page: those that are held, or those that traffic could be moved to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from infertop.money.gpu_rates import gpu_key
from infertop.money.whatif.capacity import UNKNOWN, Capacity, given
from infertop.money.whatif.own import break_even, gpus_needed, tokens_per_day
from infertop.money.whatif.traffic import HOUR, Traffic, Used
from infertop.readings.model import LOCAL
from infertop.views.whatif_market import Market
from infertop.views.whatif_rows import Costed, number
from infertop.views.whatif_shapes import Alternative, BreakEven, Scale
from infertop.views.whatif_words import count, gpus, percent, usd

OWN = "own GPUs"
_NEARLY = Decimal("0.05")
_UNKNOWN = "what one GPU serves is not known: infertop whatif --tokens-per-second N sets it"


@dataclass(frozen=True, slots=True)
class Own:
    """GPUs that serve the traffic, or could: `usd` is USD an hour of one, None without a price.

    `gpus` is how many are held on average, 1 where none is. `replica` is how many of them work together as one
    engine. `held` is False where they are only thought of.
    """

    name: str
    gpus: Decimal
    replica: int
    usd: Decimal | None
    price_source: str
    since: str
    capacity: Capacity
    held: bool
    notes: tuple[str, ...] = ()
    energy: bool = False


def own_gpus(each: Used, market: Market) -> Own | None:
    """Return the GPUs for a subject: those asked for, else those that it holds, else those that are here."""
    asked = market.asked
    if asked.gpu and not (each.gpus.hours and _same(asked.gpu, each.gpus.name)):
        known = market.capacity(each) if _twin_on(asked.gpu, each, market) else UNKNOWN
        return _thought_of(asked.gpu, _given(market) or known, market)
    if each.gpus.hours:
        return Own(
            name=each.gpus.name,
            gpus=each.gpus.hours * HOUR / each.traffic.seconds if each.traffic.seconds else Decimal(0),
            replica=max(len(each.gpus.uuids), 1),
            usd=each.gpus.usd_per_gpu_hour,
            price_source=each.gpus.price_source,
            since=each.gpus.price_since,
            capacity=market.capacity(each),
            held=True,
            energy=each.gpus.energy,
        )
    twin = market.twin(each)
    here = twin.gpus.name if twin else max((one.gpus for one in market.used), key=lambda one: one.hours).name
    return _thought_of(here, market.capacity(each), market) if here and each.provider != LOCAL else None


def _given(market: Market) -> Capacity | None:
    return given(Decimal(str(market.asked.tokens_per_second))) if market.asked.tokens_per_second else None


def _twin_on(gpu: str, each: Used, market: Market) -> bool:
    twin = market.twin(each)
    return twin is not None and _same(gpu, twin.gpus.name)


def _same(one: str, other: str) -> bool:
    return one == other or (gpu_key(one) is not None and gpu_key(one) == gpu_key(other))


def _thought_of(name: str, capacity: Capacity, market: Market) -> Own:
    rate = market.prices.gpu_rate(name, ts=market.now)
    price = rate.price
    notes = [*(rate.lines if price is None else ()), *(("energy is not in it",) if rate.owned else ())]
    return Own(
        name=name,
        gpus=Decimal(1),
        replica=1,
        usd=price.usd if price else None,
        price_source=price.source if price else "",
        since=price.since if price else "",
        capacity=capacity,
        held=False,
        notes=tuple(notes),
    )


def gpu_source(source: str) -> str:
    """Return where the rate of a GPU is from, as a row says it."""
    return source if source.startswith("default") or not source else f"gpu rate {source}"


def own_row(own: Own, traffic: Traffic, now_usd: Decimal | None) -> Alternative:
    """Return the traffic on GPUs of one's own: as many whole ones as its load needs, held for the whole time."""
    notes = list(own.notes)
    cost: Decimal | None = None
    load, tps = traffic.tokens_per_second, own.capacity.tokens_per_second
    if not tps:
        notes.append(_UNKNOWN)
    elif load is not None:
        needed = gpus_needed(load, tps, own.replica)
        notes.append(f"{needed} of them, each {count(tps)} tokens/s: {own.capacity.method}")
        cost = None if own.usd is None else own.usd * needed * traffic.seconds / HOUR
    return Costed(traffic, now_usd).row(
        LOCAL,
        f"{OWN}: {own.name}",
        cost,
        price_source=gpu_source(own.price_source),
        since=own.since,
        notes=tuple(notes),
    )


def break_evens(
    own: Own | None, traffic: Traffic, against: Iterable[tuple[str, Decimal | None]]
) -> tuple[BreakEven, ...]:
    """Return from where on the GPUs are cheaper than each of `against`: (name, USD per million tokens at this mix)."""
    if own is None or own.usd is None:
        return ()
    rows = (_break_even(own, traffic, name, price) for name, price in against if price is not None)
    return tuple(row for row in rows if row is not None)


def _break_even(own: Own, traffic: Traffic, against: str, price: Decimal) -> BreakEven | None:
    assert own.usd is not None
    point = break_even(own.usd, price, own.capacity.tokens_per_second, own.gpus)
    if point is None:
        return None
    if point.capacity is None or point.utilization is None:
        sentence = f"cheaper from {count(point.tokens_per_day)} tokens a day on; {_UNKNOWN}"
    elif not point.reachable:
        those, they = gpus(max(round(own.gpus), 1))
        sentence = (
            f"never on {those}: {they} would need {count(point.tokens_per_day)} tokens a day,"
            f" {they} can serve {count(point.capacity)} ({percent(point.utilization)})"
        )
    else:
        sentence = f"cheaper from {count(point.tokens_per_day)} tokens a day on, {percent(point.utilization)} full"
        load = traffic.tokens_per_second
        if load is not None:
            sentence += f"; now {count(tokens_per_day(load))} a day"
    return BreakEven(
        against=against,
        api_usd_per_million_tokens=float(price),
        tokens_per_day=float(point.tokens_per_day),
        capacity_tokens_per_day=number(point.capacity),
        utilization=number(point.utilization),
        reachable=point.reachable,
        sentence=sentence,
    )


def scales(
    own: Own | None,
    traffic: Traffic,
    api: tuple[str, Decimal | None],
    factors: Iterable[float],
    *,
    shadow: bool = False,
) -> tuple[Scale, ...]:
    """Return the traffic times each factor: the API in proportion, GPUs in steps.

    `api` is its name and USD of the whole traffic there; `shadow` says that this is a price of one's own.
    """
    return tuple(replace(_scale(own, traffic, api, factor), shadow=shadow) for factor in factors)


def _scale(own: Own | None, traffic: Traffic, api: tuple[str, Decimal | None], factor: float) -> Scale:
    name, usd_now = api
    times = Decimal(str(factor))
    load = traffic.tokens_per_second
    api_usd = traffic.per_hour(usd_now)
    needed, own_usd, note = None, None, ""
    if own is None:
        note = "no GPU to reckon with: infertop whatif --gpu NAME sets one"
    elif not own.capacity.tokens_per_second:
        note = _UNKNOWN
    elif load is not None:
        needed = gpus_needed(load * times, own.capacity.tokens_per_second, own.replica)
        own_usd = None if own.usd is None else own.usd * needed
        full = load * times / (own.capacity.tokens_per_second * needed)
        note = f"{percent(full)} full"
        if own.held and factor == 1 and abs(own.gpus - needed) > _NEARLY:
            note += f"; {own.gpus:.2f} held now"
    return Scale(
        factor=factor,
        tokens_per_second=number(load * times) if load is not None else None,
        api_model=name,
        api_usd_per_hour=number(api_usd * times) if api_usd is not None else None,
        own_gpus=needed,
        own_usd_per_hour=number(own_usd),
        note=note,
    )


def rate_sentence(own: Own) -> str:
    """Return what an hour of one GPU costs and where that is from."""
    if own.usd is None:
        return f"{own.name or 'the GPUs'}: no price"
    since = f", since {own.since}" if own.since else ""
    energy = ", its energy included" if own.energy else ""
    return f"R = {usd(own.usd)} an hour of one {own.name} ({own.price_source}{since}{energy})"
