"""xAI's team: what each day was charged by model, and what is left of prepaid credits.

Wire format: docs.x.ai, management API: POST /v1/billing/teams/{team}/usage (dollars by the day; names of what was
charged end with the model: "Chat grok-4-0709"), GET …/prepaid/balance (cents, below 0 for what is left, posted when a
billing cycle closes). The team is the one that the key belongs to. Tokens are not told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from collectors._money import CENT, DOLLAR, amount, usd_nano
from collectors._page import needed
from collectors._provider_days import DayReader, Days, Item
from collectors._provider_pages import document, entries
from collectors._provider_plan import DAY
from collectors._provider_time import utc_seconds
from collectors.kind import Api, Kind
from infertop.engine.collector import Collector, SourceConfig, Unavailable
from infertop.readings.account import Account, Balance

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

_WHO = "/auth/management-keys/validation"
_USAGE = "xAI's /v1/billing/teams/…/usage"
_JSON = {"Content-Type": "application/json"}
_MOST_DAYS = 31
_LEAST_SECONDS = 300.0


class XAi:
    """Asks for days and balances of the team that a key belongs to."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._team = ""

    async def balance(self) -> Account:
        """Return what is left; an account that is billed afterwards has none."""
        reply = await self._http.get(f"{await self._billing()}/prepaid/balance", accept_status=(404,))
        total = document(reply.body, "xAI's prepaid balance").get("total") if reply.status == 200 else None
        if not isinstance(total, Mapping) or total.get("val") is None:
            return Account()
        try:
            left = -amount(total["val"], CENT, "total.val")
        except ValueError as error:
            raise Unavailable(f"xAI's prepaid balance: {error}") from None
        return Account(balances=(Balance("xai", "USD", left, "prepaid, as of the last cycle"),))

    async def days(self, start: int, end: int) -> Days:
        """Return what the days in [start, end) were charged, by model."""
        request: dict[str, Any] = {
            "timeRange": {"startTime": _text(start), "endTime": _text(end), "timezone": "Etc/GMT"},
            "timeUnit": "TIME_UNIT_DAY",
            "values": [{"name": "usd", "aggregation": "AGGREGATION_SUM"}],
            "groupBy": ["description"],
            "filters": [],
        }
        body = json.dumps({"analyticsRequest": request}).encode()
        reply = await self._http.post(f"{await self._billing()}/usage", body, headers=_JSON)
        page = document(reply.body, _USAGE)
        if page.get("limitReached") is True:
            raise Unavailable(f"{_USAGE} cuts off its answer: what was charged is not told whole")
        found: dict[int, dict[str, int]] = {day: {} for day in range(start, end, DAY)}
        wrong: list[str] = []
        for series in entries(page, "timeSeries", _USAGE):
            model = _model(series.get("group"))
            for point in entries(series, "dataPoints", _USAGE):
                day, values = utc_seconds(point.get("timestamp")), point.get("values")
                if day not in found or not isinstance(values, list) or not values or values[0] is None:
                    continue
                try:
                    cost = usd_nano(values[0], DOLLAR, "usd")
                except ValueError as error:
                    wrong.append(f"{_USAGE}: {error}")
                    continue
                found[day][model] = found[day].get(model, 0) + cost
        told = {day: [Item(model or None, cost, {}) for model, cost in of.items() if cost] for day, of in found.items()}
        return Days(told, "".join(wrong[:1]), len(wrong))

    async def _billing(self) -> str:
        if not self._team:
            page = document((await self._http.get(_WHO)).body, f"xAI's {_WHO}")
            team = page.get("teamId") or page.get("scopeId")
            if not isinstance(team, str):
                raise Unavailable("this key of xAI belongs to no team: use a management key with the scope of a team")
            self._team = team
        return f"/v1/billing/teams/{quote(self._team, safe='')}"


def _text(ts: int) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%d %H:%M:%S")


def _model(group: object) -> str:
    """Return the model that was charged, what was charged where it has none, empty where that is not told."""
    said = group[0] if isinstance(group, list) and group and isinstance(group[0], str) else ""
    words = said[:512].split()
    return next((word for word in reversed(words) if "grok" in word.lower()), " ".join(words))


def _make(config: SourceConfig, http: Http | None, _clock: Clock) -> Collector:
    http = needed(config, http)
    api = XAi(http)
    return DayReader(config, http, api.days, _MOST_DAYS, api.balance)


KIND = Kind(
    name="xai",
    help="xAI's charges by model and day, and prepaid credits, with a management key",
    make=_make,
    least_seconds=_LEAST_SECONDS,
    caveats=("xAI tells dollars by the day and no tokens, so that there is no $ per token.",),
    api=Api(
        "https://management-api.x.ai",
        ("XAI_MANAGEMENT_API_KEY", "XAI_MANAGEMENT_KEY"),
        what="a management key of a team (console.x.ai, Settings, Management Keys)",
    ),
)
