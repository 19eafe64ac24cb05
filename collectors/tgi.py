"""TGI, Hugging Face's text-generation-inference: the router's metrics page.

Wire format: router/src/server.rs and backends/*/src/backend.rs. What decides the table:

- The page has no labels of models: the name is asked of /info.
- Counters have no `_total`, durations are seconds without saying so. Prompt tokens are counted when a request is
  accepted (cached ones included and not told apart), output tokens when it is done, each as the sum of a histogram:
  its hundred buckets are not read. The other histograms have 36.
- Batches run one after the other, so their forward time is GPU time. With chunked prompts (3.x) a batch of `prefill`
  may advance running requests as well. Before 1.4 there is only the whole time of a batch, some CPU time in it.
- `dropped` is a client that left. There is no time to first token, no KV cache use and no counter of cached tokens.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from collectors._named import OPTIONS, Named
from collectors.kind import Kind, Server
from infertop.readings.mapping import Rule, Table

_BATCHES = ("tgi_batch_forward_duration_sum", "tgi_batch_inference_duration_sum")

TABLE = Table(
    rules=(
        Rule("requests", ("tgi_request_success",)),
        Rule("requests_failed", ("tgi_request_failure",), {"err": "(?!dropped$).*"}, keep={"err": "reason"}),
        Rule("requests_aborted", ("tgi_request_failure",), {"err": "dropped"}),
        Rule("prompt_tokens", ("tgi_request_input_length_sum",)),
        Rule("output_tokens", ("tgi_request_generated_tokens_sum",)),
        Rule("running", ("tgi_batch_current_size",)),
        Rule("waiting", ("tgi_queue_size",)),
        Rule("batches", ("tgi_batch_inference_count",)),
        Rule("inter_token_seconds", ("tgi_request_mean_time_per_token_duration",)),
        Rule("request_seconds", ("tgi_request_duration",)),
        Rule("queue_seconds", ("tgi_request_queue_duration",)),
        Rule("prefill_gpu_seconds_total", _BATCHES, {"method": "prefill"}),
        Rule("decode_gpu_seconds_total", _BATCHES, {"method": "decode"}),
    ),
)


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    return status == 200 and b"# TYPE tgi_" in body


ENGINE = Named(TABLE, b"tgi_", "text-generation-inference")

KIND = Kind(
    name="tgi",
    help="Hugging Face's text-generation-inference (TGI)",
    make=ENGINE.make,
    options=OPTIONS,
    says=TABLE.metrics(),
    counts_at_end=True,
    server=Server(
        kind="tgi",
        # The launcher alone: router and shards are its children, and belong together.
        command=re.compile(r"(?:^|[/\s])text-generation-launcher(?:\s|$)"),
        confirm=_confirm,
        default_ports=(3000,),
        model_options=("--model-id",),
    ),
)
