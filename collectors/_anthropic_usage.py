"""Anthropic's usage report: tokens of messages by model, key, workspace, account, tier, context and place.

Wire format: GET /v1/organizations/usage_report/messages of the Admin API. Input excludes the caches; what is written to
them is told by lifetime. There is no count of requests.
"""

from __future__ import annotations

from typing import Any

from collectors._provider_account import Told
from collectors._provider_buckets import Bucket, Unread, dimension, statement, told_of
from collectors._provider_pages import Pager, Params, Row
from collectors._provider_plan import HOUR, Span
from collectors._provider_root import Rooted
from collectors._provider_time import rfc3339
from infertop.engine.collector import SourceConfig
from infertop.readings.breakdown import breakdown
from infertop.readings.model import Statement

PROVIDER = "anthropic"
FAMILY = "messages"
PATH = "/organizations/usage_report/messages"
# What is asked to group by, and how it is called in the ledger.
_GROUPS = {
    "account_id": "user",
    "api_key_id": "key",
    "context_window": "context_window",
    "inference_geo": "geo",
    "model": "model",
    "service_account_id": "service_account",
    "service_tier": "service_tier",
    "workspace_id": "project",
}
DEFAULT_WORKSPACE = "default"


class AnthropicUsage:
    """Reads spans."""

    def __init__(self, config: SourceConfig, api: Rooted) -> None:
        self._source = config.name
        self._api = api
        self._pages = Pager()

    async def read(self, span: Span, ts: float) -> Told:
        """Return what was used in a span."""
        params: dict[str, Any] = {
            "starting_at": rfc3339(span.start),
            "ending_at": rfc3339(span.end),
            "bucket_width": "1h" if span.width == HOUR else "1m",
            "limit": span.buckets,
            "group_by[]": list(_GROUPS),
        }

        async def ask(params: Params) -> bytes:
            return (await self._api.get(PATH, params)).body

        where = f"Anthropic's {PATH}"
        found = await self._pages.read(ask, params, where)
        return told_of(found, span, ts, where, self._say, "starting_at", "ending_at")

    def _say(self, family: str, bucket: Bucket, row: Row, number: int) -> tuple[Statement, Unread]:
        parts = breakdown("anthropic", row)
        dimensions = {
            name: value for field, name in _GROUPS.items() if name != "model" and (value := dimension(row, field))
        }
        if "workspace_id" in row and not row["workspace_id"]:
            dimensions["project"] = DEFAULT_WORKSPACE
        said = statement(
            bucket,
            source=self._source,
            provider=PROVIDER,
            family=family,
            model=dimension(row, "model"),
            dimensions=dimensions,
            quantities={**parts.tokens, **parts.calls},
            requests=None,
            number=number,
        )
        return said, parts.unread
