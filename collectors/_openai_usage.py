"""OpenAI's usage API: ten families, each with what its buckets count and by what they can be grouped.

Wire format: openai/openai-openapi, GET /organization/usage/*. A bucket's group fields are null unless asked for; parts
that an older answer lacks are unknown, not 0. `usage_bytes` of stores is a level: it is told as bytes x minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from collectors._provider_account import Told
from collectors._provider_buckets import Bucket, Unread, dimension, statement
from collectors._provider_pages import Row
from collectors._provider_plan import Span
from collectors._provider_root import Rooted
from collectors._provider_usage import UsageReport
from infertop.engine.collector import SourceConfig
from infertop.readings.breakdown import breakdown
from infertop.readings.figures import count
from infertop.readings.model import Statement

PROVIDER = "openai"
_WHO = ("project_id", "user_id", "api_key_id")
# How a group field is called in the ledger.
_DIMENSIONS = {
    "project_id": "project",
    "user_id": "user",
    "api_key_id": "key",
    "batch": "batch",
    "service_tier": "service_tier",
    "size": "size",
    "source": "image_source",
    "context_level": "context_level",
    "vector_store_id": "vector_store",
}

Counts = Callable[[Row, int], tuple[Mapping[str, int], Unread]]


def _tokens(row: Row, _seconds: int) -> tuple[Mapping[str, int], Unread]:
    parts = breakdown("openai_usage", row)
    return parts.tokens, parts.unread


def _of(field: str, unit: str) -> Counts:
    return lambda row, _seconds: ({} if row.get(field) is None else {unit: count(row[field], field)}, ())


def _stored(row: Row, seconds: int) -> tuple[Mapping[str, int], Unread]:
    level = row.get("usage_bytes")
    return ({} if level is None else {"storage_byte_minutes": count(level, "usage_bytes") * seconds // 60}), ()


@dataclass(frozen=True, slots=True)
class Family:
    """One usage endpoint: what it counts by resource, its group fields, and whether its requests are its own."""

    counts: Counts
    groups: tuple[str, ...]
    own_requests: bool = True


_BY_MODEL = (*_WHO, "model")
FAMILIES: dict[str, Family] = {
    "completions": Family(_tokens, (*_BY_MODEL, "batch", "service_tier")),
    "embeddings": Family(_of("input_tokens", "input"), _BY_MODEL),
    "moderations": Family(_of("input_tokens", "input"), _BY_MODEL),
    "images": Family(_of("images", "images"), (*_BY_MODEL, "size", "source")),
    "audio_speeches": Family(_of("characters", "input_characters"), _BY_MODEL),
    "audio_transcriptions": Family(_of("seconds", "audio_seconds"), _BY_MODEL),
    "web_search_calls": Family(_of("num_requests", "web_searches"), (*_BY_MODEL, "context_level"), own_requests=False),
    "file_search_calls": Family(_of("num_requests", "storage_searches"), (*_WHO, "vector_store_id"), False),
    "code_interpreter_sessions": Family(_of("num_sessions", "code_executions"), ("project_id",), False),
    "vector_stores": Family(_stored, ("project_id",), False),
}


class OpenAiUsage:
    """Reads spans of any family."""

    def __init__(self, config: SourceConfig, api: Rooted) -> None:
        self._source = config.name
        self._report = UsageReport(api, "OpenAI's", "start_time", "end_time")

    async def read(self, span: Span, ts: float) -> Told:
        """Return what was used in a span."""
        asked = {"start_time": span.start, "end_time": span.end, "group_by": FAMILIES[span.family].groups}
        return await self._report.read(f"/organization/usage/{span.family}", asked, span, ts, self._say)

    def _say(self, family: str, bucket: Bucket, row: Row, number: int) -> tuple[Statement, Unread]:
        known = FAMILIES[family]
        counts, unread = known.counts(row, bucket.seconds)
        requests = row.get("num_model_requests") if known.own_requests else None
        said = statement(
            bucket,
            source=self._source,
            provider=PROVIDER,
            family=family,
            model=dimension(row, "model"),
            dimensions=dict(_said(row)),
            quantities=counts,
            requests=None if requests is None else count(requests, "num_model_requests"),
            number=number,
        )
        return said, unread


def _said(row: Row) -> Iterator[tuple[str, str]]:
    for field, name in _DIMENSIONS.items():
        value = dimension(row, field)
        if value and not (field == "batch" and value == "false"):
            yield name, value
