"""Usages to compare: random ones, and small ones that say what was done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

from infertop.money.why.usage import Usage, UsageLine

CLASSES = ("input", "cache_read", "cache_write_5m", "output", "reasoning", "input_audio", "web_searches")
WAYS = ("", "batch", "priority", "above 200,000")
MS = 3_600_000


@dataclass(frozen=True)
class Traffic:
    """An hour of a model's requests by one key; prices in USD a million tokens."""

    model: str = "gpt-4o"
    key: str = "a"
    requests: float = 1000.0
    prompt: float = 2000.0
    output: float = 300.0
    hits: float = 0.25
    reasoning: float = 0.0
    input_usd: float = 2.5
    output_usd: float = 10.0
    way: str = ""
    provider: str = "openai"
    requests_known: bool = True

    def lines(self) -> list[UsageLine]:
        own = {"source": self.provider, "provider": self.provider, "model": self.model, "key": self.key}
        priced = self.provider != "local"
        counts = (
            ("input", self.requests * self.prompt * (1 - self.hits), self.input_usd),
            ("cache_read", self.requests * self.prompt * self.hits, self.input_usd / 2),
            ("output", self.requests * self.output, self.output_usd),
            ("reasoning", self.requests * self.reasoning, self.output_usd),
        )
        made = [
            UsageLine(own, name, count, round(count * usd * 1000) if priced else None, self.way)
            for name, count, usd in counts
        ]
        return [*made, UsageLine(own, "requests", self.requests, None, self.way)] if self.requests_known else made


def usage(*traffic: Traffic, more: Sequence[UsageLine] = ()) -> Usage:
    return Usage((*(line for each in traffic for line in each.lines()), *more))


def gpus(count: int, busy: float, usd: float = 3.0, model: str = "llama", pool: str = "H100") -> list[UsageLine]:
    """So many GPUs for an hour, each busy for that share of it."""
    own = {"source": "vllm", "provider": "local", "model": model}
    made = []
    for n in range(count):
        for resource, share in (("gpu_busy", busy), ("gpu_idle", 1 - busy)):
            nano = round(usd * 1e9 * share)
            made.append(UsageLine(own, resource, MS * share, nano, pool=pool, gpu=f"GPU-{n}"))
    return made


_names = st.sampled_from(("gpt-4o", "mini", "llama", ""))
_keys = st.sampled_from(("", "a", "b", "c"))
_amounts = st.one_of(st.just(0.0), st.floats(1e-4, 1e9), st.integers(0, 10**6).map(float))
_costs = st.one_of(st.none(), st.just(0), st.integers(0, 10**15), st.integers(0, 1000))


@st.composite
def _lines(draw: st.DrawFn) -> UsageLine:
    resource = draw(
        st.sampled_from(
            (
                *CLASSES,
                "requests",
                "cost",
                "gpu_busy",
                "gpu_idle",
                "gpu",
                "gpu_energy",
                "host",
                "deployment",
                "adjustment",
            )
        )
    )
    provider = draw(st.sampled_from(("openai", "local")))
    dimensions = {"source": provider, "provider": provider, "model": draw(_names), "key": draw(_keys)}
    cost = draw(_costs)
    if resource == "adjustment" and cost is not None and draw(st.booleans()):
        cost = -cost
    return UsageLine(
        {name: value for name, value in dimensions.items() if value},
        resource,
        draw(_amounts),
        cost,
        draw(st.sampled_from(WAYS)),
        draw(st.sampled_from(("", "H100"))),
        draw(st.sampled_from(("GPU-0", "GPU-1"))),
    )


usages = st.lists(_lines(), max_size=14).map(lambda lines: Usage(tuple(lines)))
