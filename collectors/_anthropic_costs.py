"""Anthropic's cost report: what each day was billed, by workspace and by what it was for.

Wire format: GET /v1/organizations/cost_report of the Admin API. Amounts are cents, as decimal strings. Days are UTC;
the last one comes about a day late, and a report that begins within the last day is refused. The priority tier is never
in it; code execution is in it and not in the usage. A day is settled 48 hours after its end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from collectors._anthropic_usage import DEFAULT_WORKSPACE, PROVIDER
from collectors._money import CENT, usd_nano
from collectors._provider_buckets import Bucket, buckets, dimension
from collectors._provider_pages import Row, paged
from collectors._provider_plan import DAY, last_days
from collectors._provider_root import Rooted
from collectors._provider_time import rfc3339
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.account import Account, Bill, BillPage
from infertop.readings.safe import safe

PATH = "/organizations/cost_report"
SETTLES_SECONDS = 2 * DAY
LEAVES_OUT = (("service_tier", "priority"), ("service_tier", "priority_on_demand"))
_AGAIN_DAYS = 5
_MOST_DAYS = 31
_REFUSED = 400
_RESOURCES = {
    "uncached_input_tokens": "input",
    "cache_read_input_tokens": "cache_read",
    "cache_creation.ephemeral_5m_input_tokens": "cache_write_5m",
    "cache_creation.ephemeral_1h_input_tokens": "cache_write_1h",
    "output_tokens": "output",
}
_TYPES = {"web_search": "web_searches", "code_execution": "code_executions"}
_DIMENSIONS = {"context_window": "context_window", "inference_geo": "geo", "service_tier": "service_tier"}


class AnthropicCosts:
    """Reads the days' bills: the month and a week back first, the last days after that."""

    def __init__(self, config: SourceConfig, api: Rooted, begin: Callable[[float], float]) -> None:
        self._source = config.name
        self._api = api
        self._begin = begin
        self._read_ts: float | None = None

    async def read(self, ts: float) -> tuple[Account, str]:
        """Return the bills of the days that may have changed, and a note."""
        start = last_days(self._read_ts, ts, _AGAIN_DAYS, self._begin)
        end = int(ts // DAY) * DAY
        params: dict[str, Any] = {
            "starting_at": rfc3339(start),
            "ending_at": rfc3339(end),
            "bucket_width": "1d",
            "limit": min((end - start) // DAY, _MOST_DAYS),
            "group_by[]": ["description", "workspace_id"],
        }

        ask = self._api.pages(PATH)
        try:
            found = await paged(ask, params, f"Anthropic's {PATH}")
        except Unavailable as error:
            if error.status != _REFUSED:
                raise
            # "ending date must be after starting date": it knows no day that is over as yet.
            del params["ending_at"]
            found = await paged(ask, params, f"Anthropic's {PATH}")
        pages, odd = [], ""
        for bucket in buckets(found.rows, "starting_at", "ending_at"):
            try:
                bills = tuple(_bill(bucket, row) for row in bucket.rows)
            except ValueError as error:  # a day of which a row cannot be read is not settled by the others
                odd = odd or f"Anthropic's costs: {error}"
                continue
            pages.append(BillPage(self._source, bucket.start, bucket.end, bills, SETTLES_SECONDS, LEAVES_OUT))
        self._read_ts = None if found.note else ts
        return Account(bills=tuple(pages)), found.note or odd


def _bill(bucket: Bucket, row: Row) -> Bill:
    currency = row.get("currency")
    if currency is not None and str(currency).upper() != "USD":
        raise ValueError(f"an amount is in {safe(str(currency), 12)}, not in USD")
    dimensions = {name: value for field, name in _DIMENSIONS.items() if (value := dimension(row, field))}
    dimensions["project"] = dimension(row, "workspace_id") or DEFAULT_WORKSPACE
    resource = _RESOURCES.get(str(row.get("token_type"))) or _TYPES.get(str(row.get("cost_type")))
    return Bill(
        bucket.start,
        bucket.end,
        PROVIDER,
        dimension(row, "model"),
        resource,
        dimensions,
        usd_nano(row.get("amount"), CENT, "amount"),
        dimension(row, "description") or dimension(row, "cost_type") or "",
    )
