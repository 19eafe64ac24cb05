"""What Triton's HTTP API says that its metrics page does not: which models are ensembles, and how long batches took.

Wire format: docs/protocol of triton-inference-server/server, extensions statistics (in nanoseconds) and
model_configuration.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit

from infertop.engine.collector import Unavailable

if TYPE_CHECKING:
    from infertop.engine.http import Http

_STATS = "/v2/models/stats"
_NANO = 1e9
_MOST_MODELS = 2_000
# Statuses of something else on that port, or of a Triton without these extensions.
_NOT_THERE = (400, 401, 403, 404, 405, 501)

Version = tuple[str, str]


@dataclass(slots=True)
class Inside:
    """What is known of a server's models by name.

    `steps` are the models inside each ensemble, `on_gpu` those that have instances on a GPU, `known` all whose
    configuration was read. `batch_seconds` is how long all batches of a (model, version) took together, each once.
    """

    steps: dict[str, frozenset[str]] = field(default_factory=dict)
    on_gpu: set[str] = field(default_factory=set)
    known: set[str] = field(default_factory=set)
    batch_seconds: Mapping[Version, float] = field(default_factory=dict)


class TritonApi:
    """Asks one server. `inside` is what it has said so far; `doubtful` that another process may answer by now.

    `near` says that it is on this machine.
    """

    def __init__(self, http: Http) -> None:
        self._http = http
        self.inside = Inside()
        self.doubtful = False
        self.near = http.origin is not None and http.origin.loopback

    async def ask(self) -> bool:
        """Bring `inside` up to date; return False where there is no such API, raise Unavailable where none answers."""
        try:
            return await self._ask(Inside() if self.doubtful else self.inside)
        except Unavailable:
            self.doubtful = True
            raise

    async def _ask(self, inside: Inside) -> bool:
        reply = await self._http.get(_STATS, accept_status=_NOT_THERE)
        stats = _object(reply.body) if reply.status == 200 else None
        if stats is None or not isinstance(stats.get("model_stats"), list):
            return False
        seconds = dict(_batch_seconds(stats["model_stats"][:_MOST_MODELS]))
        for name in sorted({name for name, _ in seconds} - inside.known):
            reply = await self._http.get(f"/v2/models/{quote(name, safe='')}/config", accept_status=_NOT_THERE)
            _learn(inside, name, _object(reply.body) or {})
        inside.batch_seconds = seconds
        self.inside, self.doubtful = inside, False
        return True

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()


def _learn(inside: Inside, name: str, config: Mapping[str, Any]) -> None:
    if steps := frozenset(_texts(_part(config, "ensemble_scheduling").get("step"), "model_name")):
        inside.steps[name] = steps
    if "KIND_GPU" in _texts(config.get("instance_group"), "kind"):
        inside.on_gpu.add(name)
    inside.known.add(name)


def api_url(url: str, port: int | None) -> str | None:
    """Return where the API is, given the metrics' URL: at `port`, else two below, as Triton's own 8000 and 8002 are."""
    parts = urlsplit(url)
    port = port or (parts.port - 2 if parts.port and parts.port > 2 else None)
    host = f"[{parts.hostname}]" if parts.hostname and ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}" if port and host else None


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _part(of: object, name: str) -> Mapping[str, Any]:
    """Return the object that is a part of another; an empty one where there is none."""
    part = of.get(name) if isinstance(of, dict) else None
    return part if isinstance(part, dict) else {}


def _texts(objects: object, name: str) -> list[str]:
    """Return what each of a list of objects has under a name, as far as that is text."""
    listed = objects if isinstance(objects, list) else []
    return [each[name] for each in listed if isinstance(each, dict) and isinstance(each.get(name), str)]


def _batch_seconds(models: Iterable[object]) -> Iterable[tuple[Version, float]]:
    for model in models:
        name, version = (model.get("name"), model.get("version")) if isinstance(model, dict) else (None, None)
        if isinstance(model, dict) and isinstance(name, str) and isinstance(version, str) and name:
            batches = model.get("batch_stats")
            listed = batches if isinstance(batches, list) else []
            yield (name, version), sum(map(_nanoseconds, listed)) / _NANO


def _nanoseconds(batch: object) -> float:
    ns = _part(batch, "compute_infer").get("ns")
    return float(ns) if isinstance(ns, int | float) and 0 <= ns < math.inf else 0.0
