"""LMDeploy: the metrics page of `lmdeploy serve api_server`, 0.9 to 0.18.

Wire format: lmdeploy/metrics/loggers.py of InternLM/lmdeploy, which took it from vLLM. What decides the table:

- Prompt tokens include cached ones and are counted at a request's first token, cached ones at its end.
- `request_success_total` has a line for every way to end, errors and cancellations too. `num_requests_failed` is shown
  as a gauge and counts all the same: what failed in any way, cancelled ones included, also where no line tells how.
- Its seconds of prefill and decode are those of requests, which overlap: they are no GPU time.
- The counters of speculation are there without speculation too, at 0.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from collectors._labelled import Labelled
from collectors.kind import Kind, Server
from infertop.readings.mapping import Rule, Table

_ENDED = ("lmdeploy:request_success_total",)
_GIVEN_UP = r".*\bCANCEL"
_BADLY = r".*\b(?:\w*_(?:ERROR|EXIST|REPEAT|CONFLICT|QUEUE|SUPPORTED|MEMORY))$"

TABLE = Table(
    model_label="model_name",
    rank_labels=("engine",),
    started="process_start_time_seconds",
    rules=(
        Rule("requests", _ENDED, {"finished_reason": f"(?!{_BADLY}|{_GIVEN_UP}).*"}),
        Rule("requests_aborted", _ENDED, {"finished_reason": _GIVEN_UP}),
        Rule("requests_failed", ("lmdeploy:num_requests_failed",)),
        Rule("prompt_tokens", ("lmdeploy:prompt_tokens_total",)),
        Rule("cached_tokens", ("lmdeploy:cached_tokens_total",)),
        Rule("output_tokens", ("lmdeploy:generation_tokens_total",)),
        Rule("prefix_cache_hit_rate", ("lmdeploy:prefix_cache_hit_rate",), combine="mean"),
        Rule("spec_drafted_tokens", ("lmdeploy:spec_decode_num_draft_tokens_total",)),
        Rule("spec_accepted_tokens", ("lmdeploy:spec_decode_num_accepted_tokens_total",)),
        Rule("running", ("lmdeploy:num_requests_running",)),
        Rule("waiting", ("lmdeploy:num_requests_waiting",)),
        Rule("kv_cache_usage", ("lmdeploy:gpu_cache_usage_perc",), combine="mean"),
        Rule("ttft_seconds", ("lmdeploy:time_to_first_token_seconds",)),
        Rule("inter_token_seconds", ("lmdeploy:iter_token_latency", "lmdeploy:time_per_output_token_seconds")),
        Rule("request_seconds", ("lmdeploy:e2e_request_latency_seconds",)),
        Rule("queue_seconds", ("lmdeploy:request_queue_time_seconds",)),
        Rule("prompt_tokens_per_request", ("lmdeploy:request_prompt_tokens",)),
        Rule("output_tokens_per_request", ("lmdeploy:request_generation_tokens",)),
    ),
)


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    return status == 200 and (b"# TYPE lmdeploy:" in body or b'"owned_by":"lmdeploy"' in body)


ENGINE = Labelled(TABLE, b"lmdeploy", "LMDeploy", "start it without --disable-metrics")

KIND = Kind(
    name="lmdeploy",
    help="LMDeploy's API server",
    make=ENGINE.make,
    says=TABLE.metrics(),
    caveats=("failures include what clients gave up",),
    server=Server(
        kind="lmdeploy",
        command=re.compile(r"(?:^|[/\s])lmdeploy serve api_server\b"),
        confirm=_confirm,
        default_ports=(23333,),
        probe_paths=("/metrics", "/v1/models"),
        port_options=("--server-port",),
        model_options=("--model-name",),
        model_after="api_server",
    ),
)
