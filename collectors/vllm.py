"""vLLM: the metrics page of `vllm serve`, 0.6 to 0.33, engine V0 and V1.

Wire format: vllm/v1/metrics/loggers.py and vllm/engine/metrics.py; names change between versions and are matched by
alias, never by version. What decides the table:

- `request_success_total` counts choices (n=2 counts twice); `request_params_n` is observed once for each request.
  Both miss what the client gave up, whose tokens are counted all the same; its `abort` stays 0, so it is not read.
- `prompt_tokens_total` includes cached tokens and is counted at a request's first token.
- Prefix cache counters are in blocks up to 0.8.5 and in tokens since; only the page's help text tells.
- `iteration_tokens_total` is a histogram and `lora_requests_info` a gauge of time stamps: neither is a counter here.
- A failure that the client saw is in `http_requests_total` (4xx, 5xx); an engine's `error` may be the same failure as
  a 5xx, but in a stream that had begun it is in no 5xx; what the queue's limit turned away is a 4xx or 5xx too. They
  are apart by `reason` and are not to be added.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from collectors._page import MetricsPage, metrics_url, needed, shown
from collectors.kind import Kind, Server
from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.readings.mapping import Rule, Table
from infertop.readings.model import Batch

if TYPE_CHECKING:
    from infertop.engine.http import Http

_CACHE_COUNTERS = ("cached_tokens", "prefix_cache_queries", "prefix_cache_hits")
_BLOCK_SIZE = re.compile(rb'cache_config_info\{(?:[^}]*,)?block_size="(\d{1,6})"')
_ENDED, _WHY = ("vllm:request_success_total",), {"finished_reason": "reason"}
_API, _API_ONLY = "/v1/.*", b"# TYPE http_requests_total "
_OTHERS = (b"# TYPE nv_", b"# TYPE dynamo_", b"# TYPE request_predict_seconds ", b"kserve_vllm")

TABLE = Table(
    model_label="model_name",
    rank_labels=("engine", "WorkerId"),  # Ray shows the processes of all replicas on one page
    prefixes=("", "ray_", "kserve_"),
    started="process_start_time_seconds",
    rules=(
        Rule("requests", ("vllm:request_params_n_count", "vllm:request_success_total")),
        Rule("answers", _ENDED, {"finished_reason": "(?!(?:abort|error)$).+"}, keep=_WHY),
        Rule("requests_failed", ("http_requests_total",), {"handler": _API, "status": "4.."}, labels={"reason": "4xx"}),
        Rule("requests_failed", ("http_requests_total",), {"handler": _API, "status": "5.."}, labels={"reason": "5xx"}),
        Rule("requests_failed", _ENDED, {"finished_reason": "error"}, labels={"reason": "error"}),
        Rule("requests_failed", ("vllm:admission_rejections_total",), keep={"reason": "reason"}),
        Rule("prompt_tokens", ("vllm:prompt_tokens_total",)),
        Rule(
            "cached_tokens",
            (
                "vllm:prompt_tokens_cached_total",
                "vllm:prefix_cache_hits_total + vllm:external_prefix_cache_hits_total",
                "vllm:gpu_prefix_cache_hits_total",
            ),
        ),
        Rule("output_tokens", ("vllm:generation_tokens_total",)),
        Rule("running", ("vllm:num_requests_running",)),
        Rule("waiting", ("vllm:num_requests_waiting + vllm:num_requests_swapped",)),  # V0 swapped them out
        Rule("kv_cache_usage", ("vllm:kv_cache_usage_perc", "vllm:gpu_cache_usage_perc"), combine="mean"),
        Rule("prefix_cache_queries", ("vllm:prefix_cache_queries_total", "vllm:gpu_prefix_cache_queries_total")),
        Rule("prefix_cache_hits", ("vllm:prefix_cache_hits_total", "vllm:gpu_prefix_cache_hits_total")),
        Rule("prefix_cache_hit_rate", ("vllm:gpu_prefix_cache_hit_rate",), combine="mean"),
        Rule("preemptions", ("vllm:num_preemptions_total",)),
        Rule("spec_drafted_tokens", ("vllm:spec_decode_num_draft_tokens_total",)),
        Rule("spec_accepted_tokens", ("vllm:spec_decode_num_accepted_tokens_total",)),
        Rule("ttft_seconds", ("vllm:time_to_first_token_seconds",)),
        Rule("inter_token_seconds", ("vllm:inter_token_latency_seconds", "vllm:time_per_output_token_seconds")),
        Rule("request_seconds", ("vllm:e2e_request_latency_seconds",)),
        Rule("queue_seconds", ("vllm:request_queue_time_seconds", "vllm:time_in_queue_requests")),
        Rule("prompt_tokens_per_request", ("vllm:request_prompt_tokens",)),
        Rule("output_tokens_per_request", ("vllm:request_generation_tokens",)),
        Rule("asleep", ("vllm:engine_sleep_state",), {"sleep_state": "weights_offloaded|discard_all"}),
    ),
)


class Vllm:
    """Reads one vLLM server, or a page on which a relay shows vLLM's series."""

    kind = "vllm"

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self.config = config
        self._http = http
        self._url = metrics_url(config.url)
        self._page = MetricsPage(shown(self._url), TABLE, in_tokens)

    async def collect(self, ts: float) -> Batch:
        """Read the page once."""
        reply = await self._http.get(self._url)
        return self.parse(reply.body, ts)

    def parse(self, body: bytes, ts: float) -> Batch:
        """Turn a page into a batch; raise Unavailable where it has nothing of vLLM's engine."""
        reading = self._page.read(body)
        if {series.metric for series in reading.series} <= {"requests_failed", "unreadable_lines"}:
            where = shown(self._url)
            known = "no vllm series that infertop knows" if b"vllm" in body else "no vllm series"
            # A server that keeps no statistics answers all the same: it is not down, it says nothing.
            silent = not body.strip() or _API_ONLY in body
            raise Unavailable(
                f"{where} serves {known}: is it vLLM, and was it started with --disable-log-stats?",
                state=State.ABSENT if silent else State.DOWN,
            )
        return reading.batch(self.config, ts)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()


def in_tokens(table: Table, body: bytes) -> Table:
    """Scale the prefix cache's counters to tokens where the page counts blocks; leave them out without a block size."""
    if b"in terms of number of cached blocks" not in body:
        return table
    block = _BLOCK_SIZE.search(body)
    if block:
        return table.scaled(_CACHE_COUNTERS, float(block[1]))
    return replace(table, rules=tuple(rule for rule in table.rules if rule.metric not in _CACHE_COUNTERS))


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    # Others show vLLM's series beside their own. /v1/models tells a vLLM that has no series.
    shows = b"vllm:" in body and not any(other in body for other in _OTHERS)
    return status == 200 and (shows or b'"owned_by":"vllm"' in body)


KIND = Kind(
    name="vllm",
    help="vLLM, by the metrics of its server or of a relay (Ray Serve, KServe)",
    make=lambda config, http, _clock: Vllm(config, needed(config, http)),
    says=TABLE.metrics(),
    caveats=(
        "requests that clients gave up are in no count of requests and in no latency but the first token's; their "
        "tokens are counted",
    ),
    server=Server(
        kind="vllm",
        command=re.compile(r"(?:^|[/\s])vllm serve\b|\bvllm\.entrypoints\.(?:openai\.api_server|cli\.main serve)\b"),
        confirm=_confirm,
        default_ports=(8000,),
        probe_paths=("/metrics", "/v1/models"),
        model_options=("--served-model-name", "--model"),
        model_after="serve",
    ),
)
