"""NVIDIA Dynamo: its workers (DYN_SYSTEM_PORT, often 8081) and its front end (port 8000).

Wire format: lib/runtime/src/metrics/prometheus_names.rs and lib/llm/src/http/service/metrics.rs of ai-dynamo/dynamo.
What decides the tables:

- A worker passes on its engine's series (`vllm:*`, `sglang:*`, `trtllm_*`); front end and engine count the same
  requests. Of a page that has both, the engine's are read, as tokens, KV cache and queue are there; else the front
  end's; else what the worker counts itself, which is requests without tokens.
- The front end of workers that are read too counts nothing anew: it is a kind of its own, whose traffic is shown and
  not added. Where it is all that can be read, give it as kind dynamo, with the workers' `gpus`.
- `queued_requests` lasts until a request's first token and is part of `inflight_requests`: no queue, so not read.
- Input and cached tokens are the sums of histograms; cached ones are part of the input.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from collectors import sglang, trtllm, vllm
from collectors._either import EitherPage
from collectors._page import metrics_url, needed, shown
from collectors.kind import Kind, Server
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.mapping import Rule, Table
from infertop.readings.model import Batch

if TYPE_CHECKING:
    from infertop.engine.http import Http

_GENERATE = {"dynamo_endpoint": "generate", "dynamo_component": "(?!router$).*"}

FRONT_END = Table(
    model_label="model",
    prefixes=("dynamo_frontend_", "nv_llm_http_service_"),
    rules=(
        Rule("requests", ("requests_total",), {"status": "success"}),
        Rule("requests_aborted", ("requests_total",), {"status": "error", "error_type": "cancelled"}),
        Rule(
            "requests_failed",
            ("requests_total",),
            {"status": "error", "error_type": "(?!cancelled$).*"},
            keep={"error_type": "reason"},
        ),
        Rule("prompt_tokens", ("input_sequence_tokens_sum", "input_sequence_length_sum")),
        Rule("cached_tokens", ("cached_tokens_sum",)),
        Rule("output_tokens", ("output_tokens_total", "output_sequence_tokens_sum", "output_sequence_length_sum")),
        Rule("running", ("inflight_requests", "inflight_requests_total")),
        Rule("ttft_seconds", ("time_to_first_token_seconds",)),
        Rule("inter_token_seconds", ("inter_token_latency_seconds",)),
        Rule("request_seconds", ("request_duration_seconds",)),
        Rule("prompt_tokens_per_request", ("input_sequence_tokens", "input_sequence_length")),
        Rule("output_tokens_per_request", ("output_sequence_tokens", "output_sequence_length")),
    ),
)
WORKER = Table(
    model_label="model",
    prefixes=("dynamo_component_",),
    rules=(
        Rule("requests", ("requests_total",), _GENERATE),
        Rule("requests_failed", ("errors_total",), _GENERATE, keep={"error_type": "reason"}),
        Rule("running", ("inflight_requests",), _GENERATE),
        Rule(
            "kv_cache_usage",
            ("kvstats_gpu_cache_usage_percent", "gpu_cache_usage_percent"),  # 0 to 1, whatever they are called
            combine="mean",
        ),
        Rule("prefix_cache_hit_rate", ("kvstats_gpu_prefix_cache_hit_rate",), combine="mean"),
        Rule("request_seconds", ("request_duration_seconds",), _GENERATE),
    ),
)
_TABLES = (
    (vllm.TABLE, vllm.in_tokens),
    (sglang.TABLE, None),
    (trtllm.TABLE, None),
    (FRONT_END, None),
    (WORKER, None),
)


class Dynamo:
    """Reads one process of a Dynamo deployment, whichever part of it that is."""

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self.kind = config.kind
        self.config = config
        self._http = http
        self._url = metrics_url(config.url)
        self._page = EitherPage(shown(self._url), _TABLES)

    async def collect(self, ts: float) -> Batch:
        """Read the page once."""
        reply = await self._http.get(self._url)
        return self.parse(reply.body, ts)

    def parse(self, body: bytes, ts: float) -> Batch:
        """Turn a page into a batch, without series before the first request; raise Unavailable where it is not one."""
        reading = self._page.read(body)
        if not reading.series and b"dynamo_" not in body:
            raise Unavailable(f"{shown(self._url)} serves none of Dynamo's metrics: is it its front end or a worker?")
        return reading.batch(self.config, ts)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()


def _front_end(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    return status == 200 and b"# TYPE dynamo_frontend_" in body and not _worker(status, _headers, body)


def _worker(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    engine = re.search(rb"# TYPE (?:vllm:|sglang:|trtllm[:_])", body) is not None
    return status == 200 and b"# TYPE dynamo_" in body and (engine or b"# TYPE dynamo_frontend_" not in body)


KIND = Kind(
    name="dynamo",
    help="NVIDIA Dynamo: a worker (DYN_SYSTEM_PORT), or a front end that is read alone",
    make=lambda config, http, _clock: Dynamo(config, needed(config, http)),
    says=frozenset().union(*(table.metrics() for table, _ in _TABLES)),
    server=Server(
        kind="dynamo",
        command=re.compile(r"\bdynamo\.(?:vllm|sglang|trtllm|llama_cpp|mocker)\b"),
        confirm=_worker,
        default_ports=(8081, 9090),
        port_options=(),  # the port is in the environment
        model_options=("--served-model-name", "--model", "--model-path"),
    ),
)
FRONT_END_KIND = Kind(
    name="dynamo-frontend",
    help="NVIDIA Dynamo's front end beside workers that are read: shown and not added",
    make=KIND.make,
    gateway=True,
    says=FRONT_END.metrics(),
    server=Server(
        kind="dynamo-frontend",
        command=re.compile(r"\bdynamo\.frontend\b"),
        confirm=_front_end,
        default_ports=(8000,),
        port_options=("--http-port",),
        fronts=(KIND.name,),
    ),
)
