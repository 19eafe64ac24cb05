"""What-if pages made by hand: own GPUs beside hundreds of models, an API model, and names that want to do harm."""

from __future__ import annotations

from dataclasses import replace

from infertop.views.whatif_shapes import Alternative, BreakEven, Saving, Scale, WhatIf, WhatIfPage
from tests.tui.sample import AT, HOSTILE_NAMES

PROVIDERS = ("openai", "anthropic", "google", "groq", "together", "fireworks", "aws", "azure")
HOUR = 3600.0


def alternative(provider: str, model: str, usd: float | None, now: float | None, **more: object) -> Alternative:
    return Alternative(
        provider=provider,
        model=model,
        usd_per_hour=usd,
        usd_per_request=None if usd is None else usd / 12_240,
        usd_per_million_tokens=None if usd is None else usd / 10.548,
        ratio=usd / now if usd is not None and now else None,
        price_source="snapshot 2026-11-10",
        **more,
    )


def alternatives(now: float, size: int = 400) -> tuple[Alternative, ...]:
    """`size` models from a hundredth of what it costs now to a hundred times that, cheapest first."""
    made = [
        alternative(
            PROVIDERS[n % 8],
            f"model-{n:03d}",
            now * 10 ** (4 * n / size - 2),
            now,
            since="2026-06-01" if n % 3 else "",
            notes=("cache_read has no price of its own: input's was used",) if n % 5 == 0 else (),
        )
        for n in range(size)
    ]
    return tuple(made)


NOW = 4.98
OWN = replace(
    alternative("local", "llama-3-70b", NOW, NOW, current=True), price_source="gpu rate pricing.toml:4", ratio=1.0
)
LLAMA = WhatIf(
    source="vllm@127.0.0.1:8000",
    provider="local",
    model="llama-3-70b",
    seconds=3492.0,
    coverage=0.97,
    requests=12_240.0,
    tokens={"input": 5.4e6, "cache_read": 2.196e6, "output": 2.952e6},
    usd_per_hour=NOW,
    basis="measured",
    gpus=2.0,
    gpu_name="NVIDIA H100 80GB HBM3",
    gpu_usd_per_hour=2.49,
    capacity_tokens_per_second=5200.0,
    capacity_method="the highest minute of the last 7 days: 4 160 tokens/s at 80 % GPU time",
    alternatives=(
        *alternatives(NOW)[:200],
        OWN,
        *alternatives(NOW)[200:],
        alternative("acme", "no-price", None, NOW),
    ),
    break_even=(
        BreakEven(
            "groq/llama-3.3-70b",
            0.653,
            183e6,
            449e6,
            0.41,
            True,
            "own GPUs are cheaper from 183 million tokens a day on, 41 % of what 2 x H100 can serve",
        ),
        BreakEven(
            "deepseek/deepseek-chat",
            0.21,
            569e6,
            449e6,
            None,
            False,
            "never on this GPU: 569 million tokens a day are needed and 449 million can be served",
        ),
        BreakEven("acme/unknown", None, None, None, None, None, "acme/unknown has no price"),
    ),
    scale=(
        Scale(1.0, 2930.0, "groq/llama-3.3-70b", 6.89, 2, 4.98),
        Scale(10.0, 29300.0, "groq/llama-3.3-70b", 68.9, 12, 29.88, "12 whole GPUs at 2 600 tokens/s each"),
        Scale(100.0, 293000.0, "groq/llama-3.3-70b", 689.0, None, None, "what a GPU can serve was not measured"),
    ),
    savings=(
        Saving("prompt cache", True, 0.42, "2.2M tokens were read from the cache: 0.42/h less than fresh"),
        Saving("more caching", False, 1.1, "if every prompt token had been read from the cache"),
        Saving("batch", False, None, "this model has no batch price"),
    ),
    explained=(
        "traffic: 12 240 requests in 3 492 s, from vllm:request_params_n_count",
        "an alternative: tokens of each class x its price / 1 000 000, over the recorded time",
    ),
)
GPT = replace(
    LLAMA,
    source="openai",
    provider="openai",
    model="gpt-4o",
    requests=41.0,
    usd_per_hour=4.31,
    basis="computed",
    gpus=None,
    gpu_name="",
    gpu_usd_per_hour=None,
    capacity_tokens_per_second=None,
    capacity_method="",
    alternatives=(alternative("openai", "gpt-4o", 4.31, 4.31, current=True), *alternatives(4.31, 40)),
    break_even=(),
    scale=(),
)
ALL = replace(
    LLAMA, source="", provider="", model="(all)", usd_per_hour=9.29, basis="computed", coverage=1.0, seconds=HOUR
)
PAGE = WhatIfPage(AT, AT - HOUR, AT, (ALL, LLAMA, GPT))
WELL_KNOWN = replace(
    PAGE,
    subjects=tuple(
        replace(each, alternatives=(*each.alternatives[:24], *(a for a in each.alternatives if a.current)), more=2141)
        for each in PAGE.subjects
    ),
)
NOTHING = WhatIfPage(AT, AT - HOUR, AT, ())
UNREADABLE = replace(NOTHING, notices=("the history cannot be read: the disk is full",))
HOSTILE = replace(
    PAGE,
    notices=HOSTILE_NAMES,
    subjects=tuple(
        replace(
            LLAMA,
            source=f"vllm{name}",
            model=name,
            gpu_name=name,
            basis=name,
            tokens=dict.fromkeys(HOSTILE_NAMES, 1000000.0),
            alternatives=tuple(
                replace(alternative(each, each, 1.0, 2.0), price_source=each, since=each, notes=(each,))
                for each in HOSTILE_NAMES * 2
            ),
            break_even=tuple(replace(LLAMA.break_even[0], against=each, sentence=each) for each in HOSTILE_NAMES),
            scale=tuple(replace(LLAMA.scale[0], api_model=each, note=each) for each in HOSTILE_NAMES),
            savings=tuple(Saving(each, False, 1.0, each) for each in HOSTILE_NAMES),
            explained=HOSTILE_NAMES,
        )
        for name in HOSTILE_NAMES
    ),
)
EMPTY_HANDED = WhatIf(
    "", "", "quiet", 0.0, None, None, {}, None, "measured", None, "", None, None, "", (), (), (), ()
)  # fmt: skip
EMPTY_SUBJECT = replace(PAGE, subjects=(EMPTY_HANDED,))
