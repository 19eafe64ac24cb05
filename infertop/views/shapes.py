"""What the screens show: plain values, made elsewhere, drawn elsewhere. None is unknown and is drawn as `-`.

Money is in USD, times in seconds, ratios between 0 and 1. Strings come from outside as they were sent: whoever draws
them passes them through `safe()`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from infertop.views.budget_shapes import BudgetRow as BudgetRow
from infertop.views.budget_shapes import BurnRow as BurnRow
from infertop.views.event_shapes import Event as Event

Spark = tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class Quantiles:
    """A latency's quantiles over the window. `low` and `high` bracket each: (p50, p95, p99) as (low, value, high).

    A bound is None where the bucket is open (below the first or above the last); `value` is None where unknown.
    `count` is the observations they stand on, `mean` their mean.
    """

    p50: tuple[float | None, float | None, float | None] = (None, None, None)
    p95: tuple[float | None, float | None, float | None] = (None, None, None)
    p99: tuple[float | None, float | None, float | None] = (None, None, None)
    mean: float | None = None
    count: float = 0.0


@dataclass(frozen=True, slots=True)
class Headline:
    """The first lines. `unpriced` GPUs have no rate, `unpriced_models` used `unpriced_tokens` today without a price.

    `unpriced_own` models of one's own run on nothing that has a rate. `usd_per_hour` is what is known beside these, and
    None where they are all that is at work.
    """

    usd_per_hour: float | None
    gpu_usd_per_hour: float | None
    host_usd_per_hour: float | None
    api_usd_per_hour: float | None
    idle_usd_per_hour: float | None
    unheld_usd_per_hour: float | None
    tokens_per_second: float | None = None
    usual_usd_per_hour: float | None = None
    usual_note: str = ""
    marked: bool = False
    today_usd: float | None = None
    month_usd: float | None = None
    month_forecast_usd: tuple[float | None, float | None, float | None] = (None, None, None)
    month_limit_usd: float | None = None
    default_prices: int = 0
    unpriced: int = 0
    unpriced_models: int = 0
    unpriced_tokens: int = 0
    trend: Spark = ()
    api_age_seconds: float | None = None
    unpriced_own: int = 0


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A model on a source. What does not count is in no total: `counted_by` is the source that counts the same.

    `usd_per_hour` is its all-in cost, `usage_usd_per_hour` the same without idle time, `shadow_margin_usd_per_hour`
    what its shadow price would bring above that. `draft_acceptance_ratio` is of the tokens that speculation proposed.
    `..._by_reason` are rates by the engine's words, of answers (a request may have several) and failures;
    `..._gpu_ratio` GPU seconds a second; `asleep` the share of its ranks whose weights are off the GPU. `stuck`: what
    runs, waits and is held is old, as nothing moves any more. `stated`: its cost is what a provider or log told of the
    newest whole minutes, and `age_seconds` how long ago those ended.
    """

    source: str
    model: str
    kind: str
    provider: str
    state: str
    age_seconds: float | None
    basis: str
    window_seconds: float
    usd_per_hour: float | None = None
    usage_usd_per_hour: float | None = None
    usd_per_request: float | None = None
    usd_per_million: dict[str, float | None] = field(default_factory=dict)
    tokens_per_second: dict[str, float | None] = field(default_factory=dict)
    requests_per_second: float | None = None
    failed_per_second: float | None = None
    answers_by_reason: dict[str, float | None] = field(default_factory=dict)
    failed_by_reason: dict[str, float | None] = field(default_factory=dict)
    aborted_per_second: float | None = None
    running: float | None = None
    waiting: float | None = None
    kv_cache_usage: float | None = None
    kv_cache_peak: float | None = None
    cache_hit_ratio: float | None = None
    draft_acceptance_ratio: float | None = None
    preemptions_per_second: float | None = None
    prefill_gpu_ratio: float | None = None
    decode_gpu_ratio: float | None = None
    asleep: float | None = None
    stuck: bool = False
    prompt_tokens_per_request: float | None = None
    output_tokens_per_request: float | None = None
    ttft: Quantiles = Quantiles()
    inter_token: Quantiles = Quantiles()
    request: Quantiles = Quantiles()
    queue: Quantiles = Quantiles()
    shadow_margin_usd_per_hour: float | None = None
    gpus: tuple[str, ...] = ()
    totals: dict[str, float | None] = field(default_factory=dict)
    trend: Spark = ()
    marked: bool = False
    mark_note: str = ""
    counts: bool = True
    counted_by: str = ""
    stated: bool = False


@dataclass(frozen=True, slots=True)
class ProcessRow:
    """A process on a GPU; `utilization` is its share of SM time, `name` its program."""

    pid: int
    name: str = ""
    user: str = ""
    memory_bytes: float | None = None
    utilization: float | None = None


@dataclass(frozen=True, slots=True)
class GpuRow:
    """A GPU or a MIG instance. `price_source` says where its rate is from, `price_default` that nobody set it.

    `meter` is who tells of it (NVML, DCGM) and `source` that source's name, `throttled` what holds it back and
    `throttle_notes` what the clock is told to be held by and what that means, None where it is not told. An instance is
    `slices` (its own, all) of `parent`, whose power is measured alone: `power_share_watts` is its part. A GPU with
    `instances` is what none of them has, but for power, clocks and temperature, which are the whole GPU's.
    """

    uuid: str
    index: str
    name: str
    state: str
    age_seconds: float | None
    utilization: float | None = None
    memory_used_bytes: float | None = None
    memory_total_bytes: float | None = None
    power_watts: float | None = None
    power_limit_watts: float | None = None
    temperature_celsius: float | None = None
    sm_clock_hertz: float | None = None
    memory_clock_hertz: float | None = None
    memory_utilization: float | None = None
    sm_occupancy: float | None = None
    throttled: str = ""
    throttle_notes: tuple[str, ...] | None = None
    usd_per_hour: float | None = None
    idle_usd_per_hour: float | None = None
    price_source: str = ""
    price_default: bool = False
    price_note: str = ""
    models: tuple[str, ...] = ()
    trend: Spark = ()
    meter: str = ""
    parent: str = ""
    instances: int = 0
    slices: tuple[int, int] | None = None
    power_share_watts: float | None = None
    where: str = ""
    processes: tuple[ProcessRow, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class DeploymentRow:
    """A deployment that pricing.toml declares: provisioned throughput, serverless GPU seconds or batch jobs.

    `usd_per_hour` is what it costs an hour, fixed or at the traffic named by `traffic` ("measured", "declared" or
    "unknown"); `utilization` the share of what is reserved that is used, or of an hour in which serverless workers
    work; `break_even` the utilisation from which (serverless: until which) it is cheaper than what `against` names;
    `verdict` a sentence. `counts` says whether it is part of what is spent, or stands beside it.
    """

    name: str
    kind: str
    provider: str
    model: str
    usd_per_hour: float | None
    usd_per_million_tokens: float | None
    utilization: float | None
    break_even: float | None
    against: str
    traffic: str
    counts: bool
    basis: str
    price_source: str
    verdict: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source and how its polls go. `counts`: something of it is part of totals; `note` says what is not, and why."""

    name: str
    kind: str
    state: str
    age_seconds: float | None
    detail: str
    address: str = ""
    interval_seconds: float = 1.0
    poll_seconds: float | None = None
    failures: int = 0
    rejected: int = 0
    counts: bool = True
    note: str = ""


@dataclass(frozen=True, slots=True)
class Stacked:
    """$/hour by model over time: `times` are the starts of equal bins, each layer has a value for each of them."""

    times: tuple[float, ...] = ()
    layers: tuple[tuple[str, Spark], ...] = ()


@dataclass(frozen=True, slots=True)
class Searched:
    """One thing that the first start looked for, and what came of it."""

    what: str
    where: str
    found: str


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything on the overview. `mode`: "live", "viewer", "replay" or "demo"; `notices`: sentences, newest first."""

    at: float
    timezone: str
    host: str
    mode: str
    window_seconds: float
    interval_seconds: float
    headline: Headline
    models: tuple[ModelRow, ...]
    gpus: tuple[GpuRow, ...]
    budgets: tuple[BudgetRow, ...]
    sources: tuple[SourceRow, ...]
    events: tuple[Event, ...]
    cost_history: Stacked = Stacked()
    tokens_history: Stacked = Stacked()
    notices: tuple[str, ...] = ()
    searched: tuple[Searched, ...] = ()
    recorder: str = ""
    deployments: tuple[DeploymentRow, ...] = ()
    self_cpu_ratio: float | None = None
    self_memory_bytes: float | None = None
    unassigned: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Explained:
    """How one figure was come by: a title, then lines of text, formula first, inputs with their sources after it."""

    title: str
    lines: tuple[str, ...]
