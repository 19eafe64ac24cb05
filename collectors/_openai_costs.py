"""OpenAI's cost API: what each day was billed, by project, line item and key.

Wire format: openai/openai-openapi, GET /organization/costs. Amounts are dollars, as numbers or strings. A day is
settled 24 hours after its end. `api_key_id` is refused for days before 2025-12-06: bills are then told without keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from collectors._money import DOLLAR, usd_nano
from collectors._provider_buckets import Bucket, buckets, dimension
from collectors._provider_pages import Row, paged
from collectors._provider_plan import DAY, last_days
from collectors._provider_root import Rooted
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.account import Account, Bill, BillPage
from infertop.readings.safe import safe

PATH = "/organization/costs"
SETTLES_SECONDS = DAY
_KEYS_SINCE = 1_764_979_200
_MOST_DAYS = 180
_AGAIN_DAYS = 4
_REFUSED = 400
# What follows the model in a line item ("gpt-4o-2024-08-06, cached input"), and the class of tokens that it is.
_CLASSES = {
    "input": "input",
    "cached input": "cache_read",
    "cache write": "cache_write_5m",
    "cache writes": "cache_write_5m",
    "output": "output",
    "audio": None,
}
# A word between model and comma says of what kind fresh tokens are.
_KINDS = {
    ("audio", "input"): "input_audio",
    ("audio", "output"): "output_audio",
    ("image", "input"): "input_image",
    ("image", "output"): "output_image",
}
_KIND_WORDS = ("audio", "image", "text")
_TOOLS = {
    "web search tool calls": "web_searches",
    "file search tool calls": "storage_searches",
    "code interpreter sessions": "code_executions",
}
_TIERS = {
    "priority": {"service_tier": "priority"},
    "flex": {"service_tier": "flex"},
    "scale": {"service_tier": "scale"},
    "batch": {"batch": "true"},
}
_LONG = ", long context"


class OpenAiCosts:
    """Reads the days' bills: the month and a week back first, the last days after that."""

    def __init__(self, config: SourceConfig, api: Rooted, begin: Callable[[float], float]) -> None:
        self._source = config.name
        self._api = api
        self._begin = begin
        self._read_ts: float | None = None
        self._by_key = True

    async def read(self, ts: float) -> tuple[Account, str]:
        """Return the bills of the days that may have changed, today's too, and a note."""
        first = last_days(self._read_ts, ts, _AGAIN_DAYS, self._begin)
        end = int(ts // DAY + 1) * DAY
        start = max(first, end - _MOST_DAYS * DAY)
        params: dict[str, Any] = {
            "start_time": start,
            "end_time": end,
            "bucket_width": "1d",
            "limit": (end - start) // DAY,
            "group_by": ["project_id", "line_item", *(["api_key_id"] if self._by_key and start >= _KEYS_SINCE else [])],
        }

        ask = self._api.pages(PATH)
        try:
            found = await paged(ask, params, f"OpenAI's {PATH}")
        except Unavailable as error:
            if error.status != _REFUSED or "api_key_id" not in params["group_by"]:
                raise
            found = await paged(ask, {**params, "group_by": ["project_id", "line_item"]}, f"OpenAI's {PATH}")
            self._by_key = False
        read = list(buckets(found.rows, "start_time", "end_time"))
        pages, odd = [], ""
        for bucket in read:
            bills, wrong = [], 0
            for row in bucket.rows:
                try:
                    bills.append(_bill(bucket, row))
                except ValueError as error:
                    wrong, odd = wrong + 1, odd or f"OpenAI's costs: {error}"
            # A day of which a row cannot be read is not settled by the others.
            if not wrong:
                page = BillPage(self._source, bucket.start, bucket.end, tuple(bills), SETTLES_SECONDS)
                pages.append(page)
        self._read_ts = None if found.note else ts
        return Account(bills=tuple(pages)), found.note or odd


def _bill(bucket: Bucket, row: Row) -> Bill:
    stated = row.get("amount")
    if not isinstance(stated, dict):
        raise ValueError("a row has no amount")
    currency = stated.get("currency")
    if currency is not None and str(currency).lower() != "usd":
        raise ValueError(f"an amount is in {safe(str(currency), 12)}, not in USD")
    item = dimension(row, "line_item")
    model, resource, how = meant(item or "")
    return Bill(
        bucket.start,
        bucket.end,
        "openai",
        model,
        resource,
        {**dict(_who(row)), **how},
        usd_nano(stated.get("value"), DOLLAR, "amount.value"),
        item or "",
    )


def _who(row: Row) -> Iterator[tuple[str, str]]:
    for field, name in (("project_id", "project"), ("api_key_id", "key")):
        value = dimension(row, field)
        if value:
            yield name, value


def meant(item: str) -> tuple[str | None, str | None, Mapping[str, str]]:
    """Return the model, the class of tokens and the tier that a line item is about, as far as its text says.

    "priority | gpt-5.6, output, long context" is a model's output in the priority tier. OpenAI documents no form: what
    has none of those that are known is about nothing that can be told.
    """
    head, bar, rest = item.rpartition(" | ")
    how = _TIERS.get(head.strip().lower()) if bar else {}
    if how is None:
        return None, None, {}
    if (tool := _TOOLS.get(rest.strip().lower())) is not None:
        return None, tool, how
    name, comma, what = rest.removesuffix(_LONG).rpartition(",")
    what = what.strip().lower()
    if not comma or not name.strip() or what not in _CLASSES:
        return None, None, {}
    model, blank, word = name.strip().rpartition(" ")
    if blank and word in _KIND_WORDS:
        return model.strip(), _KINDS.get((word, what), _CLASSES[what]), how
    return name.strip(), _CLASSES[what], how
