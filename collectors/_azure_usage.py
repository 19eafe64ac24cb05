"""What an Azure OpenAI resource counted, by deployment and model, in minutes and hours.

Wire format: GET RESOURCE/providers/microsoft.insights/metrics of Azure Monitor. With a filter it answers with 10 series
unless `top` says otherwise; an answer that is full to the top may be cut off, and is not used. Prompt tokens contain
those from the cache, which are told nowhere: they are counted as fresh. The same is counted under two families of
names; only one of them is ever asked.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from collectors._cloud_api import CloudApi
from collectors._provider_account import Told
from collectors._provider_buckets import Bucket, Unread, dimension, statement, told_of
from collectors._provider_pages import Paged, Row, entries
from collectors._provider_plan import HOUR, Span
from collectors._provider_time import rfc3339, utc_seconds
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.account import Account
from infertop.readings.breakdown import breakdown
from infertop.readings.figures import count
from infertop.readings.model import Statement
from infertop.readings.safe import safe

PROVIDER = "azure"
FAMILY = "deployments"
_API = "2023-10-01"
_TOP = 1000
_DEPLOYMENT, _MODEL, _STATUS = "ModelDeploymentName", "ModelName", "StatusCode"
_WHERE = "Azure Monitor"
_RECENT_SECONDS = 900
_LONGEST = 512
_SHOWN = 3

Who = tuple[str, str]
"""A deployment and its model."""


class Names(NamedTuple):
    """What one family of names calls prompt tokens, output tokens, requests, and how busy what is reserved is."""

    prompt: str
    output: str
    requests: str
    provisioned: str


NAMES = {
    "openai": Names(
        "ProcessedPromptTokens",
        "GeneratedTokens",
        "AzureOpenAIRequests",
        "AzureOpenAIProvisionedManagedUtilizationV2",
    ),
    "models": Names("InputTokens", "OutputTokens", "ModelRequests", "ProvisionedUtilization"),
}


class Point(NamedTuple):
    """A value of a metric: its time, and the values of the dimensions that were asked for, by lower-case name."""

    metric: str
    at: int
    who: Mapping[str, str]
    value: object


class AzureUsage:
    """Reads spans of one resource (its id begins with /subscriptions/)."""

    def __init__(self, config: SourceConfig, api: CloudApi, resource: str, names: Names) -> None:
        self._source = config.name
        self._path = f"{resource}/providers/microsoft.insights/metrics"
        self._api = api
        self._names = names

    async def read(self, span: Span, ts: float) -> Told:
        """Return what was used in a span."""
        names = self._names
        tokens = await self._points(span, [names.prompt, names.output], [_DEPLOYMENT, _MODEL])
        requests = await self._points(span, [names.requests], [_DEPLOYMENT, _MODEL, _STATUS])
        fields = {names.prompt: "prompt_tokens", names.output: "completion_tokens", names.requests: "requests"}
        found: dict[int, dict[Who, dict[str, int]]] = {}
        failed: dict[tuple[str, str], int] = {}
        for point in (*tokens, *requests):
            who = (point.who.get(_DEPLOYMENT.lower(), ""), point.who.get(_MODEL.lower(), ""))
            amount = _count(point)
            status = point.who.get(_STATUS.lower(), "")
            if status and not status.startswith("2"):
                failed[who[0], status] = failed.get((who[0], status), 0) + amount
                continue
            counts = found.setdefault(point.at, {}).setdefault(who, {})
            counts[fields[point.metric]] = counts.get(fields[point.metric], 0) + amount
        told = told_of(Paged(_rows(found, span.width)), span, ts, _WHERE, self._say, "start", "end")
        return told if span.width == HOUR else told._replace(note=told.note or _sentence(failed))

    async def provisioned(self, ts: float) -> tuple[Account, str]:
        """Return, as a note, how much of what is reserved was used in the last quarter of an hour, at most."""
        end = int(ts // 60 * 60)
        span = Span(FAMILY, end - _RECENT_SECONDS, end, 60)
        name = self._names.provisioned
        highest: dict[str, float] = {}
        for point in await self._points(span, [name], [_DEPLOYMENT], "Maximum"):
            try:
                percent = float(str(point.value))
            except ValueError:
                continue
            who = point.who.get(_DEPLOYMENT.lower(), "")
            if 0 < percent <= 1000:  # above 100 % requests are refused
                highest[who] = max(percent, highest.get(who, 0.0))
        worst = sorted(highest.items(), key=lambda each: -each[1])[:_SHOWN]
        said = [f"{safe(who, 60)} {percent:.0f} %" for who, percent in worst]
        return Account(), f"provisioned throughput in use: {', '.join(said)}" if said else ""

    async def _points(self, span: Span, metrics: list[str], by: list[str], aggregation: str = "Total") -> list[Point]:
        """Return the values of metrics in a span; raise Unavailable where a part is missing."""
        asked = {
            "api-version": _API,
            "metricnames": ",".join(metrics),
            "timespan": f"{rfc3339(span.start)}/{rfc3339(span.end)}",
            "interval": "PT1H" if span.width == HOUR else "PT1M",
            "aggregation": aggregation,
            "$filter": " and ".join(f"{name} eq '*'" for name in by),
            "top": _TOP,
        }
        page = await self._api.get(self._path, asked)
        points: list[Point] = []
        seen = set[str]()
        for metric in entries(page, "value", _WHERE):
            name = metric.get("name")
            name = str(name.get("value")) if isinstance(name, dict) else ""
            wrong = metric.get("errorCode")
            if name not in metrics or wrong not in (None, "Success"):
                said = safe(metric.get("errorMessage") or wrong or "it was not asked for", 160)
                raise Unavailable(f"{_WHERE} does not tell {safe(name, 60)}: {said}")
            series = entries(metric, "timeseries", _WHERE)
            if len(series) >= _TOP:
                raise Unavailable(f"{_WHERE} has more than {_TOP} series of {name}: its answer may be cut off")
            seen.add(name)
            for each in series:
                points += _points(name, each, span, aggregation.lower())
        if missing := sorted(set(metrics) - seen):
            raise Unavailable(f"{_WHERE} does not tell {', '.join(missing)}")
        return points

    def _say(self, family: str, bucket: Bucket, row: Row, number: int) -> tuple[Statement, Unread]:
        tokens = {name: amount for name, amount in row.items() if name.endswith("_tokens")}
        deployment = dimension(row, "deployment")
        said = statement(
            bucket,
            source=self._source,
            provider=PROVIDER,
            family=family,
            model=dimension(row, "model") or deployment,
            dimensions={"deployment": deployment} if deployment else {},
            quantities=breakdown("openai", tokens).tokens if tokens else {},
            requests=count(row["requests"], self._names.requests) if "requests" in row else None,
            number=number,
        )
        return said, ()


def _points(metric: str, series: Row, span: Span, aggregation: str) -> Iterable[Point]:
    who = {}
    for each in entries(series, "metadatavalues", _WHERE) if series.get("metadatavalues") is not None else ():
        name, value = each.get("name"), each.get("value")
        if isinstance(name, dict) and isinstance(name.get("value"), str) and isinstance(value, str):
            who[name["value"].lower()] = value[:_LONGEST]
    for each in entries(series, "data", _WHERE):
        at, value = utc_seconds(each.get("timeStamp")), each.get(aggregation)
        if at is None:
            raise Unavailable(f"{_WHERE} tells a time that is none: its format is not known")
        if value is not None and span.start <= at < span.end:
            yield Point(metric, at, who, value)


def _count(point: Point) -> int:
    try:
        return count(point.value, point.metric)
    except ValueError as error:
        raise Unavailable(f"{_WHERE}: {error}") from None


def _rows(found: Mapping[int, Mapping[Who, Mapping[str, int]]], width: int) -> list[Row]:
    rows: list[Row] = []
    for at, whos in sorted(found.items()):
        results: list[dict[str, Any]] = [
            {"deployment": deployment, "model": model, **counts}
            for (deployment, model), counts in sorted(whos.items())
            if any(counts.values())
        ]
        rows.append({"start": at, "end": at + width, "results": results})
    return rows


def _sentence(failed: Mapping[tuple[str, str], int]) -> str:
    worst = sorted(((amount, *key) for key, amount in failed.items() if amount), reverse=True)[:_SHOWN]
    said = [f"{safe(who, 60)}: {amount} x HTTP {safe(status, 8)}" for amount, who, status in worst]
    return f"in the last two hours: {', '.join(said)}" if said else ""
