"""One model's prices as the book has them: rows in force since a date or in hours of the day, and variants of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from infertop.money.book.when import When, parse_when

_MAX_ROWS = 200
_MAX_TIERS = 20
_NUMBER = re.compile(r"\d{1,12}(\.\d{1,18})?")


@dataclass(frozen=True, slots=True)
class Tiered:
    """A price in USD: `base`, and (above, usd) in ascending order for requests with more prompt tokens than that."""

    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    """Prices by class and call unit that hold at some times; of a variant, those for requests with `context`."""

    when: When
    prices: Mapping[str, Tiered]
    context: Mapping[str, str]


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
    return Row(parse_when(data), {str(key): _price(usd) for key, usd in prices.items()}, context)


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


def _short(rows: Any) -> bool:
    return isinstance(rows, Sequence) and not isinstance(rows, str) and len(rows) <= _MAX_ROWS
