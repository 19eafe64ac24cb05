"""Triton Inference Server: its metrics page (port 8002), and the LLM backends' series on it.

Wire format: docs/user_guide/metrics.md and src/metrics.cc of triton-inference-server/core; counters have no `_total`,
durations are microseconds. What decides the table:

- A model's versions, and its instances with and without a `gpu_uuid`, are one model, counted as its ranks.
- `nv_inference_request_success` counts every request, those answered from the response cache included, and those whose
  Python model answered with an error. An ensemble counts once, and each model inside it counts again.
- `compute_infer` is added once for each request of a batch, so it exceeds GPU time where requests are batched.
- Triton itself counts no tokens. The backends of vLLM (parameter REPORT_CUSTOM_METRICS) and TensorRT-LLM do, the latter
  at a request's end; others are named by the source's options. TensorRT-LLM's gauges of one iteration do not add up.
- `nv_gpu_*` is not read: NVML reads the GPUs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from collectors._page import MetricsPage, metrics_url, needed, shown, text_options
from collectors.kind import Kind, Server
from infertop.engine.collector import Option, SourceConfig, Unavailable
from infertop.readings.mapping import Rule, Table
from infertop.readings.model import Batch

if TYPE_CHECKING:
    from infertop.engine.http import Http

_MICRO, _MILLI = 1e6, 1e3
_BY_QUANTILE = {"quantile": "quantile"}
OPTIONS = (
    Option("prompt_tokens", "the metric that counts prompt tokens, cached ones included"),
    Option("input_tokens", "the metric that counts prompt tokens without cached ones"),
    Option("cached_tokens", "the metric that counts prompt tokens read from a cache"),
    Option("output_tokens", "the metric that counts generated tokens"),
    Option("running", "the metric that says how many requests are being worked on"),
)

TABLE = Table(
    model_label="model",
    rules=(
        Rule("requests", ("nv_inference_request_success",)),
        Rule(
            "requests_failed",
            ("nv_inference_request_failure",),
            {"reason": "(?!CANCELED$).*"},
            keep={"reason": "reason"},
        ),
        Rule("requests_aborted", ("nv_inference_request_failure",), {"reason": "CANCELED"}),
        Rule("batches", ("nv_inference_exec_count",)),
        Rule("prompt_tokens", ("vllm:prompt_tokens_total", "nv_llm_input_token_len_sum")),
        Rule("cached_tokens", ("vllm:prompt_tokens_cached_total",)),
        Rule("output_tokens", ("vllm:generation_tokens_total", "nv_llm_output_token_len_sum")),
        Rule("running", ("nv_trt_llm_request_metrics",), {"request_type": "scheduled"}),
        Rule(
            "waiting",
            ("nv_inference_pending_request_count + nv_trt_llm_request_metrics",),
            {"request_type": "(waiting)?"},
        ),
        Rule(
            "kv_cache_usage",
            ("nv_trt_llm_kv_cache_block_metrics",),
            {"kv_cache_block_type": "fraction"},
            combine="mean",
        ),
        Rule("ttft_seconds", ("vllm:time_to_first_token_seconds",)),
        Rule("ttft_seconds", ("nv_inference_first_response_histogram_ms",), per=_MILLI),
        Rule("inter_token_seconds", ("vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds")),
        Rule("request_seconds", ("vllm:e2e_request_latency_seconds",)),
        Rule("prompt_tokens_per_request", ("vllm:request_prompt_tokens", "nv_llm_input_token_len")),
        Rule("output_tokens_per_request", ("vllm:request_generation_tokens", "nv_llm_output_token_len")),
        Rule("request_seconds_total", ("nv_inference_request_duration_us",), per=_MICRO),
        Rule("queue_seconds_total", ("nv_inference_queue_duration_us",), per=_MICRO),
        Rule(
            "compute_seconds_total",
            ("nv_inference_compute_infer_duration_us",),
            keep={"gpu_uuid": "gpu"},
            per=_MICRO,
        ),
        # Quantiles cannot be added: of several versions the slowest stands.
        Rule(
            "request_seconds_quantile",
            ("nv_inference_request_summary_us",),
            {"quantile": ".+"},
            keep=_BY_QUANTILE,
            per=_MICRO,
            combine="max",
        ),
        Rule(
            "queue_seconds_quantile",
            ("nv_inference_queue_summary_us",),
            {"quantile": ".+"},
            keep=_BY_QUANTILE,
            per=_MICRO,
            combine="max",
        ),
    ),
)


class Triton:
    """Reads one Triton server; raises ValueError where an option is wrong."""

    kind = "triton"

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self.config = config
        self._http = http
        self._url = metrics_url(config.url)
        named = text_options(config, tuple(option.name for option in OPTIONS))
        own = tuple(Rule(metric, (name,)) for metric, name in named.items())
        self._page = MetricsPage(shown(self._url), replace(TABLE, rules=own + TABLE.rules))

    async def collect(self, ts: float) -> Batch:
        """Read the page once."""
        reply = await self._http.get(self._url, accept_status=(400, 404, 405))
        if reply.status != 200:
            raise Unavailable(
                f"there is no {shown(self._url)} (HTTP {reply.status}): "
                "Triton serves metrics on a port of their own, 8002 unless --metrics-port changes it: set it in the url"
            )
        return self.parse(reply.body, ts)

    def parse(self, body: bytes, ts: float) -> Batch:
        """Turn a page into a batch; raise Unavailable where it is not Triton's."""
        reading = self._page.read(body)
        if not reading.series and b"nv_" not in body:
            raise Unavailable(f"{shown(self._url)} serves none of Triton's nv_ metrics: is it Triton's metrics port?")
        return reading.batch(self.config, ts)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    return status == 200 and b"# TYPE nv_inference_" in body


KIND = Kind(
    name="triton",
    help="Triton Inference Server, by its metrics port; tokens where its backend counts them",
    make=lambda config, http, _clock: Triton(config, needed(config, http)),
    options=OPTIONS,
    server=Server(
        kind="triton",
        command=re.compile(r"(?:^|[/\s])tritonserver(?:\s|$)"),
        confirm=_confirm,
        default_ports=(8002,),
        port_options=("--metrics-port",),
    ),
)
