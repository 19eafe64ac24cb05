"""Views made by hand: a rich one, an empty one, and one with names that want to do harm."""

from __future__ import annotations

import math
from dataclasses import replace

from infertop.views.page_shapes import ModelPage
from infertop.views.shapes import (
    BudgetRow,
    Event,
    Explained,
    GpuRow,
    Headline,
    ModelRow,
    Overview,
    ProcessRow,
    Quantiles,
    Searched,
    SourceRow,
    Stacked,
)

AT = 1_795_318_200.0  # Sun 22 Nov 2026, 03:30 UTC
GB = 2.0**30
TIMEZONE = "Europe/Berlin"


def wave(size: int, seed: int, level: float, swing: float = 0.4) -> tuple[float, ...]:
    return tuple(
        round(level * (1 + swing * math.sin(n / (2.3 + seed % 3) + seed) * math.cos(n / 7.1 + seed)), 4)
        for n in range(size)
    )


def around(mid: float) -> tuple[float | None, float | None, float | None]:
    return mid * 0.8, mid, mid * 1.3


def latencies(mid: float) -> Quantiles:
    return Quantiles(around(mid), around(mid * 2.7), around(mid * 5), mid * 1.2, 1021.0)


def model(
    name: str, source: str, kind: str, usd: float, tok: float, req: float, per_request: float, blended: float, seed: int
) -> ModelRow:
    local = kind not in ("openai", "anthropic")
    return ModelRow(
        source=source,
        model=name,
        kind=kind,
        provider="local" if local else kind,
        state="up",
        age_seconds=0.8 if local else 190.0,
        basis="measured" if local else "computed",
        window_seconds=300.0,
        usd_per_hour=usd,
        usage_usd_per_hour=usd * 0.84,
        usd_per_request=per_request,
        usd_per_million={
            "input": blended * 0.6,
            "cache_read": blended * 0.06,
            "output": blended * 2.4,
            "blended": blended,
        },
        tokens_per_second={"input": tok * 0.51, "cache_read": tok * 0.21, "output": tok * 0.28},
        requests_per_second=req,
        failed_per_second=0.0 if local else None,
        running=14.0 if local else None,
        waiting=float(seed % 9) if local else None,
        kv_cache_usage=0.31 + seed / 20 if local else None,
        kv_cache_peak=0.52 + seed / 20 if local else None,
        cache_hit_ratio=0.29,
        draft_acceptance_ratio=0.63 if local else None,
        preemptions_per_second=0.0 if local else None,
        prompt_tokens_per_request=620.0,
        output_tokens_per_request=242.0,
        ttft=latencies(0.11 + seed / 30) if local else Quantiles(),
        inter_token=latencies(0.0219 + seed / 300) if local else Quantiles(),
        request=latencies(4.2) if local else Quantiles(),
        queue=Quantiles((None, None, 0.3), (None, None, 0.3), (60.0, None, None), 0.02, 1021.0)
        if local
        else Quantiles(),
        shadow_margin_usd_per_hour=seed * 1.3 - 3.1 if local else None,
        gpus=("GPU-0",),
        totals={"requests": 12240.0, "input": 5.4e6, "cache_read": 2.196e6, "output": 2.952e6, "usd": 4.98},
        trend=wave(60, seed, usd),
    )


MODELS = (
    replace(model("llama-3-70b", "vllm@127.0.0.1:8000", "vllm", 4.98, 2930, 3.4, 0.00041, 0.472, 1)),
    replace(
        model("gpt-4o", "openai", "openai", 4.31, 523, 0.12, 0.00997, 2.29, 2),
        marked=True,
        mark_note="2.6x its usual $/h at this hour: prompt tokens per request 1 900 → 4 200",
    ),
    model("deepseek-v3", "sglang@127.0.0.1:30000", "sglang", 2.89, 1180, 3.2, 0.00025, 0.678, 3),
    model("qwen3-32b", "triton@127.0.0.1:8002", "triton", 1.07, 410, 0.9, 0.00033, 0.724, 4),
    model("gemma-3-27b-it", "vllm@127.0.0.1:8001", "vllm", 0.98, 246, 0.39, 0.00007, 0.11, 5),
    model("claude-sonnet-5", "anthropic", "anthropic", 0.65, 36, 0.01, 0.01806, 5.02, 6),
    replace(
        model("whisper-v3", "triton@127.0.0.1:8002", "triton", 0.31, 98, 0.9, 0.00119, 0.62, 7),
        state="stale",
        age_seconds=42.0,
    ),
    replace(
        model("phi-4", "llamacpp@127.0.0.1:8080", "llamacpp", 0.28, 60, 0.04, 0.00194, 1.3, 8),
        usd_per_hour=None,
        usd_per_request=None,
        usd_per_million={},
    ),
)


def gpu(
    index: int,
    name: str,
    util: float,
    used: float,
    total: float,
    watts: float | None,
    usd: float,
    idle: float,
    models: tuple[str, ...],
) -> GpuRow:
    return GpuRow(
        uuid=f"GPU-{index}",
        index=str(index),
        name=name,
        state="up",
        age_seconds=0.4,
        utilization=util,
        memory_used_bytes=used * GB,
        memory_total_bytes=total * GB,
        power_watts=watts,
        power_limit_watts=700.0,
        temperature_celsius=58.0 + index,
        sm_clock_hertz=1.98e9,
        usd_per_hour=usd,
        idle_usd_per_hour=idle,
        price_source="pricing.toml:4",
        models=models,
        trend=wave(60, index, util),
        meter="NVML",
    )


GPUS = (
    gpu(0, "NVIDIA H100 80GB HBM3", 0.83, 71, 80, 512, 2.49, 0.42, ("llama-3-70b",)),
    gpu(1, "NVIDIA H100 80GB HBM3", 0.88, 70, 80, 540, 2.49, 0.30, ("llama-3-70b",)),
    replace(
        gpu(2, "NVIDIA H100 80GB HBM3", 0.99, 78, 80, 694, 2.49, 0.02, ("deepseek-v3",)),
        throttled="power cap",
        throttle_notes=("power cap: it draws what its power limit allows",),
        processes=(
            ProcessRow(4242, "VLLM::EngineCore", "serve", 76.5 * GB, 0.97),
            ProcessRow(4243, "", "", None, None),
        ),
    ),
    gpu(3, "NVIDIA H100 80GB HBM3", 0.44, 42, 80, 404, 2.49, 1.40, ("deepseek-v3", "gemma-3-27b-it")),
    gpu(4, "NVIDIA H100 MIG 3g.40gb", 0.04, 15, 40, None, 1.07, 1.03, ("qwen3-32b",)),
    gpu(5, "NVIDIA A100-SXM4-40GB", 0.51, 26, 40, 327, 1.29, 0.63, ("qwen3-32b",)),
    replace(gpu(6, "NVIDIA L40S", 0.11, 4, 48, 98, 1.55, 1.38, ("whisper-v3",)), state="stale", age_seconds=42.0),
    replace(
        gpu(7, "NVIDIA L40S", 0.0, 0, 48, 33, 1.55, 1.55, ()),
        price_source="default rates 2026-11-22",
        price_default=True,
        price_note="2026-11-22",
    ),
)
BUDGETS = (
    BudgetRow(
        "everything",
        "month",
        6000.0,
        4118.2,
        0.686,
        15.47,
        (5930.0, 6240.0, 6550.0),
        AT + 7.2 * 86400,
        "50%",
        AT + 8.8 * 86400,
        "",
        1.0,
    ),
    BudgetRow(
        "support bot",
        "month",
        3000.0,
        330.1,
        0.11,
        4.31,
        (890.0, 980.0, 1070.0),
        None,
        "ok",
        AT + 8.8 * 86400,
        "model=gpt-4o*",
        0.93,
    ),
    BudgetRow(
        "research",
        "day",
        40.0,
        41.3,
        1.032,
        2.89,
        (52.0, 57.5, 63.0),
        AT - 900,
        "over",
        AT + 0.8 * 86400,
        "team=research",
        1.0,
    ),
)
SOURCES = (
    SourceRow("nvml", "nvml", "up", 0.4, "", "libnvidia-ml.so.1", 1.0, 0.0041),
    SourceRow("vllm@127.0.0.1:8000", "vllm", "up", 0.8, "", "http://127.0.0.1:8000", 1.0, 0.0123),
    SourceRow("vllm@127.0.0.1:8001", "vllm", "up", 0.3, "", "http://127.0.0.1:8001", 1.0, 0.0119),
    SourceRow("sglang@127.0.0.1:30000", "sglang", "up", 0.6, "", "http://127.0.0.1:30000", 1.0, 0.0091),
    SourceRow(
        "triton@127.0.0.1:8002",
        "triton",
        "stale",
        42.0,
        "no answer for 42 s, tried again in 8 s",
        "http://127.0.0.1:8002",
        1.0,
        1.0,
        4,
        0,
    ),
    SourceRow("openai", "openai", "up", 190.0, "", "https://api.openai.com/v1", 60.0, 0.81, 0, 2),
    SourceRow(
        "anthropic",
        "anthropic",
        "auth",
        None,
        "the key in ANTHROPIC_ADMIN_KEY was refused (401): it must be an admin key",
        "https://api.anthropic.com",
        60.0,
        0.3,
        12,
        0,
    ),
)
EVENTS = (
    Event(
        AT - 1080,
        "alarm",
        "anomaly",
        "gpt-4o 2.6x: prompt tokens/request 1 900 → 4 200 is 51 % of +$2.65/h",
        {"model": "gpt-4o"},
        "usd_per_hour",
        4.31,
        1.66,
    ),
    Event(AT - 1500, "warn", "budget", "research is over its 40.00/day", until=AT - 1200),
    Event(AT - 2400, "info", "restart", "vllm@127.0.0.1:8001 restarted, counters begin again at 0"),
    Event(AT - 90000, "info", "prices", "pricing.toml was loaded: 4 GPU rates, 2 budgets"),
)
NAMES = tuple(row.model for row in MODELS)
TIMES = tuple(AT - 3600 + 60 * n for n in range(60))
HEADLINE = Headline(
    usd_per_hour=15.47,
    gpu_usd_per_hour=10.51,
    host_usd_per_hour=0.4,
    api_usd_per_hour=4.96,
    idle_usd_per_hour=3.3,
    unheld_usd_per_hour=1.55,
    tokens_per_second=5483.0,
    usual_usd_per_hour=11.9,
    marked=True,
    today_usd=43.6,
    month_usd=4118.2,
    month_forecast_usd=(5930.0, 6240.0, 6550.0),
    month_limit_usd=6000.0,
    default_prices=1,
    unpriced=1,
    trend=tuple(11.9 + 3.6 * max(0.0, (n - 38) / 22) + 0.3 * math.sin(n) for n in range(60)),
)
RICH = Overview(
    at=AT,
    timezone=TIMEZONE,
    host="gpu-box-3",
    mode="live",
    window_seconds=300.0,
    interval_seconds=1.0,
    headline=HEADLINE,
    models=MODELS,
    gpus=GPUS,
    budgets=BUDGETS,
    sources=SOURCES,
    events=EVENTS,
    cost_history=Stacked(
        TIMES,
        (
            *((row.model, wave(60, n, row.usd_per_hour or 0.0, 0.3)) for n, row in enumerate(MODELS)),
            ("unheld", (1.55,) * 60),
        ),
    ),
    tokens_history=Stacked(
        TIMES, (("input", wave(60, 1, 2790.0)), ("cache_read", wave(60, 2, 1150.0)), ("output", wave(60, 3, 1530.0)))
    ),
    self_cpu_ratio=0.013,
    self_memory_bytes=61e6,
)
EMPTY = Overview(
    at=AT,
    timezone="UTC",
    host="laptop",
    mode="live",
    window_seconds=60.0,
    interval_seconds=1.0,
    headline=Headline(None, None, None, None, None, None),
    models=(),
    gpus=(),
    budgets=(),
    sources=(),
    events=(),
    searched=(
        Searched("GPUs", "NVML library", "not found (no NVIDIA driver on this machine)"),
        Searched("engines", "ports 8000 8002 3000 8080 30000 11434 and 12 processes", "none found"),
        Searched("providers", "OPENAI_ADMIN_KEY ANTHROPIC_ADMIN_KEY OPENROUTER_API_KEY", "not set"),
        Searched("agents", "~/.claude  ~/.codex", "no logs"),
    ),
)
HOSTILE_NAMES = (
    "[red]x[/]",
    "[/]",
    "[@click=app.quit]press[/]",
    "\x1b[31mred\x1b[0m",
    "\x1b]52;c;SEFDSw==\x07clip",
    "\x1b]0;PWNED\x1b\\",
    "a\x9b31mb\u202egpj.exe",
    "日本語の大きなモデル名-70b-instruct",
    "👨‍👩‍👧‍👦 family 🇩🇪 👍🏽",
    "e\u0301a\u200bb\ufeff",
    "x" * 500,
    "line\nbreak\ttab\rreturn",
    "",
    "\udcff lone",
)
HOSTILE = replace(
    RICH,
    host="box\x1b]0;title\x07",
    mode="viewer",
    recorder="recorded by pid 1\x1b[2J",
    models=tuple(
        replace(MODELS[n % 8], model=name, source=f"vllm{name}", mark_note=name) for n, name in enumerate(HOSTILE_NAMES)
    ),
    gpus=tuple(
        replace(GPUS[n % 8], uuid=str(n), name=name, models=(name,), throttled=name)
        for n, name in enumerate(HOSTILE_NAMES)
    ),
    budgets=tuple(replace(BUDGETS[n % 3], name=name, scope=name, period=name) for n, name in enumerate(HOSTILE_NAMES)),
    sources=tuple(
        replace(SOURCES[n % 7], name=name, detail=name, address=name, state=name)
        for n, name in enumerate(HOSTILE_NAMES)
    ),
    events=tuple(
        replace(EVENTS[0], text=name, cause=name, kind=name, level=name, ts=AT - n)
        for n, name in enumerate(HOSTILE_NAMES)
    ),
    notices=HOSTILE_NAMES,
    cost_history=Stacked(TIMES, tuple((name, wave(60, n, 1.0)) for n, name in enumerate(HOSTILE_NAMES))),
    searched=tuple(Searched(name, name, name) for name in HOSTILE_NAMES),
)
EXPLAINED_HEAD = {
    "month_forecast_usd": Explained(
        "month  6 240 ±310   forecast", ("= 4 118 spent + 212 h left at the usual $/h of each hour of the week",)
    )
}
EXPLAINED = {
    "usd_per_hour": Explained(
        "$/h  4.98   measured · all-in · 5 min · 1 s old",
        (
            "= 2 x H100 80GB HBM3 at $2.49/h, rented",
            "price: pricing.toml:4, since 10 Nov",
            "usage allocation, idle apart: 4.26",
        ),
    ),
    "usd_per_request": Explained(
        "$/request  .00041   measured · all-in · 5 min · 1 s old",
        (
            "= $4.98/h x 300.2 s / 3600 / 1 021 requests finished",
            "requests: vllm:request_params_n_count",
            "37 aborted requests are in the tokens but not in the requests.",
        ),
    ),
}


def page(view: Overview, source: str, name: str) -> ModelPage:
    row = next((r for r in view.models if (r.source, r.model) == (source, name)), None)
    if row is None:
        raise KeyError(name)
    return ModelPage(
        at=view.at,
        row=row,
        gpus=tuple(g for g in view.gpus if name in g.models),
        split_method="prefill and decode by token weights: the engine does not report its GPU time",
        prefill_usd_per_hour=None if row.usd_per_hour is None else row.usd_per_hour * 0.25,
        decode_usd_per_hour=None if row.usd_per_hour is None else row.usd_per_hour * 0.75,
        allocation_note="the busy part by measured GPU time, the idle part by memory held",
        times=TIMES,
        history={
            "usd_per_hour": wave(60, 1, row.usd_per_hour or 0.0),
            "input": wave(60, 2, 1500.0),
            "cache_read": wave(60, 3, 610.0),
            "output": wave(60, 4, 820.0),
            "requests": wave(60, 5, 3.4),
        },
        events=tuple(e for e in view.events if e.scope.get("model") == name),
        explained=tuple(EXPLAINED.values()),
        not_reported=("power of one process", "prefill time"),
        price_notes=(
            "2 x H100 80GB HBM3 at $2.49/h, rented: pricing.toml:4",
            "shadow price 0.60 in, 0.90 out: pricing.toml:31",
        ),
    )
