"""A minute as JSON-able data and back, so that deriving can go on where it stopped."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from infertop.money.lines import Price
from infertop.money.minutes import Deployed, Energy, GpuSpan, Held, Metered, Minute, Reports, SpanKey, Wide


def dump_minute(minute: Minute) -> dict[str, Any]:
    """Return the minute as lists and plain values; floats keep every bit through JSON."""
    return {
        "start": minute.start,
        "quantities": [[*key, count] for key, count in minute.quantities.items()],
        "wide": [[*key, count] for key, count in minute.wide.items()],
        "restarted": sorted(minute.restarted),
        "models": [
            [source, [[name, *reports] for name, reports in models.items()]] for source, models in minute.models.items()
        ],
        "inherited": [[source, list(models)] for source, models in minute.inherited.items()],
        "local": sorted(minute.local),
        "compute": [[*key, seconds] for key, seconds in minute.compute.items()],
        "spans": [
            [*key._replace(price=None), _plain(key.price), _dump_span(span)] for key, span in minute.spans.items()
        ],
        "host": [[source, _plain(price), ms] for (source, price), ms in minute.host.items()],
        "deployed": [[*key._replace(price=None), _plain(key.price), ms] for key, ms in minute.deployed.items()],
        "covered": [list(span) for span in minute.covered],
    }


def load_minute(state: dict[str, Any]) -> Minute:
    """Return the minute that `dump_minute` was given."""
    return Minute(
        start=state["start"],
        quantities={Metered(*key): count for *key, count in state["quantities"]},
        wide={Wide(*key): count for *key, count in state["wide"]},
        restarted=set(state["restarted"]),
        models={source: {name: _reports(said) for name, *said in models} for source, models in state["models"]},
        inherited={source: tuple(models) for source, models in state["inherited"]},
        local=set(state["local"]),
        compute={(source, model, gpu): seconds for source, model, gpu, seconds in state["compute"]},
        spans={SpanKey(*key)._replace(price=_price(price)): _load_span(span) for *key, price, span in state["spans"]},
        host={(source, _price(price)): ms for source, price, ms in state["host"]},
        # States from before there were deployments do not have it.
        deployed={Deployed(*key)._replace(price=_price(price)): ms for *key, price, ms in state.get("deployed", ())},
        covered=[(start, end) for start, end in state["covered"]],
    )


def _dump_span(span: GpuSpan) -> dict[str, Any]:
    return {
        "ms": span.ms,
        "busy_ms": span.busy_ms,
        "energy": [[_plain(price), each.busy, each.idle, each.guessed] for price, each in span.energy.items()],
        "holders": [[source, held.byte_ms, held.sm_ms] for source, held in span.holders.items()],
    }


def _load_span(state: dict[str, Any]) -> GpuSpan:
    return GpuSpan(
        state["ms"],
        state["busy_ms"],
        {_price(price): Energy(busy, idle, any(guessed)) for price, busy, idle, *guessed in state["energy"]},
        {source: Held(byte_ms, sm_ms) for source, byte_ms, sm_ms in state["holders"]},
    )


def _reports(said: list[Any]) -> Reports:
    tokens, requests, gpus = said
    return Reports(tokens, requests, tuple(gpus))


def _plain(price: Price | None) -> list[Any] | None:
    if price is None:
        return None
    return [price.name, str(price.usd), price.per, price.source, price.since, price.default]


def _price(plain: list[Any] | None) -> Price | None:
    if plain is None:
        return None
    name, usd, per, source, since, default = plain
    return Price(name, Decimal(usd), per, source, since, default)
