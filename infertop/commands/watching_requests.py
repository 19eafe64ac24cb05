"""Single requests that are dearer than [alert] request_usd: each is told once, a bounded number an hour."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from infertop.history.dear import Request, dear_requests, newest_poll
from infertop.money.dimensions import Names
from infertop.money.price_history import PriceHistory
from infertop.money.rates import PriceBook
from infertop.readings.registry import TOKEN_CLASSES
from infertop.readings.safe import safe
from infertop.views.event_shapes import Event

KIND = "request"
MOST_AN_HOUR = 20
_RECENT_SECONDS = 7200.0
_REMEMBERED = 2000
_HOUR = 3600
_SHOWN = ("user", "key", "project", "agent")
_NAME_CELLS = 60


class Dear:
    """Looks at the requests that came since it looked last. What was there before it began is not looked at."""

    def __init__(self) -> None:
        self._poll: int | None = None
        self._told: list[str] = []
        self._hour = self._count = 0
        self._prices: tuple[PriceBook, PriceHistory] | None = None

    def look(self, connection: sqlite3.Connection, prices: PriceBook, usd: float | None, now: float) -> list[Request]:
        """Return requests dearer than `usd` that were not returned before; None: nobody asked for them."""
        newest = newest_poll(connection)
        if usd is None or self._poll is None or self._poll > newest:
            self._poll = newest
            return []
        if self._poll == newest:
            return []
        if self._prices is None or self._prices[0] is not prices:
            self._prices = prices, PriceHistory(prices)
        found, self._poll = dear_requests(connection, self._poll, now - _RECENT_SECONDS, self._prices[1], usd)
        new = [each for each in found if each.key not in self._told]
        self._told = [*self._told, *(each.key for each in new)][-_REMEMBERED:]
        return [each for each in new if self._may_tell(now)]

    def _may_tell(self, now: float) -> bool:
        hour = int(now // _HOUR)
        if hour != self._hour:
            self._hour, self._count = hour, 0
        self._count += 1
        return self._count <= MOST_AN_HOUR

    def dump(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        return {"poll": self._poll, "told": self._told, "hour": [self._hour, self._count]}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what `dump` told of."""
        self._poll = None if state["poll"] is None else int(state["poll"])
        self._told = list(map(str, state["told"]))
        self._hour, self._count = map(int, state["hour"])


def request_event(request: Request, names: Names) -> tuple[str, Event]:
    """Return the event of a request that was too dear, and its key."""
    said = request.statement
    counts = {True: 0, False: 0}
    for name, count in said.quantities.items():
        if name in TOKEN_CLASSES:
            counts[TOKEN_CLASSES[name].prompt] += count
    who = [
        names.get((name, said.dimensions[name]), said.dimensions[name]) for name in _SHOWN if name in said.dimensions
    ]
    by = f", by {safe(', '.join(who), _NAME_CELLS)}" if who else ""
    model = safe(said.model or "a model", _NAME_CELLS)
    text = (
        f"a request to {model} cost ${request.usd:,.2f}, above the limit of ${request.limit_usd:,.2f}:"
        f" {counts[True]:,} prompt and {counts[False]:,} output tokens{by}"
    )
    scope = {"source": said.source} | ({"model": said.model} if said.model else {})
    figures = ("usd_per_request", request.usd, request.limit_usd, said.end)
    return f"{KIND} {request.key}", Event(said.start, "warn", KIND, text, scope, *figures)
