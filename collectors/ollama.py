"""Ollama: which models are loaded, how much memory each holds, and until when (`/api/ps`).

Wire format: docs/api.md and api/types.go (ProcessModelResponse) of ollama/ollama. What decides:

- It serves no metrics: tokens and requests are known to those who asked alone, and are unknown here.
- Each model runs in a llama-server of its own on a random port, started without --metrics and gone with the model. Its
  processes are Ollama's (`runs`), so that what they hold of a GPU is the models'; they are not read as servers.
- `size` is all memory of a model, `size_vram` the part of it on GPUs. A model that is kept for ever expires in 2318.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from collectors._page import needed, shown
from collectors.kind import Kind, Server
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.model import Batch, Series

if TYPE_CHECKING:
    from infertop.engine.http import Http

_PATH = "/api/ps"
_PAGE = re.compile(rb'\s*\{\s*"models"\s*:\s*(?:\[\s*\]\s*\}\s*$|\[.*"size_vram"\s*:)', re.DOTALL)
_SIZES = {"size": "model_memory_bytes", "size_vram": "model_gpu_memory_bytes"}
_EXPIRES = "model_expires_seconds"
_FRACTION = re.compile(r"\.(\d{1,6})\d*")
_MOST_BYTES = 2**60
MAX_MODELS = 200


class Ollama:
    """Reads one Ollama server."""

    kind = "ollama"

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self.config = config
        self._http = http
        base = config.url.rstrip("/")
        self._url = base if base.endswith(_PATH) else base.removesuffix("/v1").removesuffix("/api") + _PATH
        self._series: tuple[Series, ...] = ()

    async def collect(self, ts: float) -> Batch:
        """Ask once what is loaded."""
        reply = await self._http.get(self._url)
        return self.parse(reply.body, ts)

    def parse(self, body: bytes, ts: float) -> Batch:
        """Turn an answer into a batch; raise Unavailable where it is not Ollama's."""
        rows: dict[Series, float] = {}
        rejected = 0
        for each in self._models(body):
            name = each.get("name") or each.get("model") if isinstance(each, dict) else None
            if not isinstance(name, str) or not name or len(rows) >= MAX_MODELS * (len(_SIZES) + 1):
                rejected += 1
                continue
            for metric, value in _said(each, ts):
                rows[Series.of(metric, model=name[:512])] = value
        if tuple(rows) != self._series:
            self._series = tuple(rows)
        notes = (f"{shown(self._url)}: {rejected} models could not be read",) if rejected else ()
        return Batch(self.config.name, ts, self._series, tuple(rows.values()), notes=notes, rejected=rejected)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()

    def _models(self, body: bytes) -> list[Any]:
        try:
            page = json.loads(body)
        except (ValueError, RecursionError):
            page = None
        models = page.get("models", page) if isinstance(page, dict) else page
        if isinstance(page, dict) and models is None:
            return []
        if not isinstance(models, list):
            raise Unavailable(f"{shown(self._url)} does not say which models are loaded: is it Ollama?")
        return models


def _said(model: Mapping[str, Any], ts: float) -> Iterator[tuple[str, float]]:
    for field, metric in _SIZES.items():
        size = model.get(field)
        if isinstance(size, int) and not isinstance(size, bool) and 0 <= size < _MOST_BYTES:
            yield metric, float(size)
    expires = _seconds(model.get("expires_at"))
    if expires is not None and expires > 0:
        yield _EXPIRES, max(0.0, expires - ts)


def _seconds(text: object) -> float | None:
    """Return a time of RFC 3339 in epoch seconds, None where it is none; nanoseconds are cut."""
    if not isinstance(text, str) or len(text) > 64:
        return None
    try:
        at = datetime.fromisoformat(_FRACTION.sub(lambda found: "." + found[1].ljust(6, "0"), text))
        return at.timestamp() if at.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _confirm(status: int, _headers: Mapping[str, str], body: bytes) -> bool:
    return status == 200 and _PAGE.match(body) is not None


KIND = Kind(
    name="ollama",
    help="Ollama: the models that are loaded and their memory; it counts no tokens",
    make=lambda config, http, _clock: Ollama(config, needed(config, http)),
    says=frozenset({*_SIZES.values(), _EXPIRES}),
    server=Server(
        kind="ollama",
        command=re.compile(r"(?:^|[/\s])ollama(?:\.exe)? serve(?:\s|$)"),
        confirm=_confirm,
        default_ports=(11434,),
        probe_paths=(_PATH,),
        port_options=(),
        runs=("llamacpp",),
    ),
)
