"""Incidents and comparisons made by hand: in every state, and some with names that want to do harm."""

from __future__ import annotations

from dataclasses import replace

from infertop.views.event_shapes import ACKNOWLEDGED, CLOSED, OPEN, PLANNED, Change, Comparison, Effect, Event
from tests.tui import sample
from tests.tui.sample import AT

HOUR, DAY = 3600.0, 86_400.0
SENTENCE = "2.6x: prompt tokens per request on gpt-4o 1,900 -> 4,200 is 51 % of it; since 04:12; +$1.35/h of +$2.65/h"
WHY = Comparison(
    scope={"model": "gpt-4o"},
    before=(AT - DAY - 1080, AT - DAY),
    after=(AT - 1080, AT),
    before_usd_per_hour=1.66,
    after_usd_per_hour=4.31,
    effects=(
        Effect("prompt_tokens", 1.35, "key prod-support", 1900.0, 4200.0, "tokens/request"),
        Effect("volume", 0.74, "", 310.0, 432.0, "requests/h"),
        Effect("cache_hit_rate", 0.51, "key prod-support", 0.44, 0.12, "ratio"),
        Effect("output_tokens", 0.07, "", 158.0, 162.0, "tokens/request"),
        Effect("price", -0.02, "gpt-4o, output", 2.29, 2.28, "usd/1M tokens"),
    ),
    by="key",
    changes=(
        Change("prod-support", 1.2, 3.83),
        Change("prod-search", 0.28, 0.3),
        Change("nightly", None, 0.18),
        Change("trial", 0.18, None),
    ),
    sentence=SENTENCE,
    flags=("5 % of the tokens before have no price and are in no effect",),
)
EVERYTHING = replace(
    WHY,
    scope={},
    before=(AT - 2 * HOUR, AT - HOUR),
    after=(AT - HOUR, AT),
    before_usd_per_hour=12.8,
    after_usd_per_hour=15.47,
    effects=(
        *WHY.effects[:2],
        Effect("utilization", -0.42, "llama-3-70b", 0.61, 0.74, "ratio"),
        Effect("gpu_count", 0.44, "llama-3-70b", 2.0, 3.0, "GPUs"),
        *WHY.effects[2:],
    ),
    by="model",
    changes=(Change("gpt-4o", 1.66, 4.31), Change("llama-3-70b", 4.96, 4.98)),
)
OPENED = Event(
    AT - 1080,
    "alarm",
    "incident",
    "gpt-4o: 2.6x: $4.31/h, expected $1.66/h, since 04:12; +$2.65/h, $0.80 more so far",
    {"model": "gpt-4o"},
    "usd_per_hour",
    4.31,
    1.66,
    None,
    SENTENCE,
    'incident usd_per_hour 1795317120 {"model": "gpt-4o"}',
    OPEN,
    0.8,
    2.65,
    6 * DAY,
    WHY,
)
SLOW = Event(
    AT - 600,
    "warn",
    "incident",
    "qwen3-32b: cached share of prompts 12 % where 44 % is usual",
    {"model": "qwen3-32b", "source": "triton@127.0.0.1:8002"},
    "cache_hit_ratio",
    0.12,
    0.44,
    key="incident cache_hit_ratio 1795317600 {}",
    state=OPEN,
    history_seconds=3 * HOUR,
)
ACKED = replace(
    OPENED,
    ts=AT - 3 * HOUR,
    text="llama-3-70b costs 9.80/h where 4.98 is usual",
    scope={"model": "llama-3-70b"},
    state=ACKNOWLEDGED,
    excess_usd=14.4,
    excess_usd_per_hour=4.8,
    key="incident 2",
    why=None,
    cause="",
)
PLAN = replace(
    ACKED,
    ts=AT - 5 * HOUR,
    text="key nightly costs 6.10/h where 0.40 is usual",
    scope={"key": "nightly"},
    state=PLANNED,
    key="incident 3",
)
PAST = replace(
    OPENED,
    ts=AT - 40 * HOUR,
    until=AT - 37 * HOUR,
    level="info",
    text="everything costs 31.20/h where 14.90 is usual",
    scope={},
    state=CLOSED,
    excess_usd=48.9,
    excess_usd_per_hour=None,
    key="incident 4",
)
EVENTS = (*sample.EVENTS[1:], OPENED, SLOW, ACKED, PLAN, PAST)
VIEW = replace(sample.RICH, events=EVENTS)
HOSTILE_WHYS = tuple(
    Comparison(
        {name: name},
        (float("-inf"), 1e300),
        (float("nan"), -1e300),
        None,
        float("inf"),
        (Effect(name, float("nan"), name, float("inf"), None, name), Effect(name, 1e300, name, 0.0, -0.0, "USD")),
        name,
        (Change(name, None, float("nan")), Change(name, 1e-300, 1e300)),
        name,
        (name,) * 3,
    )
    for name in sample.HOSTILE_NAMES
)
HOSTILE = replace(
    sample.HOSTILE,
    events=tuple(
        replace(
            OPENED,
            ts=AT - n,
            text=name,
            cause=name,
            state=name if n % 2 else OPEN,
            metric=name,
            scope={name: name},
            key=f"{n}{name}",
            excess_usd=1e300,
            excess_usd_per_hour=float("nan") if n % 3 else -1e9,
            why=why,
        )
        for n, (name, why) in enumerate(zip(sample.HOSTILE_NAMES, HOSTILE_WHYS, strict=True))
    ),
)
