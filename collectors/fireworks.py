"""Fireworks' accounts: what each day was billed, by model and class of tokens.

Wire format: docs.fireworks.ai: GET /v1/accounts, and GET /v1/accounts/{account}/billing/summary with `startTime` and
`endTime`. Each item has a category ("LLM output tokens"), a group (mostly the model's name), a quantity, and a cost of
`units` (whole, as text) and `nanos`. There is no balance. Models are named as people do ("GLM 5.2"): they are told as
Fireworks' own ids have it ("glm-5p2"), so that gateways which tell of the same are recognised.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from collectors._money import NANO
from collectors._page import needed, text_options
from collectors._provider_buckets import dimension
from collectors._provider_days import DayReader, Days, Item
from collectors._provider_pages import Row, document, entries
from collectors._provider_root import Rooted, roots_of
from collectors._provider_time import rfc3339
from collectors.kind import Api, Kind
from infertop.engine.collector import Collector, Option, SourceConfig, Unavailable
from infertop.readings.figures import MOST, count
from infertop.readings.safe import safe

if TYPE_CHECKING:
    from infertop.engine.clock import Clock
    from infertop.engine.http import Http

_URL = "https://api.fireworks.ai/v1"
_SUMMARY = "Fireworks' billing summary"
_LEAST_SECONDS = 300.0
_WHOLE = re.compile(r"-?\d{1,18}", re.ASCII)
_CLASSES = {
    "llm input tokens": "input",
    "llm input tokens (cached)": "cache_read",
    "llm output tokens": "output",
}


class Fireworks:
    """Asks for days of the accounts that a key sees, or of the one that was named."""

    def __init__(self, config: SourceConfig, http: Http) -> None:
        self._api = Rooted(http, roots_of(config.url or _URL))
        named = text_options(config, ("account",)).get("account")
        self._accounts = [named] if named else []

    async def day(self, start: int, end: int) -> Days:
        """Return what one day was billed, of all accounts."""
        self._accounts = self._accounts or await self._found()
        said: dict[str, tuple[int, dict[str, int]]] = {}
        wrong: list[str] = []
        for account in self._accounts:
            path = f"/accounts/{quote(account, safe='')}/billing/summary"
            reply = await self._api.get(path, {"startTime": rfc3339(start), "endTime": rfc3339(end)})
            page = document(reply.body, _SUMMARY)
            for row in entries(page, "lineItems", _SUMMARY) if page.get("lineItems") is not None else []:
                try:
                    _add(said, row)
                except ValueError as error:
                    wrong.append(f"{_SUMMARY}: {error}")
        items = [Item(model or None, cost, counted) for model, (cost, counted) in said.items() if cost or counted]
        return Days({start: items}, "".join(wrong[:1]), len(wrong))

    async def _found(self) -> list[str]:
        rows = entries(
            document((await self._api.get("/accounts")).body, "Fireworks' /accounts"), "accounts", "Fireworks"
        )
        names = [name.rpartition("/")[2] for each in rows if (name := dimension(each, "name"))]
        if not names:
            raise Unavailable("this key of Fireworks sees no account: name yours with `account` in [[source]]")
        return names


def _add(said: dict[str, tuple[int, dict[str, int]]], row: Row) -> None:
    """Add an item to what is said of its model; one without a cost was not rated yet, and says nothing."""
    money = row.get("totalCost")
    if money is None:
        return
    cost, counted = said.get(model := _model(row), (0, {}))
    kind, quantity = _CLASSES.get((dimension(row, "category") or "").lower()), row.get("quantity")
    if kind and quantity is not None:
        counted = counted | {kind: counted.get(kind, 0) + count(_whole(quantity, "quantity"), "quantity")}
    said[model] = (cost + _nano(money), counted)


def _model(row: Row) -> str:
    name = dimension(row, "groupingValue") or dimension(row, "description") or dimension(row, "category") or ""
    return re.sub(r"[^a-z0-9:/_-]+", "-", re.sub(r"(?<=\d)\.(?=\d)", "p", name.lower())).strip("-")


def _nano(money: object) -> int:
    if not isinstance(money, Mapping):
        raise ValueError("totalCost is no amount of money")
    if money.get("currencyCode") not in (None, "USD"):
        raise ValueError(f"an amount is in {safe(str(money['currencyCode']), 12)}, not in USD")
    nanos = _whole(money.get("nanos") or 0, "nanos")
    if abs(nanos) >= NANO:
        raise ValueError("nanos is no part of a unit")
    return _whole(money.get("units") or 0, "units") * NANO + nanos


def _whole(said: object, name: str) -> int:
    """Return a whole number, which APIs of this sort write as text where it may be large."""
    text = str(said) if isinstance(said, str | int) and not isinstance(said, bool) else ""
    if not _WHOLE.fullmatch(text) or abs(int(text)) > MOST:
        raise ValueError(f"{name} is no whole number")
    return int(text)


def _make(config: SourceConfig, http: Http | None, _clock: Clock) -> Collector:
    http = needed(config, http)
    return DayReader(config, http, Fireworks(config, http).day, most_days=1)


KIND = Kind(
    name="fireworks",
    help="Fireworks' bills by model and day, tokens too",
    make=_make,
    options=(Option("account", "the account to read, where the key sees several: else all of them"),),
    least_seconds=_LEAST_SECONDS,
    api=Api(_URL, ("FIREWORKS_API_KEY",), what="a key of Fireworks"),
)
