"""Views made by hand: a rich one, an empty one, and one with names that want to do harm."""

from __future__ import annotations

import math
from dataclasses import replace

from infertop.views.page_shapes import GpuHistory, ModelPage
from infertop.views.shapes import (
    Explained,
    Headline,
    Overview,
    Searched,
    Stacked,
)
from tests.tui.sample_rows import AT, BUDGETS, EVENTS, GPUS, MODELS, SOURCES, TIMEZONE, wave

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


def gpu_history(view: Overview, uuid: str) -> GpuHistory:
    row = next((gpu for gpu in view.gpus if gpu.uuid == uuid), None)
    if row is None:
        raise KeyError(uuid)
    levels = {
        "gpu_utilization": row.utilization,
        "gpu_power_watts": row.power_watts,
        "gpu_memory_used_bytes": row.memory_used_bytes,
        "gpu_temperature_celsius": row.temperature_celsius,
    }
    times = tuple(view.at - 300 + 10 * n for n in range(30))
    return GpuHistory(uuid, times, {name: wave(30, 7, level, 0.1) for name, level in levels.items() if level})
