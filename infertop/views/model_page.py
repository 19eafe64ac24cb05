"""A model drilled into: its row, its GPUs, its history over the window, and what its engine does not report."""

from __future__ import annotations

from infertop.views.explain_model import SAID, model_figures
from infertop.views.facts import Facts, Place
from infertop.views.gpu_rows import gpu_rows
from infertop.views.model_rows import each_row, units_of
from infertop.views.page_shapes import ModelPage
from infertop.views.reported import caveats, missing
from infertop.views.shapes import ModelRow, Spark
from infertop.views.smooth import smooth

BINS = 120
_COUNTERS = {
    "output": ("output_tokens",),
    "cache_read": ("cached_tokens",),
    "requests": ("requests",),
}
_READ = ("output_tokens", "input_tokens", "requests", "running", "model_memory_bytes")


def model_page(facts: Facts, source: str, model: str) -> ModelPage:
    """Return the page of a model; raise KeyError where it is not known (any more)."""
    row = next((each for each in each_row(facts, source) if each.model == model), None)
    if row is None:
        raise KeyError((source, model))
    place: Place = (source, model)
    cost = facts.costs.models.get(place)
    requests = facts.meters.increase(source, "requests", model=model)
    units = units_of(
        facts, place, facts.meters.tokens(source, model), requests.amount if requests else None, row.window_seconds
    )
    # What an API tells is in its row; nobody misses its KV cache.
    measured = not row.stated or any(each.source == source for each in facts.engines)
    never, so_far = missing(facts, row) if measured else ((), ())
    return ModelPage(
        at=facts.now,
        row=row,
        gpus=tuple(gpu for gpu in gpu_rows(facts) if gpu.uuid in row.gpus),
        split_method=units.method,
        allocation_note="; ".join(dict.fromkeys(method for method in cost.methods if method)) if cost else "",
        times=_times(facts),
        history=_history(facts, row),
        events=tuple(event for event in facts.past.events if event.scope.get("model") == model),
        explained=tuple(each for name, each in model_figures(facts, row).items() if name not in SAID),
        not_reported=never,
        not_shown=so_far,
        caveats=caveats(facts, row),
        price_notes=_prices(facts, row),
        prefill_usd_per_hour=_hourly(units.prefill_usd, row.window_seconds),
        decode_usd_per_hour=_hourly(units.decode_usd, row.window_seconds),
    )


def _hourly(usd: float | None, seconds: float) -> float | None:
    return usd / seconds * 3600 if usd is not None and seconds else None


def _history(facts: Facts, row: ModelRow) -> dict[str, Spark]:
    meters, end = facts.meters, facts.now
    bins = {
        name: meters.bins(row.source, counters[0], end, BINS, model=row.model) for name, counters in _COUNTERS.items()
    }
    prompt = meters.bins(row.source, "prompt_tokens", end, BINS, model=row.model)
    fresh = meters.bins(row.source, "input_tokens", end, BINS, model=row.model)
    cached = bins["cache_read"] or (None,) * len(prompt)
    less = tuple(
        None if whole is None else max(whole - (part or 0.0), 0.0) for whole, part in zip(prompt, cached, strict=False)
    )
    said = {"input": fresh or less, **bins}
    if (told := facts.told.get(row.kind)) and told.counts_at_end:
        said = {name: smooth(values, meters.window) for name, values in said.items()}
    return {**said, "usd_per_hour": _usd_history(facts, row)}


def _usd_history(facts: Facts, row: ModelRow) -> Spark:
    """Return the ledger's $/hour of the minute that each bin lies in; what was read after it has the live figure."""
    place = (row.source, row.model)
    by_minute = {at: usd.get(place) for at, usd in zip(facts.past.minutes, facts.past.usd_by_place, strict=True)}
    newest = max(by_minute, default=0.0) + 60
    # What an API tells is of no poll; of the others nothing is known of the time before somebody read them.
    read = 0.0 if row.stated else facts.now - max(facts.meters.covered(row.source, metric) for metric in _READ)
    live = [row.usd_per_hour if at >= read else None for at in _times(facts)]
    return tuple(
        now if at // 60 * 60 >= newest else by_minute.get(at // 60 * 60)
        for at, now in zip(_times(facts), live, strict=True)
    )


def _times(facts: Facts) -> tuple[float, ...]:
    window = facts.meters.window
    return tuple(facts.now - window + window * n / BINS for n in range(BINS))


def _prices(facts: Facts, row: ModelRow) -> tuple[str, ...]:
    """Return the shadow prices of a model that is served here; what is paid for is no shadow."""
    if row.stated:
        return ()
    shadow = facts.prices.shadow_price(row.model, facts.now)
    if not shadow:
        return ()
    used = [name for name, rate in row.tokens_per_second.items() if rate is not None and name in shadow]
    prices = ", ".join(f"{name} ${shadow[name].usd} ({shadow[name].source})" for name in used)
    return (f"shadow price per 1M: {prices}; never added to spend",)
