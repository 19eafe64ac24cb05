"""What the engine of a model does not say: never, as its kind has no word for it, or not on its page."""

from __future__ import annotations

from infertop.views.facts import Facts
from infertop.views.shapes import ModelRow

# Each quantity, and the metrics that say it in some way.
VOCABULARY: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("requests", ("requests",)),
    ("failures", ("requests_failed",)),
    ("aborts", ("requests_aborted",)),
    ("prompt tokens", ("prompt_tokens", "input_tokens")),
    ("cached tokens", ("cached_tokens", "prefix_cache_hits", "prefix_cache_hit_rate")),
    ("output tokens", ("output_tokens",)),
    ("running", ("running",)),
    ("queue", ("waiting",)),
    ("KV cache", ("kv_cache_usage",)),
    ("preemptions", ("preemptions",)),
    ("drafts of speculation", ("spec_drafted_tokens", "spec_acceptance")),
    ("time to first token", ("ttft_seconds",)),
    ("inter-token latency", ("inter_token_seconds", "decode_seconds_total")),
    ("request time", ("request_seconds", "request_seconds_total", "request_seconds_quantile")),
    ("queue time", ("queue_seconds", "queue_seconds_total", "queue_seconds_quantile")),
    ("GPU time by phase", ("prefill_gpu_seconds_total",)),
)
_AT_END = (
    "tokens are counted when a request ends, unless the engine has live counters: "
    "where few end in the window, rates jump"
)


def missing(facts: Facts, row: ModelRow) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what an engine of this kind never says, and what it could say and does not; of an unknown kind the first.

    A meter that shows only once there was something to count is of the second sort.
    """
    told = facts.told.get(row.kind)
    absent = [(name, metrics) for name, metrics in VOCABULARY if not _shown(facts, row, metrics)]
    never = tuple(name for name, metrics in absent if told is None or not told.says.intersection(metrics))
    return never, tuple(name for name, _ in absent if name not in never)


def caveats(facts: Facts, row: ModelRow) -> tuple[str, ...]:
    """Return sentences about what the figures of a model mean, by the kind of its engine."""
    told = facts.told.get(row.kind)
    return (*told.caveats, *((_AT_END,) if told.counts_at_end else ())) if told else ()


def _shown(facts: Facts, row: ModelRow, metrics: tuple[str, ...]) -> bool:
    return any(True for metric in metrics for _ in facts.meters.tracks(row.source, metric, model=row.model))
