"""A row for each source and model: what it does, how fast, and what it costs over the window."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from infertop.engine.collector import Health
from infertop.money.lines import Basis, Price
from infertop.money.split import UnitCosts, unit_costs
from infertop.money.weights import weights_from_prices
from infertop.views.api_rows import api_rows, with_money
from infertop.views.costs import UNKNOWN_MODEL, ModelCost
from infertop.views.facts import Facts, Place
from infertop.views.meters import Meters
from infertop.views.model_load import with_load
from infertop.views.shapes import ModelRow, Quantiles
from infertop.views.smooth import smooth

TREND_BINS = 30
_NO_COST = ModelCost()


def model_rows(facts: Facts) -> tuple[ModelRow, ...]:
    """Return a row for every model of every engine, the dearest first, and for what holds a GPU without a name."""
    return in_order(each_row(facts))


def in_order(rows: Iterable[ModelRow]) -> tuple[ModelRow, ...]:
    """Return rows with the dearest first."""
    return tuple(sorted(rows, key=lambda row: (-(row.usd_per_hour or 0.0), row.model, row.source)))


def each_row(facts: Facts, source: str | None = None) -> Iterator[ModelRow]:
    """Make the rows one by one, of all sources or of one."""
    shown: set[Place] = set()
    for health in facts.engines:
        for model in facts.meters.models(health.source) if source in (None, health.source) else ():
            shown.add((health.source, model))
            yield with_money(facts, _row(facts, health, model))
    healths = {health.source: health for health in facts.healths if source in (None, health.source)}
    for place in facts.costs.models:
        if place not in shown and place[0] in healths:
            shown.add(place)
            yield _bare(facts, healths[place[0]], place[1])
    yield from (row for row in api_rows(facts, source) if (row.source, row.model) not in shown)


def _bare(facts: Facts, health: Health, model: str) -> ModelRow:
    """Return the row of an engine that holds a GPU and has not said which model it serves."""
    cost = facts.costs.models.get((health.source, model), _NO_COST)
    providers = facts.meters.providers(health.source, model)
    return ModelRow(
        source=health.source,
        model=model or UNKNOWN_MODEL,
        kind=health.kind,
        provider=", ".join(providers),
        counts=any(facts.choices.counts(health.source, each, model) for each in providers),
        counted_by=next(filter(None, (facts.choices.by(health.source, each, model) for each in providers)), ""),
        state=health.state.value,
        age_seconds=_age(facts, health),
        basis=_basis(cost),
        window_seconds=0.0,
        usd_per_hour=cost.all_in,
        usage_usd_per_hour=cost.usage,
        gpus=tuple(cost.gpus),
    )


def _row(facts: Facts, health: Health, model: str) -> ModelRow:
    meters, source = facts.meters, health.source
    place: Place = (source, model)
    cost = facts.costs.models.get(place, _NO_COST)
    seconds = meters.seconds(source, model) or 0.0
    tokens = meters.tokens(source, model)
    requests = meters.increase(source, "requests", model=model)
    units = units_of(facts, place, tokens, requests.amount if requests else None, seconds)
    rates = {name: amount / seconds if amount is not None and seconds else None for name, amount in tokens.items()}
    row = replace(
        _bare(facts, health, model),
        window_seconds=seconds,
        usd_per_request=units.per_request,
        usd_per_million={**units.per_million, "blended": units.blended_per_million},
        tokens_per_second=rates,
        requests_per_second=requests.per_second if requests else None,
        shadow_margin_usd_per_hour=_margin(facts, model, rates, cost.all_in),
        totals=_totals(facts, place, {"requests": requests.amount if requests else None, **tokens}),
        trend=_trend(facts, health, model),
    )
    row = with_load(row, facts)
    row = _with_lengths(row, tokens, requests.amount if requests else None)
    row = _with_latencies(row, meters)
    return _with_mark(row, facts)


def _totals(facts: Facts, place: Place, counted: Mapping[str, float | None]) -> dict[str, float | None]:
    """Return what was used today: what a counter says that stands still, and nothing was booked of, is 0."""
    booked = facts.past.totals.get(place, {})
    recorded = facts.past.coverage is not None
    idle = {name: 0.0 for name, amount in counted.items() if recorded and amount == 0}
    return {**idle, **booked}


def units_of(
    facts: Facts, place: Place, tokens: Mapping[str, float | None], requests: float | None, seconds: float
) -> UnitCosts:
    """Return what a request and a million tokens of each class cost a model over the window."""
    cost = facts.costs.models.get(place, _NO_COST)
    usd = cost.all_in * seconds / 3600 if cost.all_in is not None and seconds else None
    counted = {name: amount for name, amount in tokens.items() if amount is not None}
    return unit_costs(usd, counted, requests, weights_of(facts, place[1]), facts.meters.phases(*place))


def weights_of(facts: Facts, model: str) -> Mapping[str, float]:
    """Return what a token of each class weighs: by the model's shadow prices, as far as each is of that class."""
    shadow = facts.prices.shadow_price(model, facts.now)
    return weights_from_prices({name: float(price.usd) for name, price in shadow.items() if is_own(name, price)})


def is_own(token_class: str, price: Price) -> bool:
    """Say whether a price is of the class itself, and not that of the class that stands in for it."""
    return price.name.rpartition(" ")[2] == token_class


def _age(facts: Facts, health: Health) -> float | None:
    return None if health.good_ts is None else max(0.0, facts.now - health.good_ts)


def _basis(cost: ModelCost) -> str:
    return (Basis.ESTIMATED if cost.estimated else Basis.MEASURED).value


def _margin(facts: Facts, model: str, rates: Mapping[str, float | None], usd_per_hour: float | None) -> float | None:
    """Return what the shadow price would bring an hour above the cost, None without a shadow price or a cost."""
    shadow = facts.prices.shadow_price(model, facts.now)
    priced = [
        rate * float(shadow[name].usd) / 1e6 for name, rate in rates.items() if rate is not None and name in shadow
    ]
    if not priced or usd_per_hour is None:
        return None
    return sum(priced) * 3600 - usd_per_hour


def _trend(facts: Facts, health: Health, model: str) -> tuple[float | None, ...]:
    bins = facts.meters.trend(health.source, "output_tokens", TREND_BINS, model=model)
    told = facts.told.get(health.kind)
    return smooth(bins, facts.meters.window) if told and told.counts_at_end else bins


def _with_lengths(row: ModelRow, tokens: Mapping[str, float | None], requests: float | None) -> ModelRow:
    prompt = [amount for name in ("input", "cache_read") if (amount := tokens[name]) is not None]
    cached, output = tokens["cache_read"], tokens["output"]
    whole = sum(prompt)
    return replace(
        row,
        cache_hit_ratio=cached / whole if cached is not None and whole else row.cache_hit_ratio,
        prompt_tokens_per_request=whole / requests if prompt and requests else None,
        output_tokens_per_request=output / requests if output is not None and requests else None,
    )


def _with_latencies(row: ModelRow, meters: Meters) -> ModelRow:
    def shown(metric: str) -> Quantiles:
        return meters.quantiles(row.source, metric, row.model)

    return replace(
        row,
        ttft=shown("ttft_seconds"),
        inter_token=_inter_token(row, meters, shown("inter_token_seconds")),
        request=_request(row, meters, "request", shown("request_seconds")),
        queue=_request(row, meters, "queue", shown("queue_seconds")),
    )


def _inter_token(row: ModelRow, meters: Meters, shown: Quantiles) -> Quantiles:
    """Where there is no histogram: the mean, by the time spent on output tokens."""
    spent = meters.increase(row.source, "decode_seconds_total", model=row.model)
    made = meters.increase(row.source, "output_tokens", model=row.model)
    if shown.count or spent is None or made is None or not made.amount:
        return shown
    return Quantiles(mean=spent.amount / made.amount, count=made.amount)


def _request(row: ModelRow, meters: Meters, name: str, shown: Quantiles) -> Quantiles:
    """Where there is no histogram: the engine's own quantiles, and the mean by the time of all requests."""
    if shown.count:
        return shown
    stated = meters.stated(row.source, f"{name}_seconds_quantile", row.model)
    spent = meters.increase(row.source, f"{name}_seconds_total", model=row.model)
    done = meters.increase(row.source, "requests", model=row.model)
    if spent is None or done is None or not done.amount:
        return stated
    return replace(stated, mean=spent.amount / done.amount, count=done.amount)


def _with_mark(row: ModelRow, facts: Facts) -> ModelRow:
    scope = (("model", row.model), ("source", row.source))
    for mark in facts.past.marks:
        if mark.scope == scope:
            usual = mark.usual.mean
            return replace(row, marked=True, mark_note=f"{mark.metric} {mark.value:.3g}, usually {usual:.3g}")
    return row
