"""Anthropic's usage report: tokens of messages by model, key, workspace, account, tier, context and place.

Wire format: GET /v1/organizations/usage_report/messages of the Admin API. Input excludes the caches; what is written to
them is told by lifetime. There is no count of requests.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from collectors._provider_account import Told
from collectors._provider_buckets import Bucket, buckets, covered_by, dimension, statement
from collectors._provider_pages import Params, Row, paged
from collectors._provider_plan import HOUR, Span
from collectors._provider_root import Rooted
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

    async def read(self, span: Span, _ts: float) -> Told:
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

        found = await paged(ask, params, f"Anthropic's {PATH}")
        read = list(buckets(found.rows, "starting_at", "ending_at"))
        said, rejected, odd = [], 0, ""
        for bucket in read:
            for number, row in enumerate(bucket.rows):
                try:
                    said.append(self._say(bucket, row, number))
                except ValueError as error:
                    rejected, odd = rejected + 1, odd or f"Anthropic's usage: {error}"
        covered = covered_by(read, f"{FAMILY}|", None if found.note else span)
        return Told(said, covered, found.note or odd, rejected)

    def _say(self, bucket: Bucket, row: Row, number: int) -> Statement:
        parts = breakdown("anthropic", row)
        dimensions = {
            name: value for field, name in _GROUPS.items() if name != "model" and (value := dimension(row, field))
        }
        if "workspace_id" in row and not row["workspace_id"]:
            dimensions["project"] = DEFAULT_WORKSPACE
        return statement(
            bucket,
            source=self._source,
            provider=PROVIDER,
            family=FAMILY,
            model=dimension(row, "model"),
            dimensions=dimensions,
            quantities={**parts.tokens, **parts.calls},
            requests=None,
            number=number,
        )


def rfc3339(ts: float) -> str:
    """Return a time as Anthropic wants it: UTC, whole seconds."""
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
