"""NVIDIA NIM for LLMs: /v1/metrics, /metrics in old releases, with vLLM's names and no prefix.

Wire format: docs.nvidia.com/nim/large-language-models, "Observability". What decides the tables:

- Prompt tokens include cached ones, which are not told apart. Tokens are counted as the engine works, not at the end.
- `request_finish_total` has the reason of what `request_success_total` and `request_failure_total` count: one of them
  is read, not both.
- Releases that start vLLM or TensorRT-LLM as they are pass on those engines' own names. One table reads a page.
- The GPUs' power and memory on some pages are not read: NVML reads the GPUs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from collectors import trtllm, vllm
from collectors._either import EitherPage
from collectors._page import needed, shown
from collectors.kind import Kind, Server
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.mapping import Rule, Table
from infertop.readings.model import Batch

if TYPE_CHECKING:
    from infertop.engine.http import Http

_PATHS = ("/v1/metrics", "/metrics")
_OWN = (b"# TYPE num_request_max ", b"# TYPE request_finish_total ", b"# TYPE gpu_cache_usage_perc ")

TABLE = Table(
    model_label="model_name",
    started="process_start_time_seconds",
    rules=(
        Rule("requests", ("request_success_total", "request_finish_total")),
        Rule("answers", ("request_finish_total",), {"finished_reason": ".+"}, keep={"finished_reason": "reason"}),
        Rule("requests_failed", ("request_failure_total",)),
        Rule("prompt_tokens", ("prompt_tokens_total",)),
        Rule("output_tokens", ("generation_tokens_total",)),
        Rule("running", ("num_requests_running",)),
        Rule("waiting", ("num_requests_waiting",)),
        Rule("kv_cache_usage", ("gpu_cache_usage_perc", "kv_cache_usage_perc"), combine="mean"),
        Rule("ttft_seconds", ("time_to_first_token_seconds",)),
        Rule("inter_token_seconds", ("inter_token_latency_seconds", "time_per_output_token_seconds")),
        Rule("request_seconds", ("e2e_request_latency_seconds",)),
        Rule("queue_seconds", ("request_queue_time_seconds",)),
        Rule("prompt_tokens_per_request", ("request_prompt_tokens",)),
        Rule("output_tokens_per_request", ("request_generation_tokens",)),
    ),
)


_TABLES = ((TABLE, None), (vllm.TABLE, vllm.in_tokens), (trtllm.TABLE, None))


class Nim:
    """Reads one NIM."""

    kind = "nim"

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self.config = config
        self._http = http
        url = config.url.rstrip("/")
        self._urls = [url] if url.endswith("/metrics") else [url.removesuffix("/v1") + path for path in _PATHS]
        self._where = shown(self._urls[0])
        self._page = EitherPage(self._where, _TABLES)

    async def collect(self, ts: float) -> Batch:
        """Read the page once, at the first of its places that there is."""
        reply = await self._http.get(self._urls[0], accept_status=(404,) if len(self._urls) > 1 else ())
        if reply.status == 404:
            reply = await self._http.get(self._urls[1])
            self._urls = self._urls[1:]
        return self.parse(reply.body, ts)

    def parse(self, body: bytes, ts: float) -> Batch:
        """Turn a page into a batch; raise Unavailable where it is no NIM's."""
        reading = self._page.read(body)
        if not reading.series and not any(own in body for own in _OWN):
            raise Unavailable(f"{self._where} serves none of NIM's metrics of language models: is it a NIM for LLMs?")
        return reading.batch(self.config, ts)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    return status == 200 and any(own in body for own in _OWN)


KIND = Kind(
    name="nim",
    help="NVIDIA NIM for LLMs, by /v1/metrics or, of old releases, /metrics",
    make=lambda config, http, _clock: Nim(config, needed(config, http)),
    says=frozenset().union(*(table.metrics() for table, _ in _TABLES)),
    server=Server(
        kind="nim",
        command=re.compile(r"\b(?:nim_llm_sdk|vllm_nvext)\.entrypoints\."),
        confirm=_confirm,
        default_ports=(8000,),
        probe_paths=_PATHS,
        model_options=("--served-model-name", "--model"),
    ),
)
