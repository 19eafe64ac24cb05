"""Langfuse: which models, environments and traces the requests that were logged there belong to.

Wire format: GET /api/public/v2/metrics of Langfuse's OpenAPI file; servers that lack it have /api/public/metrics, which
takes the same question. It has no pages but at most 1000 rows, so that fuller spans are asked by halves. Who answered a
request is not told: the model alone is, and `inputTokens` include cached ones. Dollars are at Langfuse's own prices:
computed, and no bill; of a model that costs 0 there nothing is stated, so that infertop's own prices stand. Its cloud
allows 10 to 200 questions a day by plan: three an hour are asked and each full hour once more, and what it refuses is
waited out. `interval` in [[source]] asks one's own server more often.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from collectors._money import DOLLAR, usd_nano
from collectors._page import needed
from collectors._provider_account import AccountReader, Habits, Told
from collectors._provider_buckets import Bucket, Unread, counted, dimension, statement, told_of
from collectors._provider_halves import Rows, whole
from collectors._provider_pages import Paged, Row, document, entries
from collectors._provider_plan import HOUR, Span
from collectors._provider_root import Rooted
from collectors._provider_time import month_begin, rfc3339, utc_seconds
from collectors.kind import Api, Kind
from infertop.engine.collector import Collector, Option, SourceConfig
from infertop.readings.model import Statement

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

_URL = "https://cloud.langfuse.com"
_ROOTS = ("/api/public/v2", "/api/public")
_PATH = "/metrics"
_WHERE = "Langfuse's /api/public/v2/metrics"
_FAMILY = "observations"
_MOST_ROWS = 1000
_LEAST_SECONDS = 1200.0
_LAG_SECONDS = 600.0
_MODEL = "providedModelName"
_AT = "time_dimension"
# What can be asked besides the model, and how it is called in the ledger.
_GROUPS = {"environment": "environment", "traceName": "feature", "tags": "tag", "release": "release", "name": "step"}
_USUAL = ("environment", "traceName")
_MEASURES = (("count", "count"), ("inputTokens", "sum"), ("outputTokens", "sum"), ("totalCost", "sum"))


class LangfuseUsage:
    """Reads spans."""

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self._source = config.name
        self._api = Rooted(http, _ROOTS)
        self._groups = _groups(config)

    async def read(self, span: Span, ts: float) -> Told:
        """Return what was used in a span."""
        found = await whole(self._ask, span, _WHERE)
        buckets, lost = _buckets(found.rows, span.width)
        note = f"{_WHERE} answers with {lost} rows that have no time: they are not known" if lost else found.note
        return told_of(Paged(buckets, note), span, ts, _WHERE, self._say, "start", "end")

    async def _ask(self, span: Span) -> Rows:
        question: dict[str, Any] = {
            "view": _FAMILY,
            "dimensions": [{"field": field} for field in (_MODEL, *self._groups)],
            "metrics": [{"measure": measure, "aggregation": how} for measure, how in _MEASURES],
            "filters": [],
            "timeDimension": {"granularity": "hour" if span.width == HOUR else "minute"},
            "fromTimestamp": rfc3339(span.start),
            "toTimestamp": rfc3339(span.end),
            "config": {"row_limit": _MOST_ROWS},
        }
        reply = await self._api.get(_PATH, {"query": json.dumps(question)})
        rows = entries(document(reply.body, _WHERE), "data", _WHERE)
        return Rows(rows, len(rows) >= _MOST_ROWS)

    def _say(self, family: str, bucket: Bucket, row: Row, number: int) -> tuple[Statement, Unread]:
        tokens = {
            name: counted(row, f"sum_{said}") for name, said in (("input", "inputTokens"), ("output", "outputTokens"))
        }
        said = statement(
            bucket,
            source=self._source,
            provider="",
            family=family,
            model=dimension(row, _MODEL),
            dimensions={_GROUPS[field]: value for field in self._groups if (value := _label(row, field))},
            quantities={name: amount for name, amount in tokens.items() if amount is not None},
            requests=counted(row, "count_count"),
            number=number,
        )
        cost = row.get("sum_totalCost")
        nano = 0 if cost is None else usd_nano(cost, DOLLAR, "sum_totalCost")
        return (replace(said, usd_nano=nano, basis="computed") if nano else said), ()


def _groups(config: SourceConfig) -> tuple[str, ...]:
    said = config.options.get("by", _USUAL)
    if not isinstance(said, list | tuple) or not all(each in _GROUPS for each in said):
        raise ValueError(f"{config.name}: by must be a list of some of {', '.join(_GROUPS)}")
    return tuple(str(each) for each in said)


def _buckets(rows: list[Row], seconds: int) -> tuple[list[Row], int]:
    """Return rows by buckets, and how many have no time; what used no model (spans, tools, events) is left out."""
    found: dict[int, list[Row]] = {}
    lost = 0
    for row in (each for each in rows if dimension(each, _MODEL)):
        start = utc_seconds(row.get(_AT))
        if start is None:
            lost += 1
        else:
            found.setdefault(start, []).append(row)
    return [{"start": start, "end": start + seconds, "results": results} for start, results in found.items()], lost


def _label(row: Row, field: str) -> str | None:
    value = row.get(field)
    if isinstance(value, list):
        value = ",".join(sorted(each for each in value if isinstance(each, str)))
    return dimension({field: value}, field)


def _make(config: SourceConfig, http: Http | None, _clock: Clock) -> Collector:
    http = needed(config, http)
    habits = Habits(
        families={_FAMILY: config.interval_seconds},
        lag_seconds=_LAG_SECONDS,
        advice="a public and a secret key of the project are needed",
    )
    return AccountReader(config, http, LangfuseUsage(config, http), {}, habits, month_begin)


KIND = Kind(
    name="langfuse",
    help="Langfuse: what was logged there, by model, environment and trace; it counts what nobody else tells",
    make=_make,
    options=(Option("by", f"a list of what to tell apart besides models: {', '.join(_GROUPS)}"),),
    least_seconds=_LEAST_SECONDS,
    observes=True,
    api=Api(
        _URL,
        ("LANGFUSE_PUBLIC_KEY", "LANGFUSE_SECRET_KEY"),
        what="a project's keys",
        pair=True,
        url_env=("LANGFUSE_BASE_URL", "LANGFUSE_HOST"),
    ),
)
