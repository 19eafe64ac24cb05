"""How a model is loaded: what it works on, what waits, what its caches hold and hit, what fails, whether it sleeps."""

from __future__ import annotations

from dataclasses import replace

from infertop.views.facts import Facts
from infertop.views.meters import Meters
from infertop.views.shapes import ModelRow

# vLLM's gauges stay as they were where all requests are gone at once, until the engine takes its next step.
STUCK_SECONDS = 30.0
_IDLE_RATIO = 0.02  # of a GPU on which nothing of note runs
_WORK = ("output_tokens", "prompt_tokens", "input_tokens", "requests", "batches")


def with_load(row: ModelRow, facts: Facts) -> ModelRow:
    """Return the row with its load; `cache_hit_ratio` is what the engine says itself, for who knows no better."""
    meters, source, model = facts.meters, row.source, row.model
    failed = meters.by_reason(source, "requests_failed", model)
    phases, seconds = meters.phases(source, model), row.window_seconds
    return replace(
        row,
        failed_per_second=sum(failed.values()) if failed else None,
        answers_by_reason=dict(meters.by_reason(source, "answers", model)),
        failed_by_reason={reason: rate for reason, rate in failed.items() if reason},
        aborted_per_second=meters.rate(source, "requests_aborted", model=model),
        running=meters.total(source, "running", model=model),
        waiting=meters.total(source, "waiting", model=model),
        kv_cache_usage=meters.current_mean(source, "kv_cache_usage", model=model),
        kv_cache_peak=meters.peak(source, "kv_cache_usage", model=model),
        cache_hit_ratio=_found(meters, source, model),
        preemptions_per_second=meters.rate(source, "preemptions", model=model),
        draft_acceptance_ratio=_accepted(meters, source, model),
        prefill_gpu_ratio=phases.prefill / seconds if phases and seconds else None,
        decode_gpu_ratio=phases.decode / seconds if phases and seconds else None,
        asleep=meters.current_mean(source, "asleep", model=model),
        stuck=_stuck(row, facts),
    )


def _found(meters: Meters, source: str, model: str) -> float | None:
    """Return the share of looked-up tokens that a prefix cache had: by its counters, else as the engine says."""
    asked = meters.increase(source, "prefix_cache_queries", model=model)
    had = meters.increase(source, "prefix_cache_hits", model=model)
    if asked and had and asked.amount:
        return min(had.amount / asked.amount, 1.0)
    said = meters.current_mean(source, "prefix_cache_hit_rate", model=model)
    return said if asked is None and said is not None and 0.0 <= said <= 1.0 else None


def _accepted(meters: Meters, source: str, model: str) -> float | None:
    drafted = meters.increase(source, "spec_drafted_tokens", model=model)
    accepted = meters.increase(source, "spec_accepted_tokens", model=model)
    if drafted is not None and accepted is not None:
        return accepted.amount / drafted.amount if drafted.amount else None
    # A gauge is 0 where nothing is speculated, too.
    said = meters.current_mean(source, "spec_acceptance", model=model)
    return said if said is not None and 0.0 < said <= 1.0 else None


def _stuck(row: ModelRow, facts: Facts) -> bool:
    """Say whether requests are said to run while nothing has moved for long, on no GPU that works."""
    recent = Meters(facts.state, STUCK_SECONDS)
    if not recent.total(row.source, "running", model=row.model):
        return False
    rises = [rise for metric in _WORK if (rise := recent.increase(row.source, metric, model=row.model))]
    covered = max((rise.seconds for rise in rises), default=0.0)
    if covered < STUCK_SECONDS or any(rise.amount for rise in rises):
        return False
    busy = [
        recent.mean(gpu.meter, "gpu_utilization", gpu=gpu.at.gpu) for gpu in facts.costs.gpus if gpu.at.gpu in row.gpus
    ]
    known = [each for each in busy if each is not None]
    told = facts.told.get(row.kind)
    # Where tokens are counted at the end of a request, a long one looks the same: its GPU has to say that it is not.
    return max(known) < _IDLE_RATIO if known else told is not None and not told.counts_at_end
