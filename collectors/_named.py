"""The collector of an engine whose page names no model: a table, and where else it says which model it serves."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collectors._page import MetricsPage, metrics_url, needed, shown, text_options
from infertop.engine.collector import Collector, Option, SourceConfig, Unavailable
from infertop.readings.mapping import Table
from infertop.readings.model import Batch

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

OPTIONS = (Option("model", "the model's name, where /info cannot be asked for it"),)
_INFO = "/info"


@dataclass(frozen=True, slots=True)
class Named:
    """What there is to know of such an engine: `sign` is what its page has, `program` its name in sentences.

    The model's name is asked of /info, `{"model_id": "NAME"}`, at first and after each time without an answer.
    """

    table: Table
    sign: bytes
    program: str

    def make(self, config: SourceConfig, http: Http | None, _clock: Clock) -> Collector:
        """Make the collector of a source; raise ValueError where an option is wrong."""
        return NamedPage(config, needed(config, http), self)


class NamedPage:
    """Reads one server of such an engine; raises ValueError where an option is wrong."""

    def __init__(self, config: SourceConfig, http: Http, engine: Named) -> None:
        self.config = config
        self.kind = config.kind
        self._http = http
        self._engine = engine
        self._url = metrics_url(config.url)
        self._set_model = text_options(config, ("model",)).get("model")
        self._model = self._set_model
        self._page = MetricsPage(shown(self._url), engine.table)

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
        """Turn a page into a batch; raise Unavailable where it is not this engine's.

        A router that has not been asked anything yet serves an empty page: it is known by its /info.
        """
        reading = self._page.read(body, self._model)
        answered = self._model is not None and self._set_model is None
        if not reading.series and self._engine.sign not in body and (body.strip() or not answered):
            sign, program = self._engine.sign.decode(), self._engine.program
            raise Unavailable(f"{shown(self._url)} serves no {sign} metrics: is it {program}?")
        return reading.batch(self.config, ts)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()

    async def _ask_model(self) -> str:
        url = self._url.removesuffix("/metrics") + _INFO
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
