"""OpenRouter's analytics: what its credits were charged, by model and key, in minutes and hours.

Wire format: POST /analytics/query and GET /analytics/meta of OpenRouterTeam/typescript-sdk, names of metrics from
OpenRouterTeam/skills. Counts are strings or numbers. `credits_usage` is what OpenRouter charges, its fee on requests
with one's own keys (BYOK) included and what their providers bill left out: so the cost is stated, and billed. Cached
and reasoning tokens are contained in prompt and completion. Buckets of a minute are told for three hours at most.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from collectors._money import DOLLAR, usd_nano
from collectors._provider_account import Told
from collectors._provider_buckets import Bucket, Unread, counted, dimension, statement, told_of
from collectors._provider_halves import Rows, whole
from collectors._provider_pages import Paged, Row, document, entries
from collectors._provider_plan import HOUR, MINUTE, Span
from collectors._provider_time import rfc3339, utc_seconds
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.breakdown import Contradiction, breakdown
from infertop.readings.model import Statement

if TYPE_CHECKING:
    from collectors._provider_root import Rooted

PROVIDER = "openrouter"
FAMILY = "usage"
PATH = "/analytics/query"
_WHERE = f"OpenRouter's {PATH}"
_META = "/analytics/meta"
_COST, _REQUESTS = "credits_usage", "request_count"
_TOKENS = ("tokens_prompt", "tokens_completion", "reasoning_tokens", "cached_tokens")
_WIDTHS = {"date__minute": MINUTE, "date__hour": HOUR, "date__day": 24 * HOUR}
_MOST_ROWS = 10_000
_MOST_MODELS = 500


class OpenRouterUsage:
    """Reads spans. `models` are those that were used in what was read."""

    def __init__(self, config: SourceConfig, api: Rooted) -> None:
        self._source = config.name
        self._api = api
        self._asks: dict[str, list[str]] = {}
        self.models: set[str] = set()

    async def read(self, span: Span, ts: float) -> Told:
        """Return what was used in a span."""
        self._asks = self._asks or await self._known()
        found = await whole(self._ask, span, _WHERE)
        buckets, lost = _buckets(found.rows)
        note = f"{_WHERE} answers with {lost} rows that have no time: they are not known" if lost else found.note
        return told_of(Paged(buckets, note), span, ts, _WHERE, self._say, "start", "end")

    async def _known(self) -> dict[str, list[str]]:
        """Return what is asked for, of that which OpenRouter has today."""
        where = f"OpenRouter's {_META}"
        meta = _data(document((await self._api.get(_META)).body, where), where)
        metrics, groups = (
            {dimension(each, "name") for each in entries(meta, part, where)} for part in ("metrics", "dimensions")
        )
        return {
            "metrics": [name for name in (_COST, _REQUESTS, *_TOKENS) if name in metrics] or [_REQUESTS],
            "dimensions": [name for name in ("model", "api_key_id") if name in groups],
        }

    async def _ask(self, span: Span) -> Rows:
        body: dict[str, Any] = {
            **self._asks,
            "granularity": "hour" if span.width == HOUR else "minute",
            "time_range": {"start": rfc3339(span.start), "end": rfc3339(span.end)},
            "limit": _MOST_ROWS,
        }
        reply = await self._api.post(PATH, json.dumps(body).encode(), {"Content-Type": "application/json"})
        page = _data(document(reply.body, _WHERE), _WHERE)
        about = page.get("metadata")
        rows = entries(page, "data", _WHERE)
        return Rows(rows, len(rows) >= _MOST_ROWS or (isinstance(about, dict) and about.get("truncated") is True))

    def _say(self, family: str, bucket: Bucket, row: Row, number: int) -> tuple[Statement, Unread]:
        key, model = dimension(row, "api_key_id"), dimension(row, "model")
        if model and len(self.models) < _MOST_MODELS:
            self.models.add(model)
        made = statement(
            bucket,
            source=self._source,
            provider=PROVIDER,
            family=family,
            model=model,
            dimensions={"key": key} if key else {},
            quantities=_tokens(row),
            requests=counted(row, _REQUESTS),
            number=number,
        )
        cost = row.get(_COST)
        if cost is not None:
            made = replace(made, usd_nano=usd_nano(cost, DOLLAR, _COST), basis="billed")
        return made, ()


def _data(page: Mapping[str, Any], where: str) -> Mapping[str, Any]:
    found = page.get("data")
    if not isinstance(found, dict):
        raise Unavailable(f"the answer of {where} has no data: its format is not known")
    return found


def _buckets(rows: list[Row]) -> tuple[list[Row], int]:
    """Return rows by buckets, each names its own time, in a field that tells how wide it is; and how many name none."""
    found: dict[tuple[int, int], list[Row]] = {}
    lost = 0
    for row in rows:
        times = ((utc_seconds(row.get(name)), seconds) for name, seconds in _WIDTHS.items())
        start, seconds = next(((at, width) for at, width in times if at is not None), (None, 0))
        if start is None:
            lost += 1
        else:
            found.setdefault((start, start + seconds), []).append(row)
    return [{"start": start, "end": end, "results": results} for (start, end), results in found.items()], lost


def _tokens(row: Row) -> Mapping[str, int]:
    """Return tokens by class; none where they contradict each other, so that the cost is told all the same."""
    prompt, completion, reasoning, cached = (counted(row, name) for name in _TOKENS)
    said: dict[str, object] = {"prompt_tokens": prompt, "completion_tokens": completion}
    if prompt is None and completion is None:
        return {}
    if cached is not None:
        said["prompt_tokens_details"] = {"cached_tokens": cached}
    if reasoning is not None:
        said["completion_tokens_details"] = {"reasoning_tokens": reasoning}
    try:
        return breakdown("openai", said).tokens
    except Contradiction:
        return {}
