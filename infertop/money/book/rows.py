"""One model's prices as the book has them: rows in force since a date or in hours of the day, and variants of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

DAY = 86_400
_MAX_ROWS = 200
_MAX_TIERS = 20
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,18})?")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_WINDOW = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")


@dataclass(frozen=True, slots=True)
class Tiered:
    """A price in USD: `base`, and (above, usd) in ascending order for requests with more prompt tokens than that."""

    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class When:
    """When a row is in force, in UTC: since the start of a date, daily in [opens, closes) seconds of the day, or both.

    The window goes over midnight where it closes before it opens.
    """

    since: str = ""
    start: float = float("-inf")
    opens: int = 0
    closes: int = DAY

    @property
    def daily(self) -> bool:
        """Say whether it holds in some hours of the day only."""
        return (self.opens, self.closes) != (0, DAY)

    def holds(self, ts: float) -> bool:
        """Say whether the row is in force at `ts`, in epoch seconds."""
        if ts < self.start:
            return False
        if not self.daily:
            return True
        second = ts % DAY
        if self.closes < self.opens:
            return second >= self.opens or second < self.closes
        return self.opens <= second < self.closes


ALWAYS = When()


@dataclass(frozen=True, slots=True)
class Row:
    """Prices by class and call unit that hold at some times; of a variant, those for requests with `context`."""

    when: When
    prices: Mapping[str, Tiered]
    context: Mapping[str, str]
    corrected: bool = False


@dataclass(frozen=True, slots=True)
class Model:
    """A model's rows, the last that holds being in force, and variants, the first that holds setting a price."""

    id: str
    rows: tuple[Row, ...]
    variants: tuple[Row, ...]
    minimum: Mapping[str, int]

    def row(self, ts: float) -> Row:
        """Return the row in force at `ts`; where none holds, the first."""
        return next((row for row in reversed(self.rows) if row.when.holds(ts)), self.rows[0])


def parse_model(data: Mapping[str, Any]) -> Model:
    """Return the prices of one model's entry in the book; raises ValueError where it is broken."""
    rows = [{"usd": data["usd"]}] if "usd" in data else data.get("prices", ())
    variants = data.get("variants", ())
    if not _short(rows) or not _short(variants):
        raise ValueError("prices and variants must be lists")
    return Model(
        data["id"],
        tuple(_row(each, {}) for each in rows),
        tuple(_row(each, _context(each)) for each in variants),
        {str(key): int(least) for key, least in data.get("minimum", {}).items()},
    )


def _row(data: Any, context: Mapping[str, str]) -> Row:
    if not isinstance(data, dict) or not isinstance(prices := data.get("usd"), dict):
        raise ValueError("a row of prices must be a table with usd")
    when = _when(data.get("from", ""), data.get("daily", ""))
    return Row(when, {str(key): _price(usd) for key, usd in prices.items()}, context, bool(data.get("corrected")))


def _context(data: Any) -> Mapping[str, str]:
    context = data.get("when") if isinstance(data, dict) else None
    if not isinstance(context, dict) or not context or not all(isinstance(each, str) for each in context.values()):
        raise ValueError("a variant must say for which requests it is")
    return {str(key): value for key, value in context.items()}


def _price(usd: Any) -> Tiered:
    if not isinstance(usd, list):
        return Tiered(_usd(usd))
    if len(usd) % 2 == 0 or len(usd) > 2 * _MAX_TIERS:
        raise ValueError(f"{usd!r:.80} is no price with tiers")
    starts, prices = usd[1::2], tuple(_usd(each) for each in usd[2::2])
    if not all(type(start) is int and start >= 0 for start in starts) or starts != sorted(starts):
        raise ValueError(f"{usd!r:.80} is no price with tiers")
    return Tiered(_usd(usd[0]), tuple(zip(starts, prices, strict=True)))


def _usd(number: Any) -> Decimal:
    """Return a price; numbers of the book are read as text where they have a decimal point."""
    if type(number) not in (int, str) or not _NUMBER.fullmatch(text := str(number)):
        raise ValueError(f"{number!r:.80} is no price in USD")
    return Decimal(text)


def _when(since: Any, daily: Any) -> When:
    if not since and not daily:
        return ALWAYS
    start = float("-inf")
    if since:
        if not isinstance(since, str) or not _DATE.fullmatch(since):
            raise ValueError(f"{since!r:.80} is no date")
        start = datetime.fromisoformat(since).replace(tzinfo=UTC).timestamp()
    if not daily:
        return When(since, start)
    window = _WINDOW.fullmatch(daily) if isinstance(daily, str) else None
    hours = [int(each) for each in window.groups()] if window else [24, 60] * 2
    opens, closes = hours[0] * 3600 + hours[1] * 60, hours[2] * 3600 + hours[3] * 60
    if opens >= DAY or closes > DAY:
        raise ValueError(f"{daily!r:.80} is no time of day")
    return When(since, start, opens, closes)


def _short(rows: Any) -> bool:
    return isinstance(rows, Sequence) and not isinstance(rows, str) and len(rows) <= _MAX_ROWS
