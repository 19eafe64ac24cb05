"""What the tests of a LiteLLM proxy's past share: a proxy with its books, and an infertop that starts and stops."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from typing import Any

import httpx

from collectors import KINDS
from infertop.engine.collector import SourceConfig
from infertop.engine.http import Http
from infertop.engine.secrets import Secret
from infertop.readings.model import Batch, Statement
from tests.collectors.provider_world import CANARY, NOW, Api
from tests.collectors.reading import payload
from tests.fakes import FakeClock

PAGE = payload("litellm/1.100.0.txt")
ACTIVITY: dict[str, Any] = json.loads(gzip.decompress(payload("litellm/daily_activity.json.gz")))
DAILY, LOGS = "/user/daily/activity/aggregated", "/spend/logs/v2"
MIDNIGHT = NOW // 86400 * 86400
KEY = {"token": "9f86d081884c7d65", "key_alias": "support-bot", "user_id": "alice"}


def activity(request: httpx.Request) -> Any:
    asked = request.url.params
    days = ACTIVITY[asked.get("model", "*")]["results"]
    return {"results": [day for day in days if asked["start_date"] <= day["date"] <= asked["end_date"]]}


def logged(number: int, ended: str, **more: Any) -> dict[str, Any]:
    """A row of the spend logs, with the fields of LiteLLM_SpendLogs."""
    return {
        "request_id": f"r-{number}",
        "call_type": "acompletion",
        "api_key": KEY["token"],
        "spend": 0.01,
        "prompt_tokens": 100,
        "completion_tokens": 10,
        "total_tokens": 110,
        "startTime": "2026-07-21T00:10:00",
        "endTime": ended,
        "model": "gpt-4o",
        "custom_llm_provider": "openai",
        "user": "alice",
        "team_id": "t-1",
        "end_user": "",
        "metadata": {"user_api_key_alias": "support-bot", "user_api_key_team_alias": "Search"},
        "request_tags": ["User-Agent: curl"],
        "status": "success",
        "cache_hit": "False",
    } | more


def pages(*rows: dict[str, Any]):
    def answer(request: httpx.Request) -> dict[str, Any]:
        page, size = int(request.url.params["page"]), int(request.url.params["page_size"])
        return {"data": list(rows[(page - 1) * size : page * size]), "total": len(rows), "page": page}

    return answer


def proxy(daily: Any = activity, logs: Any = None) -> Api:
    return Api(
        {
            "/metrics/": lambda _request: httpx.Response(200, content=PAGE),
            "/key/list": {"keys": [KEY]},
            "/team/list": lambda _request: [],
            DAILY: daily,
            LOGS: pages() if logs is None else logs,
        }
    )


async def polls(
    there: Api, times: int, start: float = NOW, every: float = 15.0, known: Mapping[str, str] | None = None
) -> list[Batch]:
    """Start infertop, read so often, and stop; `known` are the bookmarks of the run before."""
    url = "http://127.0.0.1:4000"
    http = Http(url, key=Secret(CANARY), transport=httpx.MockTransport(there))
    made = KINDS["litellm"].make(SourceConfig("litellm", "proxy", url, key_env="KEY"), http, FakeClock())
    if known is not None:
        made.resume(known)  # type: ignore[attr-defined]
    found = [await made.collect(start + every * number) for number in range(times)]
    await made.close()
    return found


def told(batches: list[Batch]) -> list[Statement]:
    return [each for batch in batches for each in batch.statements]
