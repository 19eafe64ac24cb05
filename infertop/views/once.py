"""One reading for scripts: the overview as the JSON of `infertop --once --json`.

Numbers are plain, in base units named in the key; unknown is null. `schema.py` beside this file describes it.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import Any

from infertop.views.event_shapes import ACKNOWLEDGED, OPEN, PLANNED
from infertop.views.incident_text import unusual
from infertop.views.shapes import (
    BudgetRow,
    DeploymentRow,
    Event,
    GpuRow,
    Headline,
    ModelRow,
    Overview,
    ProcessRow,
    Quantiles,
)

SCHEMA_VERSION = 1
_CLASSES = ("input", "cache_read", "output")
_LAST_TS = 253_402_300_800  # the year 10000
_MOST_RATIO = 1.01
_STATES = frozenset({OPEN, ACKNOWLEDGED, PLANNED})


def reading(view: Overview) -> dict[str, Any]:
    """Return the overview as JSON-able data, in the shape that `schema()` describes."""
    head = view.headline
    return {
        "schema": SCHEMA_VERSION,
        "at": timestamp(view.at),
        "window_seconds": _amount(view.window_seconds),
        "demo": view.mode == "demo",
        "usd_per_hour": _usd_per_hour(head),
        "api_age_seconds": _amount(head.api_age_seconds),
        "unpriced": {
            "models": head.unpriced_models,
            "tokens": head.unpriced_tokens,
            "gpus": head.unpriced,
            "own_models": head.unpriced_own,
        },
        "unassigned": {name: _ratio(share) for name, share in view.unassigned},
        "models": [_model(row) for row in view.models],
        "gpus": [_gpu(row) for row in view.gpus],
        "deployments": [_deployment(row) for row in view.deployments],
        "budgets": [_budget(row) for row in view.budgets],
        "anomalies": [_anomaly(event) for event in unusual(view.events)],
        "sources": [
            {
                "name": row.name,
                "kind": row.kind,
                "state": row.state,
                "age_seconds": _amount(row.age_seconds),
                "detail": row.detail,
                "counts": row.counts,
                "note": row.note,
            }
            for row in view.sources
        ],
    }


def _usd_per_hour(head: Headline) -> dict[str, float | None]:
    return {
        "total": number(head.usd_per_hour),
        "gpu": number(head.gpu_usd_per_hour),
        "host": number(head.host_usd_per_hour),
        "api": number(head.api_usd_per_hour),
        "idle": number(head.idle_usd_per_hour),
        "unheld": number(head.unheld_usd_per_hour),
    }


def number(value: float | None) -> float | None:
    """Return a number fit for JSON: finite, and rounded to 12 significant digits; None for what is unknown."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.12g}")


def timestamp(ts: float | None) -> str | None:
    """Return epoch seconds as RFC 3339 in UTC, to the second; None for what is no time."""
    if ts is None or not 0 <= ts < _LAST_TS:
        return None
    return datetime.fromtimestamp(int(ts), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _amount(value: float | None) -> float | None:
    """Return a number that cannot be negative; what a meter says below 0 is no reading."""
    return None if value is None or value < 0 else number(value)


def _ratio(value: float | None) -> float | None:
    """Return a share of the whole; a meter that rounds may say a little more than all of it."""
    return None if value is None or not 0 <= value <= _MOST_RATIO else number(min(value, 1.0))


def _whole(value: float | None) -> int | None:
    return None if value is None or not 0 <= value < math.inf else round(value)


def _quantiles(shown: Quantiles) -> dict[str, float | None]:
    if not shown.count:
        return {}
    points = {name: _amount(getattr(shown, name)[1]) for name in ("p50", "p95", "p99")}
    return {**points, "mean": _amount(shown.mean)}


def _model(row: ModelRow) -> dict[str, Any]:
    return {
        "model": row.model,
        "provider": row.provider,
        "source": row.source,
        "requests_per_second": _amount(row.requests_per_second),
        "tokens_per_second": {name: _amount(row.tokens_per_second.get(name)) for name in _CLASSES},
        "running": _whole(row.running),
        "waiting": _whole(row.waiting),
        "kv_cache_usage": _ratio(row.kv_cache_usage),
        "seconds": {
            "ttft": _quantiles(row.ttft),
            "inter_token": _quantiles(row.inter_token),
            "request": _quantiles(row.request),
            "queue": _quantiles(row.queue),
        },
        "answers_per_second_by_reason": {reason: _amount(rate) for reason, rate in row.answers_by_reason.items()},
        "failed_per_second": _amount(row.failed_per_second),
        "failed_per_second_by_reason": {reason: _amount(rate) for reason, rate in row.failed_by_reason.items()},
        "aborted_per_second": _amount(row.aborted_per_second),
        "preemptions_per_second": _amount(row.preemptions_per_second),
        "cache_hit_ratio": _ratio(row.cache_hit_ratio),
        "draft_acceptance_ratio": _ratio(row.draft_acceptance_ratio),
        "gpu_seconds_per_second": {"prefill": _amount(row.prefill_gpu_ratio), "decode": _amount(row.decode_gpu_ratio)},
        "asleep": _ratio(row.asleep),
        "stuck": row.stuck,
        "usd_per_hour": number(row.usd_per_hour),
        "usd_per_request": number(row.usd_per_request),
        "usd_per_million_tokens": {name: _amount(row.usd_per_million.get(name)) for name in (*_CLASSES, "blended")},
        "counts": row.counts,
        "counted_by": row.counted_by or None,
        "allocation": "all_in",
        "basis": row.basis,
        "age_seconds": _amount(row.age_seconds),
        "window_seconds": _amount(row.window_seconds),
        "totals": _totals(row),
    }


def _totals(row: ModelRow) -> dict[str, float | None]:
    counts = {name: _whole(row.totals.get(name)) for name in ("requests", *_CLASSES)}
    return {**counts, "usd": number(row.totals.get("usd"))}


def _gpu(row: GpuRow) -> dict[str, Any]:
    return {
        "uuid": row.uuid,
        "name": row.name,
        "index": int(row.index) if row.index.isdecimal() else row.index,
        "utilization": _ratio(row.utilization),
        "memory_used_bytes": _whole(row.memory_used_bytes),
        "memory_total_bytes": _whole(row.memory_total_bytes),
        "power_watts": _amount(row.power_watts),
        "power_limit_watts": _amount(row.power_limit_watts),
        "power_share_watts": _amount(row.power_share_watts),
        "temperature_celsius": _amount(row.temperature_celsius),
        "throttled": None if row.throttle_notes is None else [each for each in row.throttled.split(", ") if each],
        "parent": row.parent or None,
        "processes": [_process(each) for each in row.processes],
        "usd_per_hour": number(row.usd_per_hour),
        "idle_usd_per_hour": number(row.idle_usd_per_hour),
        "price_source": row.price_source or None,
        "models": list(row.models),
    }


def _process(row: ProcessRow) -> dict[str, Any]:
    return {
        "pid": row.pid,
        "name": row.name or None,
        "user": row.user or None,
        "memory_bytes": _whole(row.memory_bytes),
        "utilization": _ratio(row.utilization),
    }


def _deployment(row: DeploymentRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "kind": row.kind,
        "provider": row.provider,
        "model": row.model,
        "usd_per_hour": number(row.usd_per_hour),
        "usd_per_million_tokens": number(row.usd_per_million_tokens),
        "utilization": _amount(row.utilization),
        "break_even_utilization": _amount(row.break_even),
        "against": row.against or None,
        "traffic": row.traffic,
        "counts": row.counts,
        "basis": row.basis,
        "price_source": row.price_source or None,
        "verdict": row.verdict,
    }


def _budget(row: BudgetRow) -> dict[str, Any]:
    low, mid, high = row.forecast_usd
    return {
        "name": row.name,
        "period": row.period,
        "limit_usd": number(row.limit_usd),
        "spent_usd": number(row.spent_usd),
        "own_count": row.own_count,
        "fraction": number(row.fraction),
        "burn_usd_per_hour": number(row.burn_usd_per_hour),
        "forecast_usd": {"low": number(low), "mid": number(mid), "high": number(high)},
        "exhausted_at": timestamp(row.exhausted_at),
        "over_probability": _ratio(row.over),
        "crossings": [{"level": level, "at": timestamp(when)} for level, when in row.crossings],
        "burns": [
            {
                "seconds": _amount(each.seconds),
                "usd_per_hour": _amount(each.usd_per_hour),
                "usual_usd_per_hour": _amount(each.usual_usd_per_hour),
                "of_plan": _amount(each.of_plan),
            }
            for each in row.burns
        ],
        "level": row.level,
        "unread": list(row.unread),
        "origin": row.origin or None,
    }


def _anomaly(event: Event) -> dict[str, Any]:
    return {
        "scope": dict(event.scope),
        "metric": event.metric,
        "value": number(event.value),
        "expected": number(event.expected),
        "since": timestamp(event.ts),
        "cause": event.cause or None,
        "excess_usd": number(event.excess_usd),
        "excess_usd_per_hour": number(event.excess_usd_per_hour),
        "state": event.state if event.state in _STATES else None,
    }
