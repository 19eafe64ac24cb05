"""TensorRT-LLM: the Prometheus page of `trtllm-serve`, with names that begin with `trtllm_` and, up to 1.2, without.

Wire format: tensorrt_llm/metrics/collector.py and serve/openai_server.py. What decides the table:

- Beside it, /metrics is JSON that is emptied by whoever reads it. It is never read, also where it is all there is:
  what infertop took would be missing elsewhere, and it says nothing of tokens. The Prometheus page has to be switched
  on: `return_perf_metrics: true`, and `enable_iter_perf_stats: true` for running, waiting and the KV cache.
- All of a request is counted when it ends. Prompt tokens include cached ones. Up to 1.2 there are no tokens at all.
- A finish reason `cancelled` is counted among the successes; here it is a request that was given up.
- Times of prefill and decode are those of requests, which overlap: they are no GPU time and are not read.
- Older pages call every model "undefined": the name is then asked of /v1/models, once, and again after a failure.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from collectors._models import first_model
from collectors._page import MetricsPage, needed, shown, text_options
from collectors.kind import Kind, Server
from infertop.engine.collector import Option, SourceConfig, Unavailable
from infertop.readings.mapping import Rule, Table
from infertop.readings.model import Batch

if TYPE_CHECKING:
    from infertop.engine.http import Http

OPTIONS = (Option("model", "the model's name, where the server does not say it"),)
PAGE = "/prometheus/metrics"
_NAMELESS = re.compile(rb'model_name="undefined",?')
_ENDED = ("request_success_total",)
_REASON = ("finished_reason", "finish_reason")  # up to 1.2
_GIVEN_UP = "cancelled|abort"

TABLE = Table(
    model_label="model_name",
    rank_labels=("engine_type",),
    prefixes=("trtllm_", ""),
    started="process_start_time_seconds",
    rules=(
        Rule("requests", _ENDED, dict.fromkeys(_REASON, f"(?!(?:{_GIVEN_UP})$).*")),
        *(Rule("answers", _ENDED, {label: f"(?!(?:{_GIVEN_UP})$).+"}, keep={label: "reason"}) for label in _REASON),
        *(Rule("requests_aborted", _ENDED, {label: _GIVEN_UP}) for label in _REASON),
        Rule("requests_failed", ("request_error_total",), {"http_code": "4.."}, labels={"reason": "4xx"}),
        Rule("requests_failed", ("request_error_total",), {"http_code": "5.."}, labels={"reason": "5xx"}),
        Rule("prompt_tokens", ("prompt_tokens_total",)),
        Rule("cached_tokens", ("prompt_cached_tokens_total",)),
        Rule("output_tokens", ("generation_tokens_total",)),
        Rule("running", ("num_requests_running",)),
        Rule("waiting", ("num_requests_waiting",)),
        Rule("kv_cache_usage", ("kv_cache_utilization",), combine="mean"),
        Rule("prefix_cache_hit_rate", ("kv_cache_hit_rate",), combine="mean"),
        Rule("spec_drafted_tokens", ("spec_decode_num_draft_tokens_total", "spec_decode_drafted_tokens_total")),
        Rule("spec_accepted_tokens", ("spec_decode_num_accepted_tokens_total", "spec_decode_accepted_tokens_total")),
        Rule("ttft_seconds", ("time_to_first_token_seconds",)),
        Rule("inter_token_seconds", ("time_per_output_token_seconds",)),
        Rule("request_seconds", ("e2e_request_latency_seconds",)),
        Rule("queue_seconds", ("request_queue_time_seconds",)),
    ),
)


class TrtLlm:
    """Reads one trtllm-serve; raises ValueError where an option is wrong."""

    kind = "trtllm"

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self.config = config
        self._http = http
        self._base = config.url.rstrip("/").removesuffix("/metrics").removesuffix("/prometheus").removesuffix("/v1")
        self._where = shown(self._base + PAGE)
        self._set_model = text_options(config, ("model",)).get("model")
        self._model = self._set_model
        self._page = MetricsPage(self._where, TABLE)

    async def collect(self, ts: float) -> Batch:
        """Read the page once, and the model's name where the page does not have it."""
        try:
            reply = await self._http.get(self._base + PAGE, accept_status=(404,))
            if reply.status == 404:
                raise Unavailable(
                    f"there is no {self._where} (HTTP 404): start trtllm-serve with return_perf_metrics: true and "
                    "enable_iter_perf_stats: true in its --extra_llm_api_options"
                )
            if self._model is None and _NAMELESS.search(reply.body):
                self._model = first_model((await self._http.get(self._base + "/v1/models")).body)
        except Unavailable:
            self._model = self._set_model  # what answers next may be another process
            raise
        return self.parse(reply.body, ts)

    def parse(self, body: bytes, ts: float) -> Batch:
        """Turn a page into a batch, without series before the first request; raise Unavailable where it is not one."""
        reading = self._page.read(_NAMELESS.sub(b"", body), self._model)
        if not reading.series and not _is_page(body):
            raise Unavailable(f"{self._where} serves none of TensorRT-LLM's metrics: is it trtllm-serve?")
        return reading.batch(self.config, ts)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()


def _is_page(body: bytes) -> bool:
    # Names without a prefix are NIM's too, but it has no such times; series come with the first request only.
    return b"# TYPE trtllm_" in body or b"# TYPE request_queue_time_seconds " in body


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    return status == 200 and _is_page(body) and b"# TYPE dynamo_" not in body


KIND = Kind(
    name="trtllm",
    help="TensorRT-LLM's trtllm-serve, started with return_perf_metrics: true",
    make=lambda config, http, _clock: TrtLlm(config, needed(config, http)),
    options=OPTIONS,
    says=TABLE.metrics(),
    counts_at_end=True,
    server=Server(
        kind="trtllm",
        command=re.compile(r"(?:^|[/\s])trtllm-serve(?:\s|$)"),
        confirm=_confirm,
        default_ports=(8000,),
        probe_paths=(PAGE,),
        model_options=("--served_model_name", "--served-model-name"),
        model_after="serve",
    ),
)
