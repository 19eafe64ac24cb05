"""What the tests of collectors share: a source, its answers, and what a batch says as plain numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

import httpx

from collectors import KINDS
from infertop.engine.collector import Collector, SourceConfig
from infertop.engine.http import Http
from infertop.readings.increase import Continuity
from infertop.readings.model import Batch, Buckets, Value
from tests.fakes import FakeClock
from tests.recordings import PAYLOADS

URL = "http://127.0.0.1:9"


def payload(path: str) -> bytes:
    return (PAYLOADS / path).read_bytes()


def source(kind: str, url: str = URL, *, answer: Callable[[httpx.Request], httpx.Response] | None = None, **options):
    """Make the collector of a source whose network is `answer`."""
    transport = httpx.MockTransport(answer) if answer else None
    return KINDS[kind].make(SourceConfig(kind, kind, url, options=options), Http(url, transport=transport), FakeClock())


def answering(status: int = 200, body: bytes = b"", **headers: str) -> Callable[[httpx.Request], httpx.Response]:
    return lambda _request: httpx.Response(status, content=body, headers=headers)


def plain(value: Value) -> float:
    """A number as it is, a histogram as how many observations it has."""
    return value.observations if isinstance(value, Buckets) else value


def totals(batch: Batch) -> dict[str, float]:
    """Add up a batch by metric."""
    sums: Counter[str] = Counter()
    for series, value in zip(batch.series, batch.values, strict=True):
        sums[series.metric] += plain(value)
    return dict(sums)


def labels(batch: Batch, metric: str) -> set[tuple[tuple[str, str], ...]]:
    return {series.labels for series in batch.series if series.metric == metric}


def recorded(collector: Collector, pages: Iterable[tuple[float, int | None, str]]) -> list[tuple[Batch, object]]:
    """Read a recording's good pages; with each batch what it added since the page before."""
    continuity = Continuity(gap_seconds=15.0)
    batches = [collector.parse(text.encode(), ts) for ts, status, text in pages if status == 200]
    return [(batch, continuity.advance(batch)) for batch in batches]


def grown(advances: Iterable[object]) -> dict[tuple[str, str | None], float]:
    """Add up increases by metric and model."""
    sums: Counter[tuple[str, str | None]] = Counter()
    for advance in advances:
        for series, amount in advance.increases:
            sums[series.metric, series.label("model")] += plain(amount)
    return dict(sums)


def sums(batch: Batch) -> dict[str, int]:
    """Return what the statements of a batch add up to, by class, with their requests."""
    found: Counter[str] = Counter()
    for each in batch.statements:
        found.update({**each.quantities, "requests": each.requests or 0})
    return dict(found)
