"""What the what-if page and `infertop whatif --json` show. None is unknown, never 0; money is USD, time seconds."""

from __future__ import annotations

from dataclasses import dataclass

AS_NOW = "as now"
"""The `api_model` of everything together: its API part and its own GPUs are both paid, and no choice."""

SEVERAL_KINDS = "several kinds"
"""The `gpu_name` of everything together where not all GPUs are of one name."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """The measured traffic on another model, or on own GPUs: what an hour of it would cost there.

    `ratio` is that over what it costs now. `price_source` and `since` tell the price ("snapshot 2026-11-10",
    "pricing.toml:31", "gpu rate pricing.toml:4"); `notes` are sentences: a class without a price, a tier chosen by the
    mean prompt.
    """

    provider: str
    model: str
    usd_per_hour: float | None
    usd_per_request: float | None
    usd_per_million_tokens: float | None
    ratio: float | None
    price_source: str
    since: str = ""
    notes: tuple[str, ...] = ()
    current: bool = False


@dataclass(frozen=True, slots=True)
class BreakEven:
    """From how many tokens a day, and from which utilisation of the GPUs held, own GPUs are cheaper than `against`.

    `reachable` is False where the GPUs cannot serve that many: then `sentence` says "never on this GPU" and why, and
    None where what they can serve was not measured.
    """

    against: str
    api_usd_per_million_tokens: float | None
    tokens_per_day: float | None
    capacity_tokens_per_day: float | None
    utilization: float | None
    reachable: bool | None
    sentence: str


@dataclass(frozen=True, slots=True)
class Scale:
    """The traffic times `factor`: the API grows in proportion, own GPUs in whole GPUs.

    `shadow` says that the "API" is the shadow price that you set for your own model, which nobody would be paid.
    """

    factor: float
    tokens_per_second: float | None
    api_model: str
    api_usd_per_hour: float | None
    own_gpus: int | None
    own_usd_per_hour: float | None
    note: str = ""
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class Saving:
    """Money that a cache or batches saved (`had`), or could still save at most.

    `name` tells it from the subject's others: "cache, had", "cache, to be had".
    """

    name: str
    had: bool
    usd_per_hour: float | None
    sentence: str


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What one model's traffic, or everything's (`model` "(all)"), would cost elsewhere and at other sizes.

    `seconds` is what is known of the span asked for; `tokens` by class and `requests` are what was measured in it, and
    `usd` is what the ledger has of it. Of everything `seconds` is the longest of its parts', and what is known for a
    shorter time goes into tokens, requests and $/hour at its rate.
    `more` is how many listed models are not among the alternatives, for only the well-known ones were asked for.
    `explained` are sentences: formulas first, then inputs with their sources and ages.
    """

    source: str
    provider: str
    model: str
    seconds: float
    coverage: float | None
    requests: float | None
    tokens: dict[str, float]
    usd_per_hour: float | None
    basis: str
    gpus: float | None
    gpu_name: str
    gpu_usd_per_hour: float | None
    capacity_tokens_per_second: float | None
    capacity_method: str
    alternatives: tuple[Alternative, ...]
    break_even: tuple[BreakEven, ...]
    scale: tuple[Scale, ...]
    savings: tuple[Saving, ...]
    explained: tuple[str, ...] = ()
    more: int = 0
    usd: float | None = None


@dataclass(frozen=True, slots=True)
class WhatIfPage:
    """All subjects, dearest first; with more than one, the first is everything together."""

    at: float
    since: float
    until: float
    subjects: tuple[WhatIf, ...]
    notices: tuple[str, ...] = ()
