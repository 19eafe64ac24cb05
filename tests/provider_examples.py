"""A provider that answers every question with its own official example, whatever was asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx

from collectors import KINDS
from infertop.engine.clock import SystemClock
from infertop.engine.collector import Collector, SourceConfig
from infertop.engine.http import Http
from infertop.engine.secrets import Secret
from tests.provider_contract import PAYLOADS

__all__ = ["PAYLOADS", "example", "examples_of"]


def example(provider: str, name: str) -> Any:
    """Read an official example."""
    return json.loads((PAYLOADS / provider / f"{name}.json").read_text())


def examples_of(provider: str, answers: Mapping[str, Any]) -> Collector:
    """Make the real collector of a provider; `answers` are by the end of the path, and anything else is not there."""

    def handle(request: httpx.Request) -> httpx.Response:
        found = [body for path, body in answers.items() if request.url.path.endswith(path)]
        return httpx.Response(200, json=found[0]) if found else httpx.Response(404, json={"error": {"message": "no"}})

    kind = KINDS[provider]
    assert kind.api is not None
    http = Http(
        kind.api.url,
        key=Secret("sk-example-key"),
        key_header=kind.api.key_header,
        headers=dict(kind.api.headers),
        transport=httpx.MockTransport(handle),
    )
    return kind.make(SourceConfig(provider, provider, interval_seconds=60.0), http, SystemClock())
