"""TEI, Hugging Face's text-embeddings-inference: the router's metrics page.

Wire format: router/src/http/server.rs, grpc/server.rs and core/src of huggingface/text-embeddings-inference. What
decides the table:

- The page has no labels of models: the name is asked of /info. It is empty until the first request.
- A request may carry many inputs. `te_embed_success` and `te_predict_success` count inputs, and `te_request_success`
  misses some requests in newer releases, which count them once more as `te_request_count` instead. The time of each
  request that was answered is taken once: that is counted.
- Tokens are those of the inputs, counted when they are accepted; there is no cache, and nothing is generated.
- Queue time is the mean of a request's inputs. Times of inference are those of the whole batch, once for each of its
  inputs: no GPU time. `te_batch_next_size` counts empty batches too, and is not read.
- Failures count inputs where it is inputs that fail. `dropped` is a client that left.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from collectors._named import OPTIONS, Named
from collectors.kind import Kind, Server
from infertop.readings.mapping import Rule, Table

TABLE = Table(
    rules=(
        Rule("requests", ("te_request_duration_count", "te_request_success")),
        Rule("requests_failed", ("te_request_failure",), {"err": "(?!dropped$).*"}, keep={"err": "reason"}),
        Rule("requests_aborted", ("te_request_failure",), {"err": "dropped"}),
        Rule("input_tokens", ("te_request_input_length_sum",)),
        Rule("waiting", ("te_queue_size",)),
        Rule("request_seconds", ("te_request_duration",)),
        Rule("queue_seconds", ("te_request_queue_duration", "te_embed_queue_duration")),
    ),
)


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    # Before the first request the page is empty; /info tells it from TGI's, which has no tokenization_workers.
    return status == 200 and (b"# TYPE te_" in body or b'"tokenization_workers":' in body)


ENGINE = Named(TABLE, b"te_", "text-embeddings-inference")

KIND = Kind(
    name="tei",
    help="Hugging Face's text-embeddings-inference (TEI): embeddings, reranking and classification",
    make=ENGINE.make,
    options=OPTIONS,
    says=TABLE.metrics(),
    caveats=("failures and aborts count inputs, of which a request may have many",),
    server=Server(
        kind="tei",
        command=re.compile(r"(?:^|[/\s])text-embeddings-router(?:\s|$)"),
        confirm=_confirm,
        default_ports=(3000,),
        probe_paths=("/metrics", "/info"),
        port_options=("--port", "-p"),
        model_options=("--model-id",),
    ),
)
