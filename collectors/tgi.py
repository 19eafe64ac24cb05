"""TGI, Hugging Face's text-generation-inference: the router's metrics page.

Wire format: router/src/server.rs and backends/*/src/backend.rs. What decides the table:

- The page has no labels of models: the name is asked of /info, at first and after each time without an answer.
- Counters have no `_total`, durations are seconds without saying so. Prompt tokens are counted when a request is
  accepted (cached ones included and not told apart), output tokens when it is done, each as the sum of a histogram:
  its hundred buckets are not read. The other histograms have 36.
- Batches run one after the other, so their forward time is GPU time. With chunked prompts (3.x) a batch of `prefill`
  may advance running requests as well. Before 1.4 there is only the whole time of a batch, some CPU time in it.
- `dropped` is a client that left. There is no time to first token, no KV cache use and no counter of cached tokens.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from collectors._page import MetricsPage, metrics_url, needed, shown, text_options
from collectors.kind import Kind, Server
from infertop.engine.collector import Option, SourceConfig, Unavailable
from infertop.readings.mapping import Rule, Table
from infertop.readings.model import Batch

if TYPE_CHECKING:
    from infertop.engine.http import Http

OPTIONS = (Option("model", "the model's name, where /info cannot be asked for it"),)
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


class TGI:
    """Reads one TGI router; raises ValueError where an option is wrong."""

    kind = "tgi"

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self.config = config
        self._http = http
        self._url = metrics_url(config.url)
        self._set_model = text_options(config, ("model",)).get("model")
        self._model = self._set_model
        self._page = MetricsPage(shown(self._url), TABLE)

    async def collect(self, ts: float) -> Batch:
        """Read the page once, and the model's name where it is not known."""
        try:
            reply = await self._http.get(self._url)
            self._model = self._model or await self._ask_model()
        except Unavailable:
            self._model = self._set_model  # what answers next may serve another one
            raise
        return self.parse(reply.body, ts)

    def parse(self, body: bytes, ts: float) -> Batch:
        """Turn a page into a batch; raise Unavailable where it is not TGI's."""
        reading = self._page.read(body, self._model)
        if not reading.series and b"tgi_" not in body:
            raise Unavailable(f"{shown(self._url)} serves no tgi_ metrics: is it text-generation-inference?")
        return reading.batch(self.config, ts)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()

    async def _ask_model(self) -> str:
        url = self._url.removesuffix("/metrics") + "/info"
        reply = await self._http.get(url, accept_status=(404,))
        name = _model_id(reply.body)
        if name is None:
            raise Unavailable(
                f'{shown(url)} names no model: give the url of the API, or set model = "NAME" in its [[source]]'
            )
        return name


def _model_id(body: bytes) -> str | None:
    """Return the name in `{"model_id": "NAME"}`, None where there is none."""
    try:
        info = json.loads(body)
    except (ValueError, RecursionError):
        return None
    name = info.get("model_id") if isinstance(info, dict) else None
    return name[:512] if isinstance(name, str) and name else None


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    return status == 200 and b"# TYPE tgi_" in body


KIND = Kind(
    name="tgi",
    help="Hugging Face's text-generation-inference (TGI)",
    make=lambda config, http, _clock: TGI(config, needed(config, http)),
    options=OPTIONS,
    server=Server(
        kind="tgi",
        # The launcher alone: router and shards are its children, and belong together.
        command=re.compile(r"(?:^|[/\s])text-generation-launcher(?:\s|$)"),
        confirm=_confirm,
        default_ports=(3000,),
        model_options=("--model-id",),
    ),
)
