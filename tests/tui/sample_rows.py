"""Hand-made rows of a machine with everything on it: models, GPUs, budgets, sources and events."""

from __future__ import annotations

import math
from dataclasses import replace

from infertop.views.shapes import (
    BudgetRow,
    Event,
    GpuRow,
    ModelRow,
    ProcessRow,
    Quantiles,
    SourceRow,
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


def served_here(row: ModelRow, seed: int) -> ModelRow:
    """The row with what an engine of one's own tells and an API does not."""
    return replace(
        row,
        provider="local",
        age_seconds=0.8,
        basis="measured",
        failed_per_second=0.0,
        running=14.0,
        waiting=float(seed % 9),
        kv_cache_usage=0.31 + seed / 20,
        kv_cache_peak=0.52 + seed / 20,
        draft_acceptance_ratio=0.63,
        preemptions_per_second=0.0,
        ttft=latencies(0.11 + seed / 30),
        inter_token=latencies(0.0219 + seed / 300),
        request=latencies(4.2),
        queue=Quantiles((None, None, 0.3), (None, None, 0.3), (60.0, None, None), 0.02, 1021.0),
        shadow_margin_usd_per_hour=seed * 1.3 - 3.1,
    )


def model(
    name: str, source: str, kind: str, usd: float, tok: float, req: float, per_request: float, blended: float, seed: int
) -> ModelRow:
    row = ModelRow(
        source=source,
        model=name,
        kind=kind,
        provider=kind,
        state="up",
        age_seconds=190.0,
        basis="computed",
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
        cache_hit_ratio=0.29,
        prompt_tokens_per_request=620.0,
        output_tokens_per_request=242.0,
        gpus=("GPU-0",),
        totals={"requests": 12240.0, "input": 5.4e6, "cache_read": 2.196e6, "output": 2.952e6, "usd": 4.98},
        trend=wave(60, seed, usd),
    )
    return row if kind in ("openai", "anthropic") else served_here(row, seed)


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
