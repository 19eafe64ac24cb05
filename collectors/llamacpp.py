"""llama.cpp's llama-server: its metrics page (started with --metrics).

Wire format: tools/server/README.md and server-context.cpp of ggml-org/llama.cpp. What decides the table:

- The page has no labels: the model's name is asked of /v1/models, at first and again after each restart.
- `prompt_tokens_total` leaves cached tokens out; the counter of cached ones is newer and may be missing.
- There is no counter of requests, hence no cost per request. Times are summed over slots, so they overlap.
- Its Process-Start-Time-Unix is the start in microseconds since the machine's boot (ggml_time_us), not since the epoch.
- Numbers have six significant digits: from a million tokens on a counter moves in steps of ten, and so on.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from collectors._models import first_model
from collectors._page import MetricsPage, metrics_url, needed, shown, text_options
from collectors.kind import Kind, Server
from infertop.engine.collector import Option, SourceConfig, Unavailable
from infertop.readings.mapping import Rule, Table
from infertop.readings.model import Batch

if TYPE_CHECKING:
    from infertop.engine.http import Http

OPTIONS = (Option("model", "the model's name; of a server with several models (router mode) the one to read"),)

TABLE = Table(
    rules=(
        Rule("input_tokens", ("llamacpp:prompt_tokens_total",)),
        Rule("cached_tokens", ("llamacpp:prompt_tokens_cached_total", "llamacpp:prompt_tokens_cache_total")),
        Rule("output_tokens", ("llamacpp:tokens_predicted_total",)),
        Rule("running", ("llamacpp:requests_processing",)),
        Rule("waiting", ("llamacpp:requests_deferred",)),
        Rule("kv_cache_usage", ("llamacpp:kv_cache_usage_ratio",)),
        Rule("prefill_seconds_total", ("llamacpp:prompt_seconds_total",)),
        Rule("decode_seconds_total", ("llamacpp:tokens_predicted_seconds_total",)),
        Rule("batches", ("llamacpp:n_decode_total",)),
        Rule("spec_drafted_tokens", ("llamacpp:spec_decode_num_draft_tokens_total",)),
        Rule("spec_accepted_tokens", ("llamacpp:spec_decode_num_accepted_tokens_total",)),
    ),
)


class LlamaCpp:
    """Reads one llama-server; raises ValueError where an option is wrong."""

    kind = "llamacpp"

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self.config = config
        self._http = http
        self._url = metrics_url(config.url)
        self._set_model = text_options(config, ("model",)).get("model")
        self._model = self._set_model
        self._started: float | None = None
        self._page = MetricsPage(shown(self._url), TABLE)

    async def collect(self, ts: float) -> Batch:
        """Read the page once, and the model's name where the process is a new one."""
        params = {"model": self._set_model} if self._set_model else None
        try:
            reply = await self._http.get(self._url, params, accept_status=(400, 404, 501))
            self._check(reply.status)
            started = _started(reply.headers.get("process-start-time-unix", ""))
            if self._model is None or started != self._started:
                self._model = self._set_model or await self._ask_model()
        except Unavailable:
            self._model = None  # what answers next may be another process
            raise
        self._started = started
        return self.parse(reply.body, ts)

    def parse(self, body: bytes, ts: float) -> Batch:
        """Turn a page into a batch; raise Unavailable where it is not llama.cpp's."""
        reading = self._page.read(body, self._model)
        if not reading.series:
            raise Unavailable(f"{shown(self._url)} serves no llamacpp metrics: is it llama-server?")
        return reading.batch(self.config, ts, self._started)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()

    def _check(self, status: int) -> None:
        where = shown(self._url)
        if status == 400:
            raise Unavailable(f'{where} needs to know which model (HTTP 400): set model = "NAME" in its [[source]]')
        if status in (404, 501):
            raise Unavailable(f"there are no metrics at {where} (HTTP {status}): start llama-server with --metrics")

    async def _ask_model(self) -> str:
        url = self._url.removesuffix("/metrics") + "/v1/models"
        reply = await self._http.get(url)
        name = first_model(reply.body)
        if name is None:
            raise Unavailable(f'{shown(url)} names no model: set model = "NAME" in its [[source]]')
        return name


def _started(text: str) -> float | None:
    """Return what tells this process from the next one on its port: seconds, of a clock of the server's own."""
    return int(text) / 1e6 if re.fullmatch(r"\d{1,18}", text, re.ASCII) else None


def _confirm(status: int, headers: Mapping[str, str], body: bytes) -> bool:
    # Without --metrics it says so itself, and its other answers carry its name.
    return (status == 200 and b"llamacpp:" in body) or headers.get("server", "") == "llama.cpp"


KIND = Kind(
    name="llamacpp",
    help="llama.cpp's llama-server, started with --metrics; it counts tokens but no requests",
    make=lambda config, http, _clock: LlamaCpp(config, needed(config, http)),
    options=OPTIONS,
    says=TABLE.metrics(),
    server=Server(
        kind="llamacpp",
        command=re.compile(r"(?:^|[/\s])llama-server(?:\.exe)?(?:\s|$)"),
        confirm=_confirm,
        default_ports=(8080,),
        model_options=("-a", "--alias", "-hf", "-hfr", "--hf-repo", "-m", "--model"),
    ),
)
