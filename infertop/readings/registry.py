"""The vocabulary: every metric and token class that infertop knows, declared once with kind, unit and help.

Collectors translate a system's names into these. Whatever reads samples (rates, storage, views, help) takes kind and
unit from here, never from the name.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """How a metric's values behave over time."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    """One entry of the vocabulary; `labels` are those that its series may carry besides the source."""

    name: str
    kind: Kind
    unit: str
    help: str
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TokenClass:
    """A disjoint class of tokens: what a provider prices apart."""

    name: str
    help: str
    prompt: bool


TOKEN_CLASSES: dict[str, TokenClass] = {
    each.name: each
    for each in (
        TokenClass("input", "prompt tokens computed afresh", True),
        TokenClass("cache_read", "prompt tokens read from a cache", True),
        TokenClass("cache_write_5m", "prompt tokens written to a cache for 5 minutes", True),
        TokenClass("cache_write_1h", "prompt tokens written to a cache for an hour", True),
        TokenClass("output", "generated text tokens, reasoning apart", False),
        TokenClass("reasoning", "generated reasoning tokens", False),
        TokenClass("input_audio", "audio prompt tokens", True),
        TokenClass("output_audio", "generated audio tokens", False),
        TokenClass("input_image", "image prompt tokens", True),
        TokenClass("output_image", "generated image tokens", False),
    )
}


@dataclass(frozen=True, slots=True)
class CallUnit:
    """Something beside tokens that providers count and price; `per` is how many of it their lists price at once."""

    name: str
    per: int
    help: str


CALL_UNITS: dict[str, CallUnit] = {
    each.name: each
    for each in (
        CallUnit("requests", 1_000, "requests, where each has a fee of its own"),
        CallUnit("web_searches", 1_000, "searches of the web"),
        CallUnit("social_searches", 1_000, "searches of a social network"),
        CallUnit("storage_searches", 1_000, "searches of stored files"),
        CallUnit("code_executions", 1_000, "runs of code"),
        CallUnit("rerank_searches", 1_000, "queries whose documents are ranked"),
        CallUnit("audio_seconds", 3_600, "seconds of audio, in or out"),
        CallUnit("input_audio_seconds", 3_600, "seconds of audio in"),
        CallUnit("output_audio_seconds", 3_600, "seconds of audio out"),
        CallUnit("input_characters", 1_000_000, "characters of a prompt"),
        CallUnit("input_text_messages", 1_000, "messages of text"),
        CallUnit("input_document_pages", 1_000, "pages of documents"),
        CallUnit("input_annotated_document_pages", 1_000, "pages of documents that are annotated"),
        CallUnit("input_pixels", 1_000_000_000, "pixels of pictures in"),
    )
}

_G, _C, _H = Kind.GAUGE, Kind.COUNTER, Kind.HISTOGRAM
_ENGINE = ("model", "rank")
_SERVED = (*_ENGINE, "provider")
_QUANTILE = ("model", "quantile")

METRICS: dict[str, Metric] = {
    each.name: each
    for each in (
        # What a serving engine says of a model. `rank` tells shards and replicas of one engine apart, and the lines of
        # a page (versions, handlers, reasons) that make up one counter: whoever reads adds them. `provider` is who
        # serves it where a gateway tells: such counters are for live rates, the ledger is made of its statements.
        Metric("requests", _C, "requests", "requests finished", (*_SERVED, "reason")),
        Metric("answers", _C, "answers", "answers finished, of which a request may have several", (*_ENGINE, "reason")),
        Metric("requests_failed", _C, "requests", "requests that ended in an error", (*_SERVED, "reason")),
        Metric("requests_aborted", _C, "requests", "requests given up by the client", _ENGINE),
        Metric("prompt_tokens", _C, "tokens", "prompt tokens, cached ones included", _SERVED),
        Metric("cached_tokens", _C, "tokens", "prompt tokens read from the prefix cache", _SERVED),
        Metric("input_tokens", _C, "tokens", "prompt tokens computed afresh, cached ones excluded", _ENGINE),
        Metric("output_tokens", _C, "tokens", "tokens generated", _SERVED),
        Metric("running", _G, "requests", "requests being worked on", _ENGINE),
        Metric("waiting", _G, "requests", "requests in the queue", _ENGINE),
        Metric("kv_cache_usage", _G, "ratio", "share of the KV cache in use", _ENGINE),
        Metric("prefix_cache_queries", _C, "tokens", "tokens looked up in the prefix cache", _ENGINE),
        Metric("prefix_cache_hits", _C, "tokens", "tokens found in the prefix cache", _ENGINE),
        Metric("spec_drafted_tokens", _C, "tokens", "tokens that speculation proposed", _ENGINE),
        Metric("spec_accepted_tokens", _C, "tokens", "proposed tokens that the model accepted", _ENGINE),
        Metric("prefix_cache_hit_rate", _G, "ratio", "share found in the prefix cache, as the engine says it", _ENGINE),
        Metric("spec_acceptance", _G, "ratio", "share of proposed tokens accepted, as the engine says it", _ENGINE),
        Metric("preemptions", _C, "preemptions", "requests put back because the KV cache was full", _ENGINE),
        Metric("ttft_seconds", _H, "seconds", "time to first token", _ENGINE),
        Metric("inter_token_seconds", _H, "seconds", "time between two output tokens", _ENGINE),
        Metric("request_seconds", _H, "seconds", "time from arrival to the last token", _ENGINE),
        Metric("queue_seconds", _H, "seconds", "time in the queue", _ENGINE),
        Metric("prompt_tokens_per_request", _H, "tokens", "prompt length of finished requests", _ENGINE),
        Metric("output_tokens_per_request", _H, "tokens", "output length of finished requests", _ENGINE),
        # Engines that state quantiles themselves, or totals instead of histograms.
        Metric("request_seconds_quantile", _G, "seconds", "request time, by the engine's own summary", _QUANTILE),
        Metric("queue_seconds_quantile", _G, "seconds", "queue time, by the engine's own summary", _QUANTILE),
        Metric("request_seconds_total", _C, "seconds", "time of all finished requests together", _SERVED),
        Metric("queue_seconds_total", _C, "seconds", "queue time of all requests together", _SERVED),
        Metric("prefill_seconds_total", _C, "seconds", "time spent on prompts", _ENGINE),
        Metric("decode_seconds_total", _C, "seconds", "time spent on output tokens", _ENGINE),
        Metric("compute_seconds_total", _C, "seconds", "GPU time of a model's batches", (*_ENGINE, "gpu")),
        # GPU time by phase, of engines whose batches run one after the other; times that overlap must not be put here.
        Metric("prefill_gpu_seconds_total", _C, "seconds", "GPU time of batches of prompts", _ENGINE),
        Metric("decode_gpu_seconds_total", _C, "seconds", "GPU time of batches that generate", _ENGINE),
        Metric("batches", _C, "batches", "batches run", _ENGINE),
        Metric("asleep", _G, "ratio", "1 while the engine's weights are off the GPU", _ENGINE),
        Metric("model_memory_bytes", _G, "bytes", "memory that a loaded model holds, on GPUs or not", _ENGINE),
        Metric("model_gpu_memory_bytes", _G, "bytes", "the part of it on GPUs, as its engine says", _ENGINE),
        Metric("model_expires_seconds", _G, "seconds", "time until a model is unloaded if nobody asks it", _ENGINE),
        Metric("unreadable_lines", _G, "lines", "lines of the page that could not be read and may hide a series"),
        # GPUs; `gpu` is the UUID of the device or of the MIG instance. A field that is not supported has no series.
        Metric(
            "gpu_info",
            _G,
            "none",
            "1 for each GPU present; where another machine tells of it, with that and what it was given to",
            ("gpu", "name", "index", "parent", "mig_profile", "host", "namespace", "pod"),
        ),
        Metric("gpu_utilization", _G, "ratio", "share of time in which a kernel ran", ("gpu",)),
        Metric("gpu_memory_used_bytes", _G, "bytes", "memory in use", ("gpu",)),
        Metric("gpu_memory_total_bytes", _G, "bytes", "memory in all", ("gpu",)),
        Metric("gpu_memory_utilization", _G, "ratio", "share of time in which memory was read or written", ("gpu",)),
        Metric("gpu_power_watts", _G, "watts", "power drawn", ("gpu",)),
        Metric("gpu_power_limit_watts", _G, "watts", "enforced power limit", ("gpu",)),
        Metric("gpu_energy_joules", _C, "joules", "energy since the driver was loaded", ("gpu",)),
        Metric("gpu_temperature_celsius", _G, "celsius", "core temperature", ("gpu",)),
        Metric("gpu_sm_clock_hertz", _G, "hertz", "clock of the multiprocessors", ("gpu",)),
        Metric("gpu_memory_clock_hertz", _G, "hertz", "clock of the memory", ("gpu",)),
        Metric("gpu_throttle_reasons", _G, "bitmask", "why the clock is held down (throttle.py)", ("gpu",)),
        Metric("gpu_sm_occupancy", _G, "ratio", "share of multiprocessors in use, on average", ("gpu",)),
        Metric("gpu_slices", _G, "slices", "compute slices of a MIG instance; on its parent the rest", ("gpu",)),
        Metric(
            "gpu_process_info",
            _G,
            "none",
            "1 for each process on a GPU, its memory known or not; with its program and user where they may be seen",
            ("gpu", "pid", "name", "user"),
        ),
        Metric("gpu_process_memory_bytes", _G, "bytes", "memory of one process", ("gpu", "pid")),
        Metric("gpu_process_utilization", _G, "ratio", "SM time of one process", ("gpu", "pid")),
        # Which engine's processes are on which GPU: joined from NVML and the process tree, so that the tape can say it.
        # A holder whose memory and utilisation are unknown still has placement_processes.
        Metric("placement_processes", _G, "processes", "processes that a source has on a GPU", ("gpu", "holder")),
        Metric("placement_memory_bytes", _G, "bytes", "memory that a source's processes hold", ("gpu", "holder")),
        Metric("placement_utilization", _G, "ratio", "SM time of a source's processes", ("gpu", "holder")),
        # The machine.
        Metric("host_cpu_utilization", _G, "ratio", "share of CPU time in use", ()),
        Metric("host_memory_used_bytes", _G, "bytes", "memory in use", ()),
        Metric("host_memory_total_bytes", _G, "bytes", "memory in all", ()),
        Metric("host_process_cpu_ratio", _G, "cores", "cores that infertop itself uses", ()),
        Metric("host_process_memory_bytes", _G, "bytes", "memory that infertop itself uses", ()),
    )
}
