"""Azure's Cost Management: what each day was billed for one resource, by meter.

Wire format: POST SCOPE/providers/Microsoft.CostManagement/query. It is refreshed every four hours and asks not to be
polled more than once a day. Days are UTC; amounts are numbers in the currency of the bill.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from collectors._cloud_api import CloudApi
from collectors._money import DOLLAR, usd_nano
from collectors._provider_plan import DAY, oldest
from collectors._provider_time import month_begin, rfc3339, utc_seconds
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.account import Account, Bill, BillPage
from infertop.readings.safe import safe

_API = "2023-11-01"
_SETTLES_SECONDS = 3 * DAY
_MOST_PAGES = 20
_LONGEST = 512
_WHERE = "Azure's Cost Management"
_COST = ("Cost", "PreTaxCost")


class AzureCosts:
    """Reads the bills of a resource (its id begins with /subscriptions/)."""

    def __init__(self, config: SourceConfig, api: CloudApi, resource: str, provider: str) -> None:
        self._source = config.name
        self._api = api
        self._resource = resource
        self._provider = provider

    async def ask(self, ts: float) -> tuple[Account, str]:
        """Return the bills of the month's days that are over, 7 days at least, and a note."""
        until = int(ts // DAY) * DAY
        first = oldest(month_begin, ts)
        found: dict[int, list[Mapping[str, Any]]] = {}
        for row in await self._rows(self._question(first, until)):
            day = _day(row.get("UsageDate"))
            if first <= day < until:
                found.setdefault(day, []).append(row)
        pages, odd = [], ""
        for day, rows in sorted(found.items()):
            try:
                bills = tuple(self._bill(day, row) for row in rows)
            except ValueError as error:  # a day of which a row cannot be read is not settled by the others
                odd = odd or f"{_WHERE}: {error}"
                continue
            pages.append(BillPage(self._source, day, day + DAY, bills, _SETTLES_SECONDS))
        return Account(bills=tuple(pages)), odd

    async def close(self) -> None:
        """Close the connection."""
        await self._api.close()

    def _question(self, first: float, until: float) -> dict[str, Any]:
        return {
            "type": "ActualCost",
            "timeframe": "Custom",
            "timePeriod": {"from": rfc3339(first), "to": rfc3339(until - 1)},
            "dataset": {
                "granularity": "Daily",
                "aggregation": {"totalCost": {"name": "Cost", "function": "Sum"}},
                "grouping": [{"type": "Dimension", "name": "Meter"}],
                "filter": {"dimensions": {"name": "ResourceId", "operator": "In", "values": [self._resource]}},
            },
        }

    async def _rows(self, asked: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the rows of all pages by the names of their columns; raise Unavailable where they do not end."""
        scope = "/".join(self._resource.split("/")[:5])  # the resource group
        path = f"{scope}/providers/Microsoft.CostManagement/query?api-version={_API}"
        rows: list[Mapping[str, Any]] = []
        seen = set[str]()
        while path not in seen and len(seen) < _MOST_PAGES:
            seen.add(path)
            said = (await self._api.post(path, asked)).get("properties")
            columns, values = (said.get("columns"), said.get("rows")) if isinstance(said, dict) else (None, None)
            if not isinstance(said, dict) or not isinstance(columns, list) or not isinstance(values, list):
                raise Unavailable(f"the answer of {_WHERE} has no rows: its format is not known")
            names = [str(each.get("name")) if isinstance(each, dict) else "" for each in columns]
            rows += [dict(zip(names, row, strict=False)) for row in values if isinstance(row, list)]
            following = said.get("nextLink")
            if not following:
                return rows
            path = str(following)
        raise Unavailable(f"{_WHERE} promises more without end: none of its bills is used")

    def _bill(self, day: int, row: Mapping[str, Any]) -> Bill:
        currency = row.get("Currency")
        if currency != "USD":
            raise ValueError(f"an amount is in {safe(currency, 12)}, not in USD")
        cost = next((row[name] for name in _COST if row.get(name) is not None), None)
        text = str(row.get("Meter") or "")[:_LONGEST]
        return Bill(day, day + DAY, self._provider, None, None, {}, usd_nano(cost, DOLLAR, "Cost"), text)


def _day(said: object) -> int:
    """Return the begin of a day that is told as 20260720 or "2026-07-20T00:00:00", -1 where it is none."""
    text = str(said)[:19]
    at = utc_seconds(f"{text[:4]}-{text[4:6]}-{text[6:]}" if text.isdigit() and len(text) == 8 else text)
    return -1 if at is None else at // DAY * DAY
