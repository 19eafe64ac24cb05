"""What the tests of providers share: an API that answers by path and remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx

from collectors import KINDS
from infertop.engine.collector import Collector, SourceConfig
from infertop.engine.http import Http
from infertop.engine.secrets import Secret
from infertop.readings.model import Batch
from tests.fakes import FakeClock

CANARY = "sk-canary-31415926535"
NOW = 1_784_635_265.0  # 2026-07-21 12:01:05 UTC
URL = "https://api.example.com"
Answer = Callable[[httpx.Request], Any]


@dataclass
class Api:
    """Answers GET and POST by path: JSON, or (status, JSON), or what a function of the request returns."""

    answers: dict[str, Any]
    asked: list[httpx.Request] = field(default_factory=list)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        said = self.answers.get(request.url.path, (404, {}))
        said = said(request) if callable(said) else said
        if isinstance(said, httpx.Response):
            return said
        status, content = said if isinstance(said, tuple) else (200, said)
        return httpx.Response(status, json=content)

    def bodies(self, path: str) -> list[Any]:
        """What was asked of a path by POST."""
        return [json.loads(each.content) for each in self.asked if each.url.path == path]

    def params(self, path: str) -> list[dict[str, str]]:
        """What was asked of a path by GET."""
        return [dict(each.url.params) for each in self.asked if each.url.path == path]


def account(
    kind: str, answer: Answer, url: str = URL, key: str = CANARY, name: str = "", **options: object
) -> Collector:
    """Make the collector of an account whose network is `answer`."""
    api = KINDS[kind].api
    assert api is not None
    http = Http(
        url,
        key=Secret(key),
        key_header=api.key_header,
        headers=dict(api.headers),
        transport=httpx.MockTransport(answer),
    )
    return KINDS[kind].make(SourceConfig(kind, kind, url, options=dict(options)), http, FakeClock())


async def first(collector: Collector, ts: float = NOW) -> Batch:
    """Read once and close."""
    try:
        return await collector.collect(ts)
    finally:
        await collector.close()
