"""The ledger's closed minutes as rates: in all, by model, and by class of tokens."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from infertop.history.summary import Key, Minute, Summary
from infertop.money.deployments.booked import DEPLOYMENT
from infertop.money.lines import NANO
from infertop.readings.registry import TOKEN_CLASSES
from infertop.views.api_rates import ApiRates
from infertop.views.costs import total
from infertop.views.facts import Layers
from infertop.views.overview import TOTAL

Rates = Mapping[Key | None, float | None]

_MINUTE = 60
_SHOWN = 8
OTHERS = "others"
UNHELD = "unheld"
HOST = "host"


def closed_minutes(summary: Summary) -> tuple[Minute, ...]:
    """Return the closed minutes one after the other; one of which nothing is known is empty."""
    known = {each.start: each for each in summary.minutes if each.start < summary.closed}
    if not known:
        return ()
    starts = range(min(known), max(known) + _MINUTE, _MINUTE)
    return tuple(known.get(start) or Minute(start, 0, {}, None) for start in starts)


def minute_usd_per_hour(minute: Minute) -> dict[Key | None, float | None]:
    """Return what a minute cost an hour: in all (key None), and by source and model."""
    stated = {key: sum(row.stated.values()) for key, row in minute.totals.items() if row.stated}
    each: dict[Key | None, float | None] = {
        key: _per_hour(row.usd_nano, stated.get(key, 0), minute) for key, row in minute.totals.items()
    }
    counted = sum(min(nano, minute.counted(key) or 0) for key, nano in stated.items())
    each[None] = _per_hour(minute.usd_nano, counted, minute)
    return each


def as_told(rates: Rates, minute: Minute, api: ApiRates) -> dict[Key | None, float | None]:
    """Return the rates of a minute, with those of sources that have not told all of it as they were before it.

    A provider tells minutes late: a picture that fell to nothing at its end, every time, would show no fall.
    """
    late = [
        use
        for use in api.uses
        if use.counts and use.window.until is not None and use.window.until < minute.start + _MINUTE
    ]
    found = dict(rates)
    for use in late:
        key = (use.source, use.model)
        now, before = use.counted_usd_per_hour, found.get(key) if key not in minute.apart else None
        if now is not None:
            found[key], found[None] = use.usd_per_hour, (found.get(None) or 0.0) - (before or 0.0) + now
    return found


def _per_hour(nano: int | None, stated: int, minute: Minute) -> float | None:
    """Return the $/hour of a minute: what statements tell of all of it, the rest by the part that was recorded.

    None where nothing is known of it.
    """
    if nano is None or (nano != stated and minute.covered_ms <= 0):
        return None
    told = stated / NANO * 60
    return told if nano == stated else told + (nano - stated) / NANO * 3_600_000 / minute.covered_ms


def deployments_in(minutes: Sequence[Minute]) -> frozenset[str]:
    """Return the names of the deployments whose hours are in these minutes."""
    return frozenset(
        source for each in minutes for (source, _), row in each.totals.items() if DEPLOYMENT in row.quantities
    )


def counted_alone(rows: Sequence[Rates], minutes: Sequence[Minute]) -> tuple[Rates, ...]:
    """Return the rows of minutes without what is part of no total."""
    return tuple(
        {key: usd for key, usd in row.items() if key not in minute.apart} if minute.apart else row
        for row, minute in zip(rows, minutes, strict=True)
    )


def usd_layers(rows: Sequence[Rates], deployments: Collection[str] = ()) -> Layers:
    """Return $/hour by minute: in all, and by name of model, the dearest apart and the others together.

    A deployment that serves more than one model goes by its own name.
    """
    by_name: list[dict[str, float]] = []
    weight: dict[str, float] = defaultdict(float)
    for row in rows:
        named: dict[str, float] = defaultdict(float)
        for key, usd in row.items():
            if key is not None and usd is not None:
                named[_layer(key, deployments)] += usd
                weight[_layer(key, deployments)] += usd
        by_name.append(named)
    names = sorted(weight, key=lambda name: -weight[name])
    layers = {TOTAL: tuple(row.get(None) for row in rows)}
    layers |= {name: tuple(row.get(name) for row in by_name) for name in names[:_SHOWN]}
    if rest := names[_SHOWN:]:
        layers[OTHERS] = tuple(total(row.get(name) for name in rest) for row in by_name)
    return layers


def _layer(key: Key, deployments: Collection[str]) -> str:
    """Return whose the cost is: a model's, a deployment's, the host's, or nobody's."""
    source, model = key
    if model is not None:
        return model
    return source if source == HOST or source in deployments else UNHELD


def token_layers(minutes: Sequence[Minute], api: ApiRates | None = None) -> Layers:
    """Return tokens a second by minute, for each class of which there were any.

    What statements tell is of the whole minute; who has not told all of one goes on as before it.
    """
    api = api or ApiRates()
    rows = [_token_rates(minute, api) for minute in minutes]
    used = [name for name in TOKEN_CLASSES if any(row.get(name) for row in rows if row)]
    return {name: tuple(None if row is None else row.get(name, 0.0) for row in rows) for name in used}


def _token_rates(minute: Minute, api: ApiRates) -> dict[str, float] | None:
    """Return the tokens a second of a minute that count, by class; None where nothing of it is known."""
    found: dict[str, float] = defaultdict(float)
    late = {source for source, window in api.windows.items() if (window.until or 0.0) < minute.start + _MINUTE}
    known = minute.covered_ms > 0
    for key, row in minute.totals.items():
        if key in minute.apart or key[0] in late:
            continue
        seconds = float(_MINUTE) if key[0] in api.windows else minute.covered_ms / 1000
        known = known or key[0] in api.windows
        for name, count in row.quantities.items():
            if name in TOKEN_CLASSES and seconds:
                found[name] += count / seconds
    for use in api.uses:
        if use.source in late and use.counts and use.used is not None:
            for name, count in use.used.quantities.items():
                if name in TOKEN_CLASSES:
                    found[name] += count / use.window.seconds
    return found if known else None
