"""The collector of an engine whose page says everything, the models' names too: a table and what to do without it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collectors._page import Adapt, MetricsPage, Reading, metrics_url, needed, shown
from infertop.engine.collector import Collector, SourceConfig, Unavailable
from infertop.readings.mapping import Table
from infertop.readings.model import Batch

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

# What says nothing of a model: the name would come later, and be another series.
_BESIDE = frozenset({"requests_failed", "unreadable_lines"})


@dataclass(frozen=True, slots=True)
class Labelled:
    """What there is to know of such an engine.

    `sign` is what its page has, also before the first request; `program` is its name in sentences, `no_page` what to
    do where there is no page.
    """

    table: Table
    sign: bytes
    program: str
    no_page: str
    adapt: Adapt | None = None

    def make(self, config: SourceConfig, http: Http | None, _clock: Clock) -> Collector:
        """Make the collector of a source."""
        return LabelledPage(config, needed(config, http), self)


class LabelledPage:
    """Reads one server of such an engine, or a page on which a relay shows its series."""

    def __init__(self, config: SourceConfig, http: Http, engine: Labelled) -> None:
        self.config = config
        self.kind = config.kind
        self._http = http
        self._engine = engine
        self._url = metrics_url(config.url)
        self._page = MetricsPage(shown(self._url), engine.table, engine.adapt)

    async def collect(self, ts: float) -> Batch:
        """Read the page once."""
        reply = await self._http.get(self._url, accept_status=(404,))
        if reply.status == 404:
            raise Unavailable(f"there are no metrics at {shown(self._url)} (HTTP 404): {self._engine.no_page}")
        return self.parse(reply.body, ts)

    def parse(self, body: bytes, ts: float) -> Batch:
        """Turn a page into a batch, without series before the first request; raise Unavailable where it is none."""
        reading = self._page.read(body)
        if all(series.metric in _BESIDE for series in reading.series):
            if self._engine.sign not in body:
                raise Unavailable(
                    f"{shown(self._url)} serves no metrics of {self._engine.program}: is it the right server?"
                )
            reading = Reading((), (), reading.started, reading.notes, reading.rejected)
        return reading.batch(self.config, ts)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()
