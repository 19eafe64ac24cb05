"""Rows of models that APIs serve: what providers and agents' logs told of their newest whole minutes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from infertop.engine.collector import Health
from infertop.history.summary import Totals
from infertop.money.lines import NANO
from infertop.readings.registry import TOKEN_CLASSES
from infertop.views.api_rates import ApiUse
from infertop.views.facts import Facts
from infertop.views.shapes import ModelRow

NO_MODEL = "(no model)"
REQUESTS = "requests"
_BLENDED = ("input", "cache_read", "output")
_MILLION = 1_000_000


def api_rows(facts: Facts, source: str | None = None) -> Iterator[ModelRow]:
    """Yield a row for each model that a source's statements tell of, of all sources or of one."""
    healths = {health.source: health for health in facts.healths}
    for use in facts.api.uses:
        if source in (None, use.source) and use.source in healths:
            yield _row(facts, healths[use.source], use)


def with_money(facts: Facts, row: ModelRow) -> ModelRow:
    """Return the row of a gateway's model with what its statements say that it costs."""
    use = facts.api.use(row.source, row.model)
    if use is None or use.used is None:
        return row
    return replace(
        row,
        usd_per_hour=use.usd_per_hour,
        usd_per_request=_per_request(use.used),
        usd_per_million=_per_million(use.used),
        basis=use.basis,
        stated=True,
    )


def model_of(row: ModelRow) -> str | None:
    """Return the model of a row as the ledger has it."""
    return None if row.model == NO_MODEL else row.model


def _row(facts: Facts, health: Health, use: ApiUse) -> ModelRow:
    window, used = use.window, use.used
    name = use.model if use.model is not None else NO_MODEL
    row = ModelRow(
        source=use.source,
        model=name,
        kind=health.kind,
        provider=", ".join(use.providers),
        state=health.state.value,
        age_seconds=facts.told_ago(use.source),
        basis=use.basis,
        window_seconds=window.seconds,
        totals=dict(facts.past.totals.get((use.source, name), {})),
        trend=use.trend,
        counts=use.counts,
        counted_by=next(filter(None, (facts.choices.by(use.source, each, use.model) for each in use.providers)), ""),
        stated=True,
    )
    if used is None:
        return row
    known = {**row.totals, **used.quantities}
    rates = {each: used.quantities.get(each, 0) / window.seconds for each in TOKEN_CLASSES if known.get(each)}
    requests = used.quantities.get(REQUESTS, 0)
    return replace(
        row,
        usd_per_hour=use.usd_per_hour,
        usd_per_request=_per_request(used),
        usd_per_million=_per_million(used),
        tokens_per_second=dict(rates),
        requests_per_second=requests / window.seconds if REQUESTS in known else None,
        prompt_tokens_per_request=_each(used.quantities, requests, prompt=True),
        output_tokens_per_request=_each(used.quantities, requests, prompt=False),
        cache_hit_ratio=_hits(used.quantities),
    )


def _per_request(used: Totals) -> float | None:
    requests = used.quantities.get(REQUESTS, 0)
    return used.usd_nano / NANO / requests if used.usd_nano is not None and requests else None


def _per_million(used: Totals) -> dict[str, float | None]:
    """Return what a million tokens of each class came to, at the prices that were paid; blended, over the main ones."""
    found: dict[str, float | None] = {
        name: usd / NANO / used.quantities[name] * _MILLION
        for name, usd in used.stated.items()
        if name in TOKEN_CLASSES and used.quantities.get(name)
    }
    tokens = sum(used.quantities.get(name, 0) for name in _BLENDED)
    found["blended"] = used.usd_nano / NANO / tokens * _MILLION if used.usd_nano is not None and tokens else None
    return found


def _each(quantities: Mapping[str, int], requests: int, *, prompt: bool) -> float | None:
    tokens = [count for name, count in quantities.items() if name in TOKEN_CLASSES and _is(name, prompt)]
    return sum(tokens) / requests if tokens and requests else None


def _is(name: str, prompt: bool) -> bool:
    return TOKEN_CLASSES[name].prompt == prompt


def _hits(quantities: Mapping[str, int]) -> float | None:
    if "cache_read" not in quantities:
        return None
    prompt = sum(count for name, count in quantities.items() if name in TOKEN_CLASSES and _is(name, True))
    return quantities["cache_read"] / prompt if prompt else None
