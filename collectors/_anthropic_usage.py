"""Anthropic's usage report: tokens of messages by model, key, workspace, account, tier, context and place.

Wire format: GET /v1/organizations/usage_report/messages of the Admin API. Input excludes the caches; what is written to
them is told by lifetime. There is no count of requests.
"""

from __future__ import annotations

from collectors._provider_account import Told
from collectors._provider_buckets import Bucket, Unread, dimension, statement
from collectors._provider_pages import Row
from collectors._provider_plan import Span
from collectors._provider_root import Rooted
from collectors._provider_time import rfc3339
from collectors._provider_usage import UsageReport
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
        self._report = UsageReport(api, "Anthropic's", "starting_at", "ending_at")

    async def read(self, span: Span, ts: float) -> Told:
        """Return what was used in a span."""
        times = {"starting_at": rfc3339(span.start), "ending_at": rfc3339(span.end)}
        return await self._report.read(PATH, {**times, "group_by[]": list(_GROUPS)}, span, ts, self._say)

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
