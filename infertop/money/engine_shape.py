"""What a batch of an engine has for the ledger: worked out once for each shape, not once a poll."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from infertop.money.minutes import Reports
from infertop.readings.increase import UNREADABLE
from infertop.readings.model import Series
from infertop.readings.registry import METRICS, Kind

# Prompt tokens that may include cached ones: no class of the ledger, they become `input`.
PROMPT = "prompt"
_RESOURCES = {
    "requests": "requests",
    "requests_failed": "requests_failed",
    "requests_aborted": "requests_aborted",
    "prompt_tokens": PROMPT,
    "input_tokens": "input",
    "cached_tokens": "cache_read",
    "output_tokens": "output",
}
_TOKENS = frozenset({PROMPT, "input", "output"})
_PROMPTS = frozenset({PROMPT, "input", "cache_read"})
_COMPUTE = "compute_seconds_total"
_ANSWERED = frozenset({"4xx", "5xx"})

Models = Mapping[str | None, Reports]
# A model's quantity by (model, resource).
Place = tuple[str | None, str]


class EngineShape(NamedTuple):
    """What is the same for all batches with these `series`.

    `at` are the positions of the counters and of what tells that some may be missing, `counters` their series.
    `places` says where a counter's increase belongs, `compute` for which (model, gpu) it is GPU time. `tokens` are the
    counters of prompt, fresh and cached tokens.
    """

    series: tuple[Series, ...]
    at: tuple[int, ...]
    counters: tuple[Series, ...]
    places: Mapping[Series, Place]
    compute: Mapping[Series, tuple[str | None, str]]
    tokens: frozenset[Place]
    models: Models


def engine_shape(series: tuple[Series, ...]) -> EngineShape:
    """Work out where the increases of these series belong; ranks and reasons of one model share a place."""
    at = tuple(i for i, each in enumerate(series) if _is_counter(each) or each.metric == UNREADABLE)
    counters = tuple(series[i] for i in at)
    places = {
        each: (each.label("model"), _RESOURCES[each.metric])
        for each in counters
        if each.metric in _RESOURCES and is_metered(each) and not said_twice(each, counters)
    }
    reported = set(places.values())
    compute = {
        each: (each.label("model"), gpu) for each in counters if each.metric == _COMPUTE and (gpu := each.label("gpu"))
    }
    tokens = frozenset(place for place in reported if place[1] in _PROMPTS)
    models = _models(series, reported, compute.values())
    return EngineShape(series, at, counters, places, compute, tokens, models)


def is_engine(series: Iterable[Series]) -> bool:
    """Say whether these are the series of something that serves models."""
    return any(
        (metric := METRICS.get(each.metric)) is not None and "model" in metric.labels and is_metered(each)
        for each in series
    )


def is_metered(series: Series) -> bool:
    """Say whether the ledger books what this counts; what a gateway says of others is booked by its statements."""
    return series.label("provider") is None


def _is_counter(series: Series) -> bool:
    metric = METRICS.get(series.metric)
    return metric is not None and metric.kind is Kind.COUNTER


def said_twice(series: Series, counters: Iterable[Series]) -> bool:
    """Say whether this counts failures of the engine that its server counts by status of the answer as well."""
    if series.metric != "requests_failed" or series.label("reason") in (None, *_ANSWERED):
        return False
    return any(
        each.metric == series.metric
        and each.label("model") == series.label("model")
        and each.label("reason") in _ANSWERED
        for each in counters
    )


def _models(series: Iterable[Series], reported: set[Place], compute: Iterable[tuple[str | None, str]]) -> Models:
    """Return the models that the series name; one without a name where none has one."""
    places = list(compute)
    names = sorted({name for each in series if (name := each.label("model")) is not None and is_metered(each)})
    known: list[str | None] = [*names] if names else [None]
    return {
        name: Reports(
            tokens=any((name, resource) in reported for resource in _TOKENS),
            requests=(name, "requests") in reported,
            gpus=tuple(sorted({gpu for model, gpu in places if model == name})),
        )
        for name in known
    }
