"""Helicone: which models, customers and features the requests that went through it, or were logged there, belong to.

Wire format: POST /v1/request/query-clickhouse of docs.helicone.ai: single requests, by time, with offset and limit;
they are summed here by the minute or hour. Only `costUSD` says its unit, so the cost is that or none. Whether
`prompt_tokens` contain cached ones differs by provider and is not told: classes of caches are left out, and where no
cost is stated either, what infertop computes is an estimate. What Helicone's own cache answered used nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from collectors._money import DOLLAR, NANO, amount
from collectors._page import needed
from collectors._provider_account import AccountReader, Habits, Told
from collectors._provider_buckets import Bucket, Unread, dimension, statement, told_of
from collectors._provider_halves import Rows, whole
from collectors._provider_pages import Paged, Row, document, entries
from collectors._provider_plan import Span
from collectors._provider_time import month_begin, rfc3339, utc_seconds
from collectors.kind import Api, Kind
from infertop.engine.collector import Collector, SourceConfig
from infertop.readings.figures import count
from infertop.readings.model import Statement

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

_URL = "https://api.helicone.ai"
_PATH = "/request/query-clickhouse"
_WHERE = f"Helicone's /v1{_PATH}"
_FAMILY = "requests"
_PAGE, _MOST_PAGES = 1000, 5
_LEAST_SECONDS = 300.0
_STATUS_DIGITS = 3
_TOKENS = {"prompt_tokens": "input", "completion_tokens": "output"}
_OWN = frozenset({"project", "feature", "customer", "environment"})
# Providers that infertop knows by another name; what may be any server's is nobody's.
_PROVIDERS = {"x": "xai", "aws": "bedrock", "google-ai-studio": "google", "custom": "", "local": "", "helicone": ""}


class HeliconeUsage:
    """Reads spans."""

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self._source = config.name
        self._http = http
        self._path = _PATH if config.url.rstrip("/").endswith("/v1") else f"/v1{_PATH}"

    async def read(self, span: Span, ts: float) -> Told:
        """Return what was used in a span."""
        found = await whole(self._ask, span, _WHERE)
        summed, wrong = _summed(found.rows, span.width)
        told = told_of(Paged(summed, found.note), span, ts, _WHERE, self._say, "start", "end")
        return told._replace(note=told.note or "".join(wrong[:1]), rejected=told.rejected + len(wrong))

    async def _ask(self, span: Span) -> Rows:
        rows: dict[str, Row] = {}
        for number in range(_MOST_PAGES):
            body = {
                "filter": {"left": _at("gte", span.start), "operator": "and", "right": _at("lt", span.end)},
                "sort": {"created_at": "asc"},
                "isCached": False,
                "limit": _PAGE,
                "offset": number * _PAGE,
            }
            headers = {"Content-Type": "application/json"}
            reply = await self._http.post(self._path, json.dumps(body).encode(), headers=headers)
            page = entries(document(reply.body, _WHERE), "data", _WHERE)
            rows |= {dimension(each, "request_id") or f"{number}/{at}": each for at, each in enumerate(page)}
            if len(page) < _PAGE:
                return Rows(list(rows.values()))
        return Rows(list(rows.values()), True)

    def _say(self, family: str, bucket: Bucket, row: Row, number: int) -> tuple[Statement, Unread]:
        said = statement(
            bucket,
            source=self._source,
            provider=row["provider"],
            family=family,
            model=row["model"] or None,
            dimensions={name: row[name] for name in sorted(_OWN) if row.get(name)},
            quantities={name: row[name] for name in _TOKENS.values() if name in row},
            requests=row["requests"],
            number=number,
        )
        cost = round(row["usd"] * NANO)
        return (replace(said, usd_nano=cost, basis="computed") if cost else replace(said, basis="estimated")), ()


def _at(operator: str, ts: int) -> Mapping[str, Any]:
    return {"request_response_rmt": {"request_created_at": {operator: rfc3339(ts)}}}


def _summed(rows: Iterable[Row], seconds: int) -> tuple[list[Row], list[str]]:
    """Return single requests as buckets of sums by whom they are of, and why some could not be read."""
    found: dict[int, dict[tuple[tuple[str, str], ...], dict[str, Any]]] = {}
    wrong: list[str] = []
    for row in rows:
        at = utc_seconds(row.get("request_created_at"))
        if not _answered(row.get("response_status")):
            continue
        if at is None:
            wrong.append(f"{_WHERE} answers with requests that have no time: they are not known")
            continue
        try:
            used = {name: count(row[field], field) for field, name in _TOKENS.items() if row.get(field) is not None}
            cost = Decimal(0) if row.get("costUSD") is None else amount(row["costUSD"], DOLLAR, "costUSD")
        except ValueError as error:
            wrong.append(f"{_WHERE}: {error}")
            continue
        # What has no cost is apart from what has: infertop's own price stands in for it alone.
        who = {**_who(row), "stated": "1" if cost else ""}
        sums = found.setdefault(at // seconds * seconds, {})
        into = sums.setdefault(tuple(sorted(who.items())), {**who, "requests": 0, "usd": Decimal(0)})
        into["requests"] += 1
        into["usd"] += cost
        for name, tokens in used.items():
            into[name] = into.get(name, 0) + tokens
    return [{"start": at, "end": at + seconds, "results": list(sums.values())} for at, sums in found.items()], wrong


def _answered(status: object) -> bool:
    if isinstance(status, str) and status.isascii() and status.isdigit() and len(status) <= _STATUS_DIGITS:
        status = int(status)
    return isinstance(status, int | Decimal) and 200 <= status < 300


def _who(row: Row) -> dict[str, str]:
    said = row.get("request_properties") or row.get("properties")
    own = {str(name).lower(): value for name, value in said.items()} if isinstance(said, dict) else {}
    provider = (dimension(row, "provider") or "").lower()
    return {
        "provider": _PROVIDERS.get(provider, provider),
        "model": dimension(row, "response_model") or dimension(row, "request_model") or dimension(row, "model") or "",
        "customer": dimension(row, "request_user_id") or "",
        **{name: value for name in _OWN if (value := dimension(own, name))},
    }


def _make(config: SourceConfig, http: Http | None, _clock: Clock) -> Collector:
    http = needed(config, http)
    habits = Habits(families={_FAMILY: config.interval_seconds}, lag_seconds=120.0, advice="an API key is needed")
    return AccountReader(config, http, HeliconeUsage(config, http), {}, habits, month_begin)


KIND = Kind(
    name="helicone",
    help="Helicone: what was logged there, by model, customer and properties; it counts what nobody else tells",
    make=_make,
    least_seconds=_LEAST_SECONDS,
    observes=True,
    api=Api(_URL, ("HELICONE_API_KEY",), what="an API key (https://eu.api.helicone.ai in the EU)"),
)
