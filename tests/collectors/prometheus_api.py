"""A stand-in for a Prometheus: pages as they would be scraped, answered as its API answers."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

import httpx

from collectors._prometheus_systems import pattern, wanted
from collectors.prometheus import KIND, Prometheus
from infertop.engine.collector import SourceConfig
from infertop.engine.http import Http
from infertop.readings.exposition import Exposition
from tests.fakes import START, FakeClock
from tests.recordings import PAYLOADS

_ASKED = re.compile(pattern(wanted()))
URL = "http://127.0.0.1:9090"
Scrapes = Mapping[float, bytes]
"""Pages of one target by the time of the scrape."""


def recorded(name: str) -> bytes:
    return gzip.decompress((PAYLOADS / "prometheus" / f"2.42.0_{name}.json.gz").read_bytes())


def series(page: bytes) -> dict[tuple[tuple[str, str], ...], str]:
    """What a scrape of a page stores: labels with the name among them, and values as Prometheus writes them."""
    read = Exposition(None).parse(page)
    return {
        tuple(sorted((*raw.labels, ("__name__", raw.name)))): _written(value)
        for raw, value in zip(read.layout.series, read.values, strict=True)
    }


def result(target: Mapping[str, str], scrapes: Scrapes) -> list[dict[str, Any]]:
    """The matrix of one target, of what is asked for; a label of the page that the target has too is exported."""
    points: dict[tuple[tuple[str, str], ...], list[list[object]]] = {}
    for ts, page in scrapes.items():
        for labels, value in series(page).items():
            if not _ASKED.fullmatch(dict(labels)["__name__"]):
                continue
            points.setdefault(labels, []).append([ts, value])
    return [
        {"metric": {(f"exported_{k}" if k in target else k): v for k, v in labels} | dict(target), "values": each}
        for labels, each in points.items()
    ]


def answer(results: Iterable[dict[str, Any]], kind: str = "matrix", **more: object) -> bytes:
    said = {"status": "success", "data": {"resultType": kind, "result": list(results)}} | more
    return json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()


def jobs(*names: str) -> bytes:
    return answer(({"metric": {"job": name} if name else {}, "value": [START, "1"]} for name in names), "vector")


class Backend:
    """Answers queries: the first with `jobs`, the others with what `says` has, the last of which stays."""

    def __init__(self, *says: bytes | httpx.Response, found: bytes | None = None) -> None:
        self.says = list(says)
        self.found = found or jobs("engines")
        self.asked: list[tuple[httpx.Request, dict[str, str]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        text = request.content.decode() or request.url.query.decode()
        said = {name: values[0] for name, values in parse_qs(text).items()}
        self.asked.append((request, said))
        if said["query"].startswith("count by"):
            return httpx.Response(200, content=self.found)
        now = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        return now if isinstance(now, httpx.Response) else httpx.Response(200, content=now)


def source(
    backend: Callable[[httpx.Request], httpx.Response], url: str = URL, interval: float = 15.0, **options: object
) -> Prometheus:
    config = SourceConfig("prometheus", "prom", url, interval_seconds=interval, options=options)
    made = KIND.make(config, Http(url, transport=httpx.MockTransport(backend)), FakeClock())
    assert isinstance(made, Prometheus)
    return made


def _written(value: float) -> str:
    if value != value:
        return "NaN"
    return {float("inf"): "+Inf", float("-inf"): "-Inf"}.get(value) or repr(value)
