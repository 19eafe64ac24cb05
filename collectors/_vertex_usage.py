"""What the models of Google's Vertex AI were used for: Cloud Monitoring's series of publisher models.

Wire format: GET /v3/projects/PROJECT/timeSeries. Counts are integers in strings. Sums are asked for by the bucket,
which Cloud Monitoring counts from the end of the span backwards, and by what tells one price from another; a point is
that of the bucket that it ends. Cached tokens are told nowhere: prompts are counted as fresh.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from collectors._cloud_api import CloudApi
from collectors._provider_account import Told
from collectors._provider_buckets import Bucket, Unread, statement, told_of
from collectors._provider_pages import Paged, Row, entries
from collectors._provider_plan import HOUR, Span
from collectors._provider_time import rfc3339, utc_seconds
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.figures import count
from infertop.readings.model import Statement
from infertop.readings.safe import safe

PROVIDER = "google"
_WHERE = "Cloud Monitoring"
_METRIC = "aiplatform.googleapis.com/publisher/online_serving/"
_MOST_PAGES = 100
_PAGE_SIZE = 10_000
_MOST_DIGITS = 15
_LONGEST = 512
_SHOWN = 3
_MODEL, _PLACE = "model_user_id", "location"
_TYPES = ("input", "output")
_UNKNOWN = "tokens of the type "


class Family(NamedTuple):
    """A metric, and the labels of it that its sums are asked by."""

    metric: str
    labels: tuple[str, ...]


FAMILIES = {
    "tokens": Family("token_count", ("type", "request_type", "shared_request_type")),
    "requests": Family("model_invocation_count", ("request_type", "response_code")),
}

Who = tuple[tuple[str, str], ...]


class VertexUsage:
    """Reads spans of families; `project` says whose."""

    def __init__(self, config: SourceConfig, api: CloudApi, project: Callable[[], Awaitable[str]]) -> None:
        self._source = config.name
        self._api = api
        self._project = project

    async def read(self, span: Span, ts: float) -> Told:
        """Return what was used in a span."""
        family = FAMILIES[span.family]
        found: dict[int, dict[Who, dict[str, int]]] = {}
        failed: dict[str, int] = {}
        for series in await self._series(family, span):
            labels = _labels(series)
            what, who = self._what(span.family, labels)
            for at, amount in _points(series, span):
                if not what:
                    failed[labels[_MODEL]] = failed.get(labels[_MODEL], 0) + amount
                    continue
                counts = found.setdefault(at, {}).setdefault(who, {})
                counts[what] = counts.get(what, 0) + amount
        told = told_of(Paged(_rows(found, span.width)), span, ts, _WHERE, self._say, "start", "end")
        return told if span.width == HOUR else told._replace(note=told.note or _sentence(failed))

    def _what(self, family: str, labels: Mapping[str, str]) -> tuple[str, Who]:
        """Return which count a series is, empty where its requests failed, and whose."""
        who = {"model": labels[_MODEL], "location": labels.get(_PLACE, "")}
        if labels.get("request_type") == "dedicated":
            who["request_type"] = "dedicated"
        if tier := labels.get("shared_request_type"):
            who["service_tier"] = tier
        if family == "requests":
            code = labels.get("response_code", "")
            return "requests" if not code or code.startswith("2") else "", tuple(sorted(who.items()))
        kind = labels.get("type", "")
        return kind if kind in _TYPES else f"{_UNKNOWN}{safe(kind, 40)}", tuple(sorted(who.items()))

    async def _series(self, family: Family, span: Span) -> list[Row]:
        """Return the series of all pages; raise Unavailable where they do not end."""
        project = quote(await self._project(), safe=":.-")
        asked: dict[str, Any] = {
            "filter": f'metric.type = "{_METRIC}{family.metric}"',
            "interval.startTime": rfc3339(span.start),
            "interval.endTime": rfc3339(span.end),
            "aggregation.alignmentPeriod": f"{span.width}s",
            "aggregation.perSeriesAligner": "ALIGN_SUM",
            "aggregation.crossSeriesReducer": "REDUCE_SUM",
            "aggregation.groupByFields": [
                *(f"resource.label.{name}" for name in (_MODEL, _PLACE)),
                *(f"metric.label.{name}" for name in family.labels),
            ],
            "view": "FULL",
            "pageSize": _PAGE_SIZE,
        }
        rows: list[Row] = []
        seen = set[str]()
        for _ in range(_MOST_PAGES):
            page = await self._api.get(f"/v3/projects/{project}/timeSeries", asked)
            if wrong := page.get("executionErrors"):
                raise Unavailable(f"{_WHERE} could not read everything: {safe(wrong, 160)}")
            # An answer without series has no list of them.
            rows += entries(page, "timeSeries", _WHERE) if page.get("timeSeries") is not None else []
            token = page.get("nextPageToken")
            if not token:
                return rows
            if not isinstance(token, str) or token in seen:
                break
            seen.add(token)
            asked["pageToken"] = token
        raise Unavailable(f"{_WHERE} promises more without end: nothing of the span is used")

    def _say(self, family: str, bucket: Bucket, row: Row, number: int) -> tuple[Statement, Unread]:
        who = dict(row["who"])
        said = statement(
            bucket,
            source=self._source,
            provider=PROVIDER,
            family=family,
            model=who.pop("model") or None,
            dimensions={name: value for name, value in who.items() if value},
            quantities={name: row[name] for name in _TYPES if name in row},
            requests=row.get("requests"),
            number=number,
        )
        return said, tuple(name for name in row if name.startswith(_UNKNOWN))


def _labels(series: Row) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in ("resource", "metric"):
        said = series.get(part)
        labels = said.get("labels") if isinstance(said, dict) else None
        if isinstance(labels, dict):
            found |= {name: value[:_LONGEST] for name, value in labels.items() if isinstance(value, str)}
    if not found.get(_MODEL):
        raise Unavailable(f"{_WHERE} tells of a series without a model: its format is not known")
    return found


def _points(series: Row, span: Span) -> list[tuple[int, int]]:
    """Return the counts of a series by the begin of their buckets."""
    points = []
    for point in entries(series, "points", _WHERE):
        interval, value = point.get("interval"), point.get("value")
        end = utc_seconds(interval.get("endTime")) if isinstance(interval, dict) else None
        if end is None or not isinstance(value, dict) or (end - span.start) % span.width:
            raise Unavailable(
                f"{_WHERE} answers with points that are not those of its buckets: its format is not known"
            )
        if span.start < end <= span.end:
            points.append((end - span.width, _count(value)))
    return points


def _count(value: Mapping[str, Any]) -> int:
    said = value.get("int64Value", value.get("doubleValue"))
    if isinstance(said, str) and said.isascii() and said.isdigit() and len(said) <= _MOST_DIGITS:
        said = int(said)
    try:
        return count(said, "a point")
    except ValueError as error:
        raise Unavailable(f"{_WHERE}: {error}") from None


def _rows(found: Mapping[int, Mapping[Who, Mapping[str, int]]], width: int) -> list[Row]:
    rows: list[Row] = []
    for at, whos in sorted(found.items()):
        results = [{"who": who, **counts} for who, counts in sorted(whos.items()) if any(counts.values())]
        rows.append({"start": at, "end": at + width, "results": results})
    return rows


def _sentence(failed: Mapping[str, int]) -> str:
    worst = sorted(((amount, model) for model, amount in failed.items() if amount), reverse=True)[:_SHOWN]
    said = ", ".join(f"{safe(model, 60)}: {amount} failed" for amount, model in worst)
    return f"in the last two hours: {said}" if said else ""
