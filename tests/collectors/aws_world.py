"""A stand-in for AWS's JSON APIs: CloudWatch with metrics by the minute, and Cost Explorer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from infertop.engine.collector import SourceConfig
from tests.collectors.provider_world import NOW

REGION = "us-east-1"
CLAUDE = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"


class FakeAccess:
    """Signs nothing; what signing does is tested against botocore itself."""

    async def region(self) -> str:
        return REGION

    def close(self) -> None:
        """There is nothing to close."""

    async def signed(self, service: str, region: str, url: str, body: bytes, headers: dict[str, str]) -> dict[str, str]:
        return {**headers, "Authorization": f"AWS4-HMAC-SHA256 {service} {region}"}


def config(kind: str, *, interval: float = 300.0, url: str = "", **options: object) -> SourceConfig:
    return SourceConfig(kind, kind, url, interval_seconds=interval, options=dict(options))


@dataclass
class CloudWatchWorld:
    """What CloudWatch has: points by (metric, dimensions) and epoch seconds; answers in pages of `per_page`."""

    namespace: str
    points: dict[tuple[str, tuple[tuple[str, str], ...]], dict[int, float]] = field(default_factory=dict)
    per_page: int = 500
    status: str = "Complete"
    said: Any = None
    asked: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)

    def add(self, metric: str, points: Mapping[int, float], **dimensions: str) -> None:
        self.points[metric, tuple(sorted(dimensions.items()))] = dict(points)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        target = request.headers["X-Amz-Target"]
        assert target.startswith("GraniteServiceVersion20100801.")
        assert request.headers["Content-Type"] == "application/x-amz-json-1.0"
        operation, asked = target.partition(".")[2], json.loads(request.content)
        self.asked.append((operation, asked))
        self.urls.append(str(request.url))
        if self.said is not None:
            said = self.said(operation, asked) if callable(self.said) else self.said
            if said is not None:
                return said
        rows, name = self._rows(operation, asked)
        first = int(asked.get("NextToken", "0"))
        page: dict[str, Any] = {name: rows[first : first + self.per_page]}
        if first + self.per_page < len(rows):
            page["NextToken"] = str(first + self.per_page)
        return httpx.Response(200, json=page)

    def _rows(self, operation: str, asked: dict[str, Any]) -> tuple[list[dict[str, Any]], str]:
        if operation == "ListMetrics":
            recent = asked.get("RecentlyActive")
            if asked["Namespace"] != self.namespace:
                return [], "Metrics"
            listed = [
                {
                    "Namespace": self.namespace,
                    "MetricName": metric,
                    "Dimensions": [{"Name": name, "Value": value} for name, value in who],
                }
                for (metric, who), points in self.points.items()
                if not recent or max(points) > NOW - 3 * 3600
            ]
            return listed, "Metrics"
        return [self._sums(each, asked["StartTime"], asked["EndTime"]) for each in asked["MetricDataQueries"]], (
            "MetricDataResults"
        )

    def _sums(self, query: dict[str, Any], start: int, end: int) -> dict[str, Any]:
        stat = query["MetricStat"]
        assert stat["Stat"] == "Sum"
        who = tuple(sorted((each["Name"], each["Value"]) for each in stat["Metric"]["Dimensions"]))
        width, sums = stat["Period"], {}
        for at, value in self.points[stat["Metric"]["MetricName"], who].items():
            if start <= at < end:
                sums[at // width * width] = sums.get(at // width * width, 0) + value
        times = sorted(sums)
        return {
            "Id": query["Id"],
            "Label": stat["Metric"]["MetricName"],
            "Timestamps": [float(at) for at in times],
            "Values": [float(sums[at]) for at in times],
            "StatusCode": self.status,
        }
