"""OpenAI's cost API: what each day was billed, by project, line item and key.

Wire format: openai/openai-openapi, GET /organization/costs. Amounts are dollars, as numbers or strings. A day is
settled 24 hours after its end. `api_key_id` is refused for days before 2025-12-06.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from collectors._money import DOLLAR, usd_nano
from collectors._provider_buckets import Bucket, buckets, dimension
from collectors._provider_pages import Params, Row, paged
from collectors._provider_plan import DAY
from collectors._provider_root import Rooted
from infertop.engine.collector import SourceConfig
from infertop.readings.account import Account, Bill, BillPage
from infertop.readings.safe import safe

PATH = "/organization/costs"
SETTLES_SECONDS = DAY
_KEYS_SINCE = 1_764_979_200
_MOST_DAYS = 180
_AGAIN_DAYS = 4
_LEAST_DAYS = 7
# What follows the model in a line item, and the class of tokens that it is.
_CLASSES = {
    "input": "input",
    "cached input": "cache_read",
    "cache write": "cache_write_5m",
    "output": "output",
    "audio input": "input_audio",
    "audio output": "output_audio",
    "image input": "input_image",
    "image output": "output_image",
}


class OpenAiCosts:
    """Reads the days' bills: the month and a week back first, the last days after that."""

    def __init__(self, config: SourceConfig, api: Rooted, begin: Callable[[float], float]) -> None:
        self._source = config.name
        self._api = api
        self._begin = begin
        self._read = False

    async def read(self, ts: float) -> tuple[Account, str]:
        """Return the bills of the days that may have changed, today's too, and a note."""
        days = _AGAIN_DAYS
        if not self._read:
            days = max(_LEAST_DAYS, int((ts - self._begin(ts)) // DAY) + 1)
        end = int(ts // DAY + 1) * DAY
        start = end - min(days + 1, _MOST_DAYS) * DAY
        params: dict[str, Any] = {
            "start_time": start,
            "end_time": end,
            "bucket_width": "1d",
            "limit": (end - start) // DAY,
            "group_by": ["project_id", "line_item", *(["api_key_id"] if start >= _KEYS_SINCE else [])],
        }

        async def ask(params: Params) -> bytes:
            return (await self._api.get(PATH, params)).body

        found = await paged(ask, params, f"OpenAI's {PATH}")
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
        self._read = not found.note
        return Account(bills=tuple(pages)), found.note or odd


def _bill(bucket: Bucket, row: Row) -> Bill:
    stated = row.get("amount")
    if not isinstance(stated, dict):
        raise ValueError("a row has no amount")
    currency = stated.get("currency")
    if currency is not None and str(currency).lower() != "usd":
        raise ValueError(f"an amount is in {safe(str(currency), 12)}, not in USD")
    item = dimension(row, "line_item")
    model, resource = _meant(item)
    return Bill(
        bucket.start,
        bucket.end,
        "openai",
        model,
        resource,
        dict(_who(row)),
        usd_nano(stated.get("value"), DOLLAR, "amount.value"),
        item or "",
    )


def _who(row: Row) -> Iterator[tuple[str, str]]:
    for field, name in (("project_id", "project"), ("api_key_id", "key")):
        value = dimension(row, field)
        if value:
            yield name, value


def _meant(item: str | None) -> tuple[str | None, str | None]:
    """Return the model and the class of tokens that a line item is about, as far as it says: "gpt-4o, input"."""
    name, comma, what = (item or "").rpartition(",")
    resource = _CLASSES.get(what.strip().lower())
    return (name.strip() or None, resource) if comma and resource else (None, None)
