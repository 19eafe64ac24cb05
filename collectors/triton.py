"""Triton Inference Server: its metrics page (port 8002), and the LLM backends' series on it.

Wire format: docs/user_guide/metrics.md and src/metrics.cc of triton-inference-server/core; counters have no `_total`,
durations are microseconds. What decides the table:

- A model's versions, and its instances with and without a `gpu_uuid`, are one model, counted as its ranks.
- `nv_inference_request_success` counts every request, those answered from the response cache included, and those whose
  Python model answered with an error. An ensemble counts once, and each model inside it counts again; `compute_infer`
  is added once for each request of a batch. The HTTP API tells both apart (_triton_parts.py). It is looked for two
  ports below the metrics, or where its process has it, at the first poll: whether it is there decides what is counted
  until Triton begins anew, as a change would count again what was counted. Of the models inside an ensemble there is
  then a cost and no cost per request. Models that a Python model calls by itself (BLS) count again, which nothing
  tells (2.51: 20 requests to a model that calls another, and 5 to that, are 20 and 25 on the page and in the API).
- Triton itself counts no tokens. The backends of vLLM (parameter REPORT_CUSTOM_METRICS; vLLM's own table reads it) and
  TensorRT-LLM do, the latter at a request's end; others are named by the source's options. TensorRT-LLM's gauges of one
  iteration do not add up.
- `nv_gpu_*` is not read: NVML reads the GPUs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from collectors import vllm
from collectors._page import MetricsPage, metrics_url, needed, shown, text_options
from collectors._triton_api import Inside, TritonApi, api_url
from collectors._triton_parts import Parts
from collectors.kind import Kind, Server
from infertop.engine.clock import Clock
from infertop.engine.collector import Option, SourceConfig, State, Unavailable
from infertop.engine.http import Http
from infertop.readings.mapping import Rule, Table
from infertop.readings.model import Batch

_MICRO, _MILLI = 1e6, 1e3
_BY_QUANTILE = {"quantile": "quantile"}
OPTIONS = (
    Option("prompt_tokens", "the metric that counts prompt tokens, cached ones included"),
    Option("input_tokens", "the metric that counts prompt tokens without cached ones"),
    Option("cached_tokens", "the metric that counts prompt tokens read from a cache"),
    Option("output_tokens", "the metric that counts generated tokens"),
    Option("running", "the metric that says how many requests are being worked on"),
)
CALLED = Option("called", "models that others call by themselves (BLS), by comma: their requests are left out")
HTTP_PORT = Option("http_port", "the port of its HTTP API (ensembles, batches), if not two below that of the url")
_API_SECONDS = 2.0
_TRIES = 3
_SERVED = re.compile(rb"^nv_inference_request_success\{[^\n]*\} (\d{1,18})", re.MULTILINE)
_GPU = re.compile(rb'^nv_gpu_memory_total_bytes\{gpu_uuid="([^"\\\n]{1,64})"\}', re.MULTILINE)
_MOST_GPUS = 64

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
        Rule("prompt_tokens", ("nv_llm_input_token_len_sum",)),
        Rule("output_tokens", ("nv_llm_output_token_len_sum",)),
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
        Rule("prompt_tokens_per_request", ("nv_llm_input_token_len",)),
        Rule("output_tokens_per_request", ("nv_llm_output_token_len",)),
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
        *vllm.TABLE.rules,
        Rule("ttft_seconds", ("nv_inference_first_response_histogram_ms",), per=_MILLI),
    ),
)


class Triton:
    """Reads one Triton server; raises ValueError where an option is wrong. `api` leads to its HTTP API, if anywhere."""

    kind = "triton"

    def __init__(self, config: SourceConfig, http: Http, api: Http | None = None) -> None:
        self.config = config
        self._http = http
        self._url = metrics_url(config.url)
        named = text_options(config, tuple(option.name for option in OPTIONS))
        own = tuple(Rule(metric, (name,)) for metric, name in named.items())
        self._page = MetricsPage(shown(self._url), replace(TABLE, rules=own + TABLE.rules), vllm.in_tokens)
        self._api = TritonApi(api) if api else None
        self._without: TritonApi | None = None  # what did not answer, until another process does
        self._served = 0
        self._needs_api = HTTP_PORT.name in config.options
        self._failures = 0
        names = text_options(config, (CALLED.name,)).get(CALLED.name, "")
        self._called = frozenset(name.strip() for name in names.split(",")) - {""}
        self._alone = Parts(self._called) if self._called else None  # while no API answers
        self._parts: Parts | None = None

    async def collect(self, ts: float) -> Batch:
        """Read the page once, and what the API says of the models on it."""
        try:
            reply = await self._http.get(self._url, accept_status=(400, 404, 405))
        except Unavailable:
            if self._api is not None:
                self._api.doubtful = True
            raise
        if reply.status != 200:
            raise Unavailable(
                f"there is no {shown(self._url)} (HTTP {reply.status}): "
                "Triton serves metrics on a port of their own, 8002 unless --metrics-port changes it: set it in the url"
            )
        if self._without is not None:
            self._begin_anew(self._without, reply.body)
        if self._api is not None and b"nv_" in reply.body:
            await self._ask(self._api)
        return self.parse(reply.body, ts)

    def parse(self, body: bytes, ts: float) -> Batch:
        """Turn a page into a batch; raise Unavailable where it is not Triton's."""
        reading = self._page.read(body)
        if not reading.series and b"nv_" not in body:
            raise Unavailable(f"{shown(self._url)} serves none of Triton's nv_ metrics: is it Triton's metrics port?")
        if self._api and self._parts:
            gpus = dict.fromkeys(found.decode("utf-8", "replace") for found in _GPU.findall(body)[:_MOST_GPUS])
            reading = self._parts.of(reading, self._api.inside, gpus)
        elif self._alone:
            reading = self._alone.of(reading, Inside())
        return reading.batch(self.config, ts)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
        if self._api:
            await self._api.close()

    async def _ask(self, api: TritonApi) -> None:
        """Ask the API. The first answer, or that there is none, decides; a later failure leaves what was said."""
        there = False
        try:
            there = await api.ask()
        except Unavailable as failure:
            self._failures += 1
            # On this machine it is there and slow; between machines it may be closed off without a word.
            slow = failure.state is State.STALE and api.near and self._failures < _TRIES
            if self._parts is None and (self._needs_api or slow):
                raise
        if self._parts is not None:
            return
        if there:
            self._parts = Parts(self._called)
        elif self._needs_api:
            raise Unavailable(f"{self.config.name}: there is no Triton API at its http_port: is the port right?")
        else:
            await api.close()
            self._api, self._without = None, api

    def _begin_anew(self, api: TritonApi, body: bytes) -> None:
        """Ask the API again where the page is another process's, which counts from 0 whatever is read besides."""
        before, self._served = self._served, sum(map(int, _SERVED.findall(body)))
        if self._served < before:
            self._api, self._without, self._failures, self._served = api, None, 0, 0


def _port(config: SourceConfig) -> int | None:
    port = config.options.get(HTTP_PORT.name)
    if port is None or (isinstance(port, int) and not isinstance(port, bool) and 0 < port < 65536):
        return port
    raise ValueError(f"{config.name}: {HTTP_PORT.name} must be a number from 1 to 65535")


def _make(config: SourceConfig, http: Http | None, _clock: Clock) -> Triton:
    url = api_url(config.url, _port(config))
    return Triton(config, needed(config, http), Http(url, timeout_seconds=_API_SECONDS) if url else None)


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    return status == 200 and b"# TYPE nv_inference_" in body


KIND = Kind(
    name="triton",
    help="Triton Inference Server, by its metrics port; tokens where its backend counts them",
    make=_make,
    options=(*OPTIONS, HTTP_PORT, CALLED),
    says=TABLE.metrics(),
    caveats=(
        "a request that a Python model makes of another model (BLS) counts for both of them, in requests and in time: "
        "Triton does not tell it from a client's; `called` in its [[source]] names such models",
        "an error that a Python model answers with is a success to Triton",
    ),
    server=Server(
        kind="triton",
        command=re.compile(r"(?:^|[/\s])tritonserver(?:\s|$)"),
        confirm=_confirm,
        default_ports=(8002,),
        port_options=("--metrics-port",),
        further_ports=((HTTP_PORT.name, "--http-port", 8000),),
    ),
)
