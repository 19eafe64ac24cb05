"""CloudWatch: which metrics there are, and their sums over spans.

Wire format: ListMetrics and GetMetricData of CloudWatch 2010-08-01, in AWS's JSON 1.0. AWS charges 0.01 USD for 1,000
metrics that are asked for with GetMetricData, however many points each has; a poll asks for what was active alone. An
answer of which a part is missing is none: the sums of the rest would pass for the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from collectors._aws import Aws, Service
from collectors._provider_pages import entries
from infertop.engine.collector import Unavailable
from infertop.readings.figures import count
from infertop.readings.safe import safe

SERVICE = Service("monitoring", "GraniteServiceVersion20100801", "1.0")
_MOST_ASKED = 500
_MOST_POINTS = 100_800
_MOST_PAGES = 100
_MOST_NAMED = 5_000
_LONGEST = 512


class Metric(NamedTuple):
    """A metric with its dimensions (name, value), in order of their names."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...]


class CloudWatch:
    """Asks CloudWatch in one region."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws

    async def metrics(self, namespace: str, *, recent: bool) -> list[Metric]:
        """Return the metrics of a namespace that had data within the last 3 hours (`recent`), or the last 14 days."""
        asked = {"Namespace": namespace, **({"RecentlyActive": "PT3H"} if recent else {})}
        found: dict[Metric, None] = {}
        async for page in self._aws.pages("ListMetrics", asked, "NextToken", _MOST_PAGES):
            for row in entries(page, "Metrics", "AWS's ListMetrics"):
                if (metric := _metric(row)) is not None:
                    found[metric] = None
        if len(found) > _MOST_NAMED:
            raise Unavailable(f"{namespace} has more than {_MOST_NAMED} metrics in CloudWatch: more than is read")
        return list(found)

    async def sums(self, metrics: Sequence[Metric], start: int, end: int, width: int) -> dict[Metric, dict[int, int]]:
        """Return the sum of each metric in each bucket of `width` seconds from `start` to `end`, by epoch seconds.

        Buckets without data are left out. Raise Unavailable where a part is missing or is no count.
        """
        found: dict[Metric, dict[int, int]] = {}
        most = max(1, min(_MOST_ASKED, _MOST_POINTS // max(1, (end - start) // width)))
        for first in range(0, len(metrics), most):
            found |= await self._some(metrics[first : first + most], start, end, width)
        return found

    async def _some(self, metrics: Sequence[Metric], start: int, end: int, width: int) -> dict[Metric, dict[int, int]]:
        by_id = {f"m{number}": metric for number, metric in enumerate(metrics)}
        asked = {
            "MetricDataQueries": [_query(each, metric, width) for each, metric in by_id.items()],
            "StartTime": start,
            "EndTime": end,
            "ScanBy": "TimestampAscending",
            "MaxDatapoints": _MOST_POINTS,
        }
        found: dict[Metric, dict[int, int]] = {}
        standing: dict[str, str] = {}
        async for page in self._aws.pages("GetMetricData", asked, "NextToken", _MOST_PAGES):
            for row in entries(page, "MetricDataResults", "AWS's GetMetricData"):
                name = row.get("Id")
                if name in by_id:
                    standing[name] = str(row.get("StatusCode"))
                    found.setdefault(by_id[name], {}).update(_points(row, start, end))
        for name, metric in by_id.items():
            if standing.get(name) != "Complete":
                said = safe(standing.get(name, "nothing"), 40)
                raise Unavailable(f"CloudWatch says {said} of {metric.name}: asked again later")
        return found


def _query(name: str, metric: Metric, width: int) -> dict[str, Any]:
    dimensions = [{"Name": each, "Value": value} for each, value in metric.dimensions]
    asked = {"Namespace": metric.namespace, "MetricName": metric.name, "Dimensions": dimensions}
    return {"Id": name, "MetricStat": {"Metric": asked, "Period": width, "Stat": "Sum"}, "ReturnData": True}


def _metric(row: Mapping[str, Any]) -> Metric | None:
    namespace, name, said = row.get("Namespace"), row.get("MetricName"), row.get("Dimensions") or []
    if not isinstance(namespace, str) or not isinstance(name, str) or not isinstance(said, list):
        return None
    pairs = [(each.get("Name"), each.get("Value")) for each in said if isinstance(each, dict)]
    good = [(key, value) for key, value in pairs if isinstance(key, str) and isinstance(value, str)]
    if len(good) != len(said) or any(len(text) > _LONGEST for pair in good for text in pair):
        return None
    return Metric(namespace, name, tuple(sorted(good)))


def _points(row: Mapping[str, Any], start: int, end: int) -> Iterable[tuple[int, int]]:
    times, values = row.get("Timestamps") or [], row.get("Values") or []
    if not isinstance(times, list) or not isinstance(values, list) or len(times) != len(values):
        raise Unavailable("CloudWatch's answer has not as many values as times: its format is not known")
    points = [(_whole(at, "a time"), _whole(value, "a sum")) for at, value in zip(times, values, strict=True)]
    return [(at, value) for at, value in points if start <= at < end]


def _whole(said: object, what: str) -> int:
    """Return a count, which CloudWatch writes with a point; raise Unavailable where it is none."""
    try:
        return count(said, what)
    except ValueError as error:
        raise Unavailable(f"CloudWatch's answer cannot be read: {error}") from None
