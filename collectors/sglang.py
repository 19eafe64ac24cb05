"""SGLang: the metrics page of `sglang serve` (started with --enable-metrics), 0.4 to 0.5.

Wire format: srt/metrics/collector.py, since 0.5.10 srt/observability/metrics_collector.py of sgl-project/sglang. Labels
come and go between versions (`cache_source`, `is_streaming`, the ranks): all but the ranks are added up.

- Every rank may show the same work: of each data parallel group the first counts, in the first stage of a pipeline.
- `prompt_tokens_total` and its like move when a request finishes, and miss what was aborted before; where there is a
  `realtime_tokens_total`, it stands. Its `decode` lacks the first token, which a prompt's batch makes, and has one that
  is computed before the end is known. Prompt tokens include cached ones.
- GPU time is there where SGLANG_ENABLE_METRICS_DEVICE_TIMER is set. A `mixed` batch is a prompt's chunk with running
  requests riding along; newer versions call it `extend` themselves. What verifies drafts generates; `idle` is neither.
- With priorities the total of a gauge has an empty `priority`. Speculation has gauges of a log interval alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from collectors._labelled import Labelled
from collectors.kind import Kind, Server
from infertop.readings.mapping import Rule, Table

_API = "/v1/.*|/generate|/encode|/classify|/invocations|/vertex_generate|/api/(?:chat|generate)"
_LIVE, _EFFECTIVE = ("sglang:realtime_tokens_total",), ("sglang:prefill_effective_tokens_total",)
_FORWARD = ("sglang:forward_execution_seconds_total", "sglang:gpu_execution_seconds_total")
_PROMPTS, _GENERATION = "extend|mixed|split_prefill", "decode|target_verify|draft_extend(?:_v2)?|dllm_extend"
_RESPONSES = ("sglang:http_responses_total",)

TABLE = Table(
    model_label="model_name",
    rank_labels=("dp_rank", "WorkerId"),  # Ray shows the processes of all replicas on one page
    lead_labels=("tp_rank", "pp_rank"),
    prefixes=("", "ray_"),
    started="process_start_time_seconds",
    rules=(
        Rule("requests", ("sglang:num_requests_total",)),
        Rule("requests_failed", _RESPONSES, {"endpoint": _API, "status_code": "4.."}, labels={"reason": "4xx"}),
        Rule("requests_failed", _RESPONSES, {"endpoint": _API, "status_code": "5.."}, labels={"reason": "5xx"}),
        Rule("requests_aborted", ("sglang:num_aborted_requests_total",)),
        Rule("prompt_tokens", _LIVE, {"mode": "prefill_(?:compute|cache)"}),
        Rule("prompt_tokens", ("sglang:prompt_tokens_total",)),
        Rule("cached_tokens", _LIVE, {"mode": "prefill_cache"}),
        Rule("cached_tokens", ("sglang:cached_tokens_total",)),
        Rule("output_tokens", _LIVE, {"mode": "decode"}),
        Rule("output_tokens", ("sglang:generation_tokens_total",)),
        Rule("running", ("sglang:num_running_reqs",), {"priority": ""}),
        Rule("waiting", ("sglang:num_queue_reqs",), {"priority": ""}),
        Rule("kv_cache_usage", ("sglang:token_usage", "sglang:full_token_usage"), combine="mean"),
        Rule("prefix_cache_queries", _EFFECTIVE),
        Rule("prefix_cache_hits", _EFFECTIVE, {"mode": ".*_hit"}),
        Rule("prefix_cache_hit_rate", ("sglang:cache_hit_rate",), combine="mean"),
        Rule("spec_acceptance", ("sglang:spec_accept_rate",), combine="mean"),
        Rule("preemptions", ("sglang:num_retracted_requests_total",)),
        Rule("ttft_seconds", ("sglang:time_to_first_token_seconds",)),
        Rule("inter_token_seconds", ("sglang:inter_token_latency_seconds", "sglang:time_per_output_token_seconds")),
        Rule("request_seconds", ("sglang:e2e_request_latency_seconds",)),
        Rule("queue_seconds", ("sglang:queue_time_seconds",)),
        Rule("prompt_tokens_per_request", ("sglang:prompt_tokens_histogram",)),
        Rule("output_tokens_per_request", ("sglang:generation_tokens_histogram",)),
        Rule("prefill_gpu_seconds_total", _FORWARD, {"category": f"(?:forward_)?(?:{_PROMPTS})"}),
        Rule("decode_gpu_seconds_total", _FORWARD, {"category": f"(?:forward_)?(?:{_GENERATION})"}),
    ),
)


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    # Without --enable-metrics there is no page, but /v1/models. Dynamo's workers show SGLang's series beside their own.
    shows = b"# TYPE sglang:" in body and b"# TYPE dynamo_" not in body
    return status == 200 and (shows or b'"owned_by":"sglang"' in body)


ENGINE = Labelled(TABLE, b"sglang", "SGLang", "start it with --enable-metrics")

KIND = Kind(
    name="sglang",
    help="SGLang, started with --enable-metrics, by its own page or that of Ray Serve",
    make=ENGINE.make,
    says=TABLE.metrics(),
    counts_at_end=True,  # where it has no live counter
    server=Server(
        kind="sglang",
        command=re.compile(r"(?:^|[/\s])sglang serve\b|\bsglang\.launch_server\b"),
        confirm=_confirm,
        default_ports=(30000,),
        probe_paths=("/metrics", "/v1/models"),
        model_options=("--served-model-name", "--model-path", "--model"),
        model_after="serve",
    ),
)
