"""AWS Cost Explorer: what each day was billed for a service of AWS, by its usage types.

Wire format: GetDimensionValues and GetCostAndUsage of 2017-10-25, in AWS's JSON 1.1; it is asked in us-east-1 for all
regions. Each page costs 0.01 USD, so it is asked only where the user wants it. Days are UTC; amounts are decimal
strings in USD, restated until the month is over, and refreshed three times a day at most. Credits, refunds and taxes
are left out: they say nothing of what the use costs. Models that others sell through Bedrock are services of their own
there ("Claude Sonnet 4.5 (Amazon Bedrock Edition)"), so the services are looked up by their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from collectors._aws import Access, Aws, Service
from collectors._cloud_reader import word
from collectors._money import DOLLAR, usd_nano
from collectors._provider_pages import entries
from collectors._provider_plan import DAY, oldest
from collectors._provider_time import month_begin, utc_seconds
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.account import Account, Bill, BillPage
from infertop.readings.safe import safe

if TYPE_CHECKING:
    import httpx

SERVICE = Service("ce", "AWSInsightsIndexService", "1.1")
SETTLES_SECONDS = 2 * DAY
_REGION = "us-east-1"
_COST = "UnblendedCost"
_NO_USE = ["Credit", "Refund", "Tax"]
_MOST_PAGES = 20
_MOST_NAME = 200
_LONGEST_NAME = 512
_MOST_SERVICES = 100


class CostExplorer:
    """Reads the days' bills of the services of AWS that have a word in their names, in the source's region."""

    def __init__(
        self,
        config: SourceConfig,
        access: Access,
        provider: str,
        named: str,
        url: str = "",
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._source = config.name
        self._account = word(config, "account_id")
        if self._account and not (self._account.isascii() and self._account.isdigit() and len(self._account) == 12):
            raise ValueError(f"{config.name}: account_id must be 12 digits in quotes")
        self._access = access
        self._provider = provider
        self._named = named
        self._aws = Aws(access, SERVICE, url, _REGION, transport)

    async def ask(self, ts: float) -> tuple[Account, str]:
        """Return the bills of the month's days that are over, 7 days at least, and a note."""
        first = oldest(month_begin, ts)
        period = {"Start": _date(first), "End": _date(ts)}
        services = await self._services(period)
        if not services:
            return Account(), f"AWS has no bill with {self._named} in it since {period['Start']}"
        found = await self._days({**self._question(services, await self._access.region()), "TimePeriod": period})
        pages, odd = [], ""
        for (start, end), groups in sorted(found.items()):
            try:
                bills = tuple(self._bill(start, end, group) for group in groups)
            except ValueError as error:  # a day of which a row cannot be read is not settled by the others
                odd = odd or f"AWS's bills: {error}"
                continue
            pages.append(BillPage(self._source, start, end, bills, SETTLES_SECONDS))
        return Account(bills=tuple(pages)), odd

    async def close(self) -> None:
        """Close the connection."""
        await self._aws.close()

    async def _services(self, period: Mapping[str, str]) -> list[str]:
        asked = {
            "TimePeriod": period,
            "Dimension": "SERVICE",
            "Context": "COST_AND_USAGE",
            "SearchString": self._named,
        }
        rows = entries(await self._aws.call("GetDimensionValues", asked), "DimensionValues", "AWS's GetDimensionValues")
        names = [value for row in rows if isinstance(value := row.get("Value"), str) and len(value) <= _MOST_NAME]
        return sorted({name for name in names if self._named.lower() in name.lower()})[:_MOST_SERVICES]

    def _question(self, services: list[str], region: str) -> dict[str, Any]:
        wanted = {"SERVICE": services, "REGION": [region]} | (
            {"LINKED_ACCOUNT": [self._account]} if self._account else {}
        )
        parts: list[dict[str, Any]] = [{"Dimensions": {"Key": key, "Values": value}} for key, value in wanted.items()]
        parts.append({"Not": {"Dimensions": {"Key": "RECORD_TYPE", "Values": _NO_USE}}})
        return {
            "Granularity": "DAILY",
            "Metrics": [_COST],
            "Filter": {"And": parts},
            "GroupBy": [{"Type": "DIMENSION", "Key": key} for key in ("SERVICE", "USAGE_TYPE")],
        }

    async def _days(self, asked: Mapping[str, Any]) -> dict[tuple[int, int], list[Mapping[str, Any]]]:
        """Return the groups of each day, from all pages; raise Unavailable where there is no end of them."""
        where = "AWS's GetCostAndUsage"
        found: dict[tuple[int, int], list[Mapping[str, Any]]] = {}
        async for page in self._aws.pages("GetCostAndUsage", asked, "NextPageToken", _MOST_PAGES):
            for row in entries(page, "ResultsByTime", where):
                period = row.get("TimePeriod")
                start, end = (
                    utc_seconds(period.get(key)) if isinstance(period, dict) else None for key in ("Start", "End")
                )
                if start is None or end is None or end - start != DAY or start % DAY:
                    raise Unavailable(f"{where} answers with spans that are no days: its format is not known")
                found.setdefault((start, end), []).extend(entries(row, "Groups", where))
        return found

    def _bill(self, start: int, end: int, group: Mapping[str, Any]) -> Bill:
        keys, metrics = group.get("Keys"), group.get("Metrics")
        cost = metrics.get(_COST) if isinstance(metrics, dict) else None
        if not isinstance(cost, dict) or not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
            raise ValueError("a row has no cost, or no name")
        if cost.get("Unit") != "USD":
            raise ValueError(f"an amount is in {safe(cost.get('Unit'), 12)}, not in USD")
        amount = usd_nano(cost.get("Amount"), DOLLAR, "Amount")
        text = ", ".join(keys)[:_LONGEST_NAME]
        return Bill(start, end, self._provider, None, None, {}, amount, text)


def _date(ts: float) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%d")
