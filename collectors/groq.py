"""Groq's Enterprise metrics: tokens and requests by model and project, as means over minutes.

Wire format: console.groq.com/docs/prometheus-metrics, the Prometheus HTTP API over recorded rates of five minutes
(`model_project_id:tokens_in:rate5m`, per second). A rate's mean over a bucket times its seconds is what was used: exact
over time, smoothed within five minutes, and so an estimate. Input contains cached tokens, which are not told apart. An
ordinary key is answered with 403 or 404.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from collectors._page import needed
from collectors._provider_account import AccountReader, Habits, Told
from collectors._provider_buckets import Bucket, Unread, dimension, statement, told_of
from collectors._provider_pages import Paged, Row, document
from collectors._provider_plan import Span
from collectors._provider_time import month_begin
from collectors.kind import Api, Kind
from infertop.engine.collector import Collector, SourceConfig, State, Unavailable
from infertop.readings.figures import MOST
from infertop.readings.model import Statement

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

_URL = "https://api.groq.com/v1"
_PATH = "/metrics/prometheus/api/v1/query_range"
_WHERE = "Groq's /v1/metrics/prometheus"
_FAMILY = "usage"
_REFUSED = (403, 404)
_HOURLY = 3600.0
_METRICS = {
    "requests": 'model_project_id_status_code:requests:rate5m{status_code=~"2.."}',
    "input": "model_project_id:tokens_in:rate5m",
    "output": "model_project_id:tokens_out:rate5m",
}
_NOT_ENTERPRISE = (
    "Groq tells usage to keys of its Enterprise tier alone: read a gateway in front of it (litellm), or a log of its "
    "requests (langfuse, helicone)"
)


class GroqUsage:
    """Reads spans."""

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self._source = config.name
        self._http = http

    async def read(self, span: Span, ts: float) -> Told:
        """Return what was used in a span."""
        buckets: dict[int, dict[tuple[str, str], dict[str, Any]]] = {}
        for name, metric in _METRICS.items():
            for labels, start, amount in await self._amounts(metric, span):
                model, project = dimension(labels, "model") or "", dimension(labels, "project_id") or ""
                of = buckets.setdefault(start, {}).setdefault((model, project), {"model": model, "project": project})
                of[name] = of.get(name, 0) + amount
        rows: list[Row] = [
            {"start": start, "end": start + span.width, "results": [each for each in of.values() if _used(each)]}
            for start, of in buckets.items()
        ]
        return told_of(Paged(rows), span, ts, _WHERE, self._say, "start", "end")

    async def _amounts(self, metric: str, span: Span) -> list[tuple[Row, int, int]]:
        """Return labels, the start of a bucket, and what was used in it; a value stands at the end of its bucket."""
        asked: dict[str, str | int] = {
            "query": f"sum by (model, project_id) (avg_over_time({metric}[{span.width}s]))",
            "start": span.start + span.width,
            "end": span.end,
            "step": span.width,
        }
        reply = await self._http.get(_PATH, asked, accept_status=_REFUSED)
        if reply.status in _REFUSED:
            raise Unavailable(_NOT_ENTERPRISE, state=State.ABSENT, status=reply.status, retry_seconds=_HOURLY)
        data = document(reply.body, _WHERE).get("data")
        result = data.get("result") if isinstance(data, Mapping) else None
        if not isinstance(result, list):
            raise Unavailable(f"{_WHERE} answers with no list of series: its format is not known")
        return [found for series in result if isinstance(series, dict) for found in _points(series, span.width)]

    def _say(self, family: str, bucket: Bucket, row: Row, number: int) -> tuple[Statement, Unread]:
        said = statement(
            bucket,
            source=self._source,
            provider="groq",
            family=family,
            model=row["model"] or None,
            dimensions={"project": row["project"]} if row["project"] else {},
            quantities={name: row[name] for name in ("input", "output") if name in row},
            requests=row.get("requests"),
            number=number,
        )
        return replace(said, basis="estimated"), ()


def _points(series: Mapping[str, Any], width: int) -> list[tuple[Row, int, int]]:
    labels, values = series.get("metric"), series.get("values")
    if not isinstance(labels, dict) or not isinstance(values, list):
        return []
    found: list[tuple[Row, int, int]] = []
    for point in values:
        rate = _number(point[1]) if isinstance(point, list) and len(point) == 2 else None
        at = _number(str(point[0])) if rate is not None else None
        if rate is not None and at is not None:
            found.append((labels, round(at) - width, round(rate * width)))
    return found


def _number(said: object) -> float | None:
    """Return a number of an answer, None where it is none that could be counted (NaN, +Inf, below 0)."""
    try:
        value = float(said) if isinstance(said, str) and len(said) <= 40 else -1.0
    except ValueError:
        return None
    return value if 0 <= value <= MOST else None


def _used(row: Mapping[str, Any]) -> bool:
    return any(row.get(name) for name in _METRICS)


def _make(config: SourceConfig, http: Http | None, _clock: Clock) -> Collector:
    http = needed(config, http)
    habits = Habits(families={_FAMILY: 60.0}, lag_seconds=300.0)
    return AccountReader(config, http, GroqUsage(config, http), {}, habits, month_begin)


KIND = Kind(
    name="groq",
    help="Groq's tokens and requests by model and project, with a key of its Enterprise tier",
    make=_make,
    least_seconds=60.0,
    caveats=("Groq tells means over five minutes: what is shown of a minute is smoothed, sums over hours are not.",),
    api=Api(_URL, ("GROQ_API_KEY",), what="a key of the Enterprise tier"),
)
