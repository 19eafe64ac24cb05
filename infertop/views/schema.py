"""The JSON Schema (draft 2020-12) of `infertop --once --json`: the contract for scripts."""

from __future__ import annotations

from typing import Any

from infertop.readings.registry import TOKEN_CLASSES
from infertop.views.once import SCHEMA_VERSION

_STRING: dict[str, Any] = {"type": "string"}
_INSTANT: dict[str, Any] = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}


def _known(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


def _maybe(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": [kind, "null"], **more}


def _object(**properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_AMOUNT = _maybe("number", minimum=0)
_MONEY = _maybe("number")
_COUNT = _maybe("integer", minimum=0)
_RATIO = _maybe("number", minimum=0, maximum=1)
_QUANTILES = {
    "type": "object",
    "properties": {"p50": _AMOUNT, "p95": _AMOUNT, "p99": _AMOUNT, "mean": _AMOUNT},
    "additionalProperties": False,
    "description": "empty where nothing was observed in the window; null where the histogram cannot say",
}
_PER_CLASS = dict.fromkeys(("input", "cache_read", "output"), _AMOUNT)

_BY_REASON = {
    "type": "object",
    "additionalProperties": _AMOUNT,
    "description": "by the engine's words, as far as it has told any",
}
_MODEL = _object(
    model=_STRING,
    provider=_STRING,
    source=_STRING,
    requests_per_second=_AMOUNT,
    tokens_per_second=_object(**_PER_CLASS),
    running=_COUNT,
    waiting=_COUNT,
    kv_cache_usage=_RATIO,
    seconds=_object(ttft=_QUANTILES, inter_token=_QUANTILES, request=_QUANTILES, queue=_QUANTILES),
    answers_per_second_by_reason=_BY_REASON,
    failed_per_second=_AMOUNT,
    failed_per_second_by_reason=_BY_REASON,
    aborted_per_second=_AMOUNT,
    preemptions_per_second=_AMOUNT,
    cache_hit_ratio=_RATIO,
    draft_acceptance_ratio=_RATIO,
    gpu_seconds_per_second=_object(prefill=_AMOUNT, decode=_AMOUNT),
    asleep={**_RATIO, "description": "the share of its ranks whose weights are off the GPU"},
    stuck={
        "type": "boolean",
        "description": "running, waiting and KV cache are old: nothing moved for 30 s",
    },
    usd_per_hour=_MONEY,
    usd_per_request=_MONEY,
    usd_per_million_tokens=_object(**_PER_CLASS, blended=_MONEY),
    counts={"type": "boolean", "description": "whether it is part of totals; without, it tells who used what"},
    counted_by={**_maybe("string"), "description": "the source that counts the same requests"},
    allocation={"enum": ["all_in", "usage"]},
    basis={"enum": ["measured", "computed", "estimated", "billed"]},
    age_seconds={**_AMOUNT, "description": "of what was read; of an API, since its newest whole minute ended"},
    window_seconds={**_AMOUNT, "description": "over which its rates and costs were taken"},
    totals=_object(requests=_COUNT, input=_COUNT, cache_read=_COUNT, output=_COUNT, usd=_MONEY),
)
_PROCESS = _object(
    pid={"type": "integer"},
    name=_maybe("string"),
    user=_maybe("string"),
    memory_bytes=_COUNT,
    utilization={**_RATIO, "description": "its share of the SM time"},
)
_GPU = _object(
    uuid=_STRING,
    name=_STRING,
    index={"type": ["integer", "string"]},
    utilization=_RATIO,
    memory_used_bytes=_COUNT,
    memory_total_bytes=_COUNT,
    power_watts=_AMOUNT,
    power_limit_watts=_AMOUNT,
    power_share_watts={**_AMOUNT, "description": "a MIG instance's part, by slices, of what its GPU draws"},
    temperature_celsius=_AMOUNT,
    throttled={
        "anyOf": [_list(_STRING), {"type": "null"}],
        "description": "what holds the clock of a busy GPU down",
    },
    parent={**_maybe("string"), "description": "the GPU that a MIG instance is a part of"},
    processes=_list(_PROCESS),
    usd_per_hour=_MONEY,
    idle_usd_per_hour=_MONEY,
    price_source=_maybe("string"),
    models=_list(_STRING),
)
_DEPLOYMENT = _object(
    name=_STRING,
    kind={"enum": ["provisioned", "serverless", "batch"]},
    provider=_STRING,
    model=_STRING,
    usd_per_hour=_MONEY,
    usd_per_million_tokens=_MONEY,
    utilization={**_AMOUNT, "description": "of what is reserved, or of an hour of its workers; may be above 1"},
    break_even_utilization={
        **_AMOUNT,
        "description": "from which (provisioned) or until which (serverless) it is cheaper than `against`",
    },
    against=_maybe("string"),
    traffic={"enum": ["measured", "declared", "unknown"]},
    counts={"type": "boolean", "description": "whether its hours are part of usd_per_hour.api"},
    basis={"enum": ["measured", "computed", "estimated", "billed"]},
    price_source=_maybe("string"),
    verdict=_STRING,
)
_BUDGET = _object(
    name=_STRING,
    period={"enum": ["hour", "day", "week", "month"]},
    limit_usd=_known("number", exclusiveMinimum=0),
    spent_usd=_MONEY,
    own_count={"type": "boolean", "description": "spent_usd is what `origin` says itself, not the ledger's"},
    fraction=_MONEY,
    burn_usd_per_hour=_MONEY,
    forecast_usd=_object(low=_MONEY, mid=_MONEY, high=_MONEY),
    exhausted_at={"anyOf": [_INSTANT, {"type": "null"}]},
    over_probability={**_RATIO, "description": "that the limit is reached by the period's end"},
    crossings=_list(_object(level=_STRING, at={"anyOf": [_INSTANT, {"type": "null"}]})),
    burns=_list(
        _object(
            seconds={**_AMOUNT, "description": "the window, up to now"},
            usd_per_hour=_AMOUNT,
            usual_usd_per_hour=_AMOUNT,
            of_plan={**_AMOUNT, "description": "times what the limit allows at this time of the week"},
        )
    ),
    level={**_maybe("string"), "description": "ok, the highest level reached (50%, over), null: unknown"},
    unread={**_list(_STRING), "description": "sources still being read back: spent_usd is what is known so far"},
    origin={**_maybe("string"), "description": "the provider whose own limit it is; null: a [[budget]]"},
)
_ANOMALY = _object(
    scope={"type": "object", "additionalProperties": _STRING},
    metric=_STRING,
    value=_MONEY,
    expected=_MONEY,
    since=_INSTANT,
    cause=_maybe("string"),
    excess_usd={**_MONEY, "description": "what an incident came to so far beyond what was expected"},
    excess_usd_per_hour={**_MONEY, "description": "what it adds an hour now"},
    state={
        "enum": ["open", "acknowledged", "planned", None],
        "description": "an incident's; null: no incident, but more than sigma deviations from the mean of a week",
    },
)
_SOURCE = _object(
    name=_STRING,
    kind=_STRING,
    state={"enum": ["starting", "up", "stale", "down", "auth", "absent"]},
    age_seconds=_AMOUNT,
    detail=_STRING,
    counts={"type": "boolean", "description": "whether anything that it tells of is part of totals"},
    note={**_STRING, "description": "what of it is not part of totals, and which source counts the same"},
)


def schema() -> dict[str, Any]:
    """Return the schema; every key is always there, null is unknown."""
    body = _object(
        schema={"const": SCHEMA_VERSION},
        at=_INSTANT,
        window_seconds=_AMOUNT,
        demo=_known("boolean"),
        usd_per_hour=_object(**dict.fromkeys(("total", "gpu", "host", "api", "idle", "unheld"), _MONEY)),
        api_age_seconds={**_AMOUNT, "description": "since the minutes that usd_per_hour.api is of ended"},
        unpriced={
            **_object(**dict.fromkeys(("models", "tokens", "gpus", "own_models"), _known("integer", minimum=0))),
            "description": "what is in no sum: models whose tokens of today have no price, GPUs without a rate, "
            "models of one's own where no GPU and no host has one",
        },
        unassigned={
            "type": "object",
            "additionalProperties": _RATIO,
            "description": "the share of today's spend that has no team, ..., of what [[assign]] gives",
        },
        models=_list(_MODEL),
        gpus=_list(_GPU),
        deployments=_list(_DEPLOYMENT),
        budgets=_list(_BUDGET),
        anomalies=_list(_ANOMALY),
        sources=_list(_SOURCE),
    )
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "infertop --once --json",
        "description": "One reading. USD, seconds, bytes, watts; ratios between 0 and 1; null is unknown. Classes: "
        + ", ".join(f"{each.name} ({each.help})" for each in TOKEN_CLASSES.values()),
        **body,
    }
