"""Minutes in which two engines work, made by hand, and the sums that the recorder would tell of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infertop.history.summary import Minute, Summary, Totals

BEGIN = 1_790_000_000 // 3600 * 3600
A, B = ("vllm@a:1", "llama"), ("vllm@b:1", "qwen")
SCOPE_A = (("model", "llama"), ("source", "vllm@a:1"))


def minute(n: int, usd: float = 1.0, tokens: int = 1000, requests: int = 10, covered: int = 60_000) -> Minute:
    """The n-th minute: `usd` an hour by A, as much by B, and `tokens` of A in so many requests."""
    nano = round(usd * 1e9 / 60)
    served = {"input": tokens // 2, "output": tokens - tokens // 2, "requests": requests, "gpu_busy": 60_000}
    totals = {A: Totals(served, nano), B: Totals({"requests": 0, "output": 0}, nano), ("nvml", None): Totals({}, nano)}
    return Minute(BEGIN + 60 * n, covered, totals, 3 * nano)


def summary(minutes: Sequence[Minute], **more: object) -> Summary:
    """The sums where all of these minutes are closed."""
    return replace(Summary(minutes=tuple(minutes), closed=minutes[-1].start + 60), **more)


def steady(count: int, **figures: float) -> list[Minute]:
    return [minute(n, **figures) for n in range(count)]
