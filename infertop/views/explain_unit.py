"""How the unit costs of a model were come by: a request, a million tokens, and which part is prompts."""

from __future__ import annotations

from collections.abc import Mapping

from infertop.money.split import MEASURED, UnitCosts
from infertop.money.weights import TOKEN_WEIGHTS, weighted_tokens
from infertop.readings.registry import TOKEN_CLASSES
from infertop.views.facts import Facts
from infertop.views.model_rows import units_of, weights_of
from infertop.views.shapes import Explained, ModelRow
from infertop.views.wording import amount, enough, number, usd

_BLENDED = ("input", "cache_read", "output")


def unit_figures(facts: Facts, row: ModelRow) -> dict[str, Explained]:
    """Return the explanations of what a request and a million tokens cost."""
    return {
        "usd_per_request": Explained(f"$/request  {usd(row.usd_per_request, 6)}", _request(row)),
        "usd_per_million": Explained(f"$/1M  {usd(row.usd_per_million.get('blended'))}", _million(facts, row)),
        "split": Explained("prefill and decode", _split(facts, row)),
    }


def _request(row: ModelRow) -> tuple[str, ...]:
    if row.requests_per_second is None:
        return ("unknown: this engine does not count requests, so a request has no price",)
    requests = row.requests_per_second * row.window_seconds
    if row.usd_per_request is None or row.usd_per_hour is None:
        why = "no request finished in the window" if not requests else "its $/h is unknown"
        return (f"unknown: {why}",)
    texts = enough(
        row.usd_per_request,
        lambda rate, seconds, done: rate * seconds / 3600 / done,
        row.usd_per_hour,
        row.window_seconds,
        requests,
    )
    result = amount(row.usd_per_request)
    lines = [
        "$/request = $/h x window / 3600 s / requests finished in it",
        f"  = {texts[0]} x {texts[1]} / 3600 / {texts[2]} = {result} USD",
    ]
    if row.kind == "vllm":
        lines.append("  finished: request_params_n_count, where the engine has it; given up ones are in the tokens")
    return tuple(lines)


def _million(facts: Facts, row: ModelRow) -> tuple[str, ...]:
    blended, hour = row.usd_per_million.get("blended"), row.usd_per_hour
    if blended is None or hour is None:
        return (f"unknown: {'its $/h is' if hour is None else 'no token was counted in the window'}",)
    seconds = row.window_seconds
    counts = {name: rate * seconds for name, rate in row.tokens_per_second.items() if rate is not None}
    used = [name for name in _BLENDED if name in counts]
    texts = enough(
        blended,
        lambda rate, over, *tokens: rate * over / 3600 / sum(tokens) * 1e6,
        hour,
        seconds,
        *(counts[name] for name in used),
    )
    tokens = " + ".join(texts[2:])
    lines = [
        f"blended = $/h x window / 3600 s / ({' + '.join(used)}) x 1M",
        f"  = {texts[0]} x {texts[1]} / 3600 / ({tokens}) x 1000000 = {amount(blended)} USD",
    ]
    return (*lines, *_by_class(facts, row, counts))


def _by_class(facts: Facts, row: ModelRow, counts: dict[str, float]) -> tuple[str, ...]:
    """Return how the cost was divided among classes, and what a million tokens of each came to."""
    weights, units = weights_of(facts, row.model), _units(facts, row)
    by = "the usual ratios of list prices" if weights == TOKEN_WEIGHTS else "the ratios of its shadow prices"
    lines = [f"by class: cost x weight / sum of (weight x tokens) x 1M; weights are {by}"]
    phases = facts.meters.phases(row.source, row.model) if units.method == MEASURED else None
    if phases is None:
        return (*lines, *_group(row, weights, counts, None))
    prompts = {name: count for name, count in counts.items() if TOKEN_CLASSES[name].prompt}
    rest = {name: count for name, count in counts.items() if name not in prompts}
    share = phases.prefill / (phases.prefill + phases.decode)
    return (
        *lines,
        f"  prompts have {number(share)} of the cost, generation {number(1 - share)}, by measured GPU time",
        *_group(row, weights, prompts, share),
        *_group(row, weights, rest, 1 - share),
    )


def _group(
    row: ModelRow, weights: Mapping[str, float], counts: Mapping[str, float], share: float | None
) -> tuple[str, ...]:
    """Return the lines of classes among which a part (None: all) of the cost was divided by weight."""
    whole, hour = weighted_tokens(counts, weights), row.usd_per_hour
    if not whole or hour is None:
        return ()
    flat = [each for name, count in counts.items() for each in (weights.get(name, 0.0), count)]
    texts = enough(whole, lambda *some: sum(a * b for a, b in zip(some[::2], some[1::2], strict=True)), *flat)
    terms = " + ".join(f"{weight} x {count}" for weight, count in zip(texts[::2], texts[1::2], strict=True))
    lines = [f"  sum = {terms} = {amount(whole)}"]
    part = 1.0 if share is None else share
    for name, price in ((name, row.usd_per_million.get(name)) for name in counts):
        if price is not None:
            rate, seconds, of, weight, total = enough(
                price, _price, hour, row.window_seconds, part, weights[name], whole
            )
            some = "" if share is None else f" x {of}"
            digits = f"{rate} x {seconds} / 3600{some} x {weight} / {total} x 1000000"
            lines.append(f"  {name} = {digits} = {amount(price)} USD")
    return tuple(lines)


def _price(hour: float, seconds: float, part: float, weight: float, whole: float) -> float:
    return hour * seconds / 3600 * part * weight / whole * 1e6


def _units(facts: Facts, row: ModelRow) -> UnitCosts:
    requests = None if row.requests_per_second is None else row.requests_per_second * row.window_seconds
    counted = {
        name: None if rate is None else rate * row.window_seconds for name, rate in row.tokens_per_second.items()
    }
    return units_of(facts, (row.source, row.model), counted, requests, row.window_seconds)


def _split(facts: Facts, row: ModelRow) -> tuple[str, ...]:
    units = _units(facts, row)
    if units.prefill_usd is None or units.decode_usd is None or not row.usd_per_hour or not row.window_seconds:
        return ("unknown: nothing ran in the window, or its $/h is unknown",)
    hours = row.window_seconds / 3600
    prefill, decode = units.prefill_usd / hours, units.decode_usd / hours
    texts = enough(row.usd_per_hour, lambda one, other: one + other, prefill, decode)
    lines = [f"prefill + decode = {texts[0]} + {texts[1]} = {amount(row.usd_per_hour)} USD/h, by {units.method}"]
    phases = facts.meters.phases(row.source, row.model)
    if units.method == MEASURED and phases is not None:
        lines.append(f"  GPU time of prompts {number(phases.prefill, 3)} s, of generation {number(phases.decode, 3)} s")
    else:
        lines.append("  the engine does not tell the GPU's own time of each, so tokens are weighed")
    return tuple(lines)
