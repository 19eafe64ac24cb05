"""Google's Vertex AI: tokens and requests by model, minutes old, from Cloud Monitoring.

It knows no keys and no users, and tells no cached tokens: prompts are counted as fresh, so their cost is an upper bound
where prompts repeat. Only models that their publishers serve (Gemini, Claude and the like) are counted there; a model
on an endpoint of one's own is read from its engine. Google's bills are in BigQuery alone, and are not read.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from collectors._cloud_api import CloudApi
from collectors._cloud_reader import CloudReader, not_below, word
from collectors._google import GoogleAccess
from collectors._provider_account import Habits
from collectors._vertex_usage import FAMILIES, VertexUsage
from collectors.kind import Api, Kind
from infertop.engine.collector import Collector, Option, SourceConfig

if TYPE_CHECKING:
    import httpx

    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

_URL = "https://monitoring.googleapis.com"
_LEAST_SECONDS = 60.0
_PROJECT = re.compile(r"[a-z0-9.:-]{1,100}", re.ASCII)
_ADVICE = "they need the role Monitoring Viewer on the project"


def reader(config: SourceConfig, access: GoogleAccess, transport: httpx.AsyncBaseTransport | None = None) -> Collector:
    """Return the collector of a source; `transport` stands in for the network. Raise ValueError for a wrong option."""
    project = word(config, "project")
    if project and not _PROJECT.fullmatch(project):
        raise ValueError(f"{config.name}: project must be the id of a project of Google Cloud")

    async def whose() -> str:
        return project or await access.project()

    api = CloudApi(config.url or _URL, access, "Cloud Monitoring", _ADVICE, transport)
    habits = Habits(families=dict.fromkeys(FAMILIES, not_below(config, _LEAST_SECONDS)), lag_seconds=300.0)
    return CloudReader(config, api, VertexUsage(config, api, whose), habits)


def _make(config: SourceConfig, _http: Http | None, _clock: Clock) -> Collector:
    return reader(config, GoogleAccess(config.kind))


KIND = Kind(
    name="vertex",
    help="Google Vertex AI's tokens and requests by model, through Cloud Monitoring",
    make=_make,
    options=(Option("project", "the project's id, else that of the credentials"),),
    least_seconds=_LEAST_SECONDS,
    api=Api(_URL, (), what="Google's application default credentials", extra="google", module="google.auth"),
)
