"""Ledger lines of what a provider or a log says: a line for each token class and call unit, priced as of its start.

A statement up to a minute wide is in the minute of its start, a wider one is a line over its span. Its cost is rounded
once and divided, so that the lines sum to it. Where it states its cost itself, that is a line of its own, and the rest
is flagged `stated`: it has no price and needs none. Such a cost is a bill where the statement says so, else what
somebody computed or estimated at prices of his own.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from infertop.money.deployments.booked import covers
from infertop.money.lines import Basis, Line, Price
from infertop.money.minutes import MINUTE
from infertop.money.price_history import PriceHistory
from infertop.money.quote import (
    CONTEXT_TIER,
    CORRECTED,
    FACTOR,
    LISTED_BY,
    PRICE_OF,
    STANDARD_RATE,
    Quote,
    Way,
    way_by,
)
from infertop.money.unit_cost import nano_per_unit, rounded
from infertop.readings.model import LOCAL, Statement
from infertop.readings.registry import TOKEN_CLASSES

COST = "cost"
TOKENS = "tokens"
NANO_USD = "1e-9 USD"
# The span holds more than one price: that of its start was used.
ASTRIDE = "astride"
# What it cost is in another line, the one of the statement's own cost.
STATED = "stated"

_OF_PRICE = frozenset({STANDARD_RATE, PRICE_OF, LISTED_BY, FACTOR, CONTEXT_TIER, ASTRIDE, CORRECTED})
# Where an entry of a file stands: "pricing.toml:31".
_STANDS_AT = re.compile(r":\d+\b")
PAID = Price("tokens of reserved throughput", Decimal(0), "1M tokens", "[[deployment]]")

_LATEST = 1 << 40  # epoch seconds; beyond it there is no time
_YES = frozenset({"1", "true", "yes"})
# What tells single requests apart stays on the statement.
_IDS = frozenset({"id", "message", "message_id", "request", "request_id", "session", "session_id", "trace", "trace_id"})
_ABOVE = re.compile(r"(?:>\s*(?P<more>\d{1,9})|(?P<low>\d{1,9})(?=[km]?\s*[-–+]))(?P<unit>[km]?).*", re.IGNORECASE)
_THOUSANDS = {"": 1, "k": 1_000, "m": 1_000_000}


class Before(NamedTuple):
    """The price that a line had before its source said something else, and the flags of that line."""

    price: Price | None
    flags: str = ""


PricedBefore = Callable[[Line], Before | None]


def statement_lines(statement: Statement, prices: PriceHistory, before: PricedBefore | None = None) -> list[Line]:
    """Return the lines of a statement; of one whose time is no time, none.

    `before` tells what a line like this was priced by: a price of an earlier list stays.
    """
    span = span_of(statement)
    if span is None:
        return []
    bare = _bare(statement, *span)
    lines = _counted(statement, bare)
    if statement.usd_nano is not None:
        cost = replace(bare, resource=COST, unit=NANO_USD, quantity=statement.usd_nano, usd_nano=statement.usd_nano)
        return [cost, *(replace(each, flags=STATED) for each in lines)]
    return cost_of([with_price(each, prices, before(each) if before else None) for each in lines])


def span_of(statement: Statement) -> tuple[int, int] | None:
    """Return the span of a statement's lines in epoch seconds, None where it has no usable time."""
    start, end = statement.start, statement.end
    if not (math.isfinite(start) and math.isfinite(end) and 0 <= start <= end < _LATEST):
        return None
    if end - start <= MINUTE:
        minute = int(start // MINUTE * MINUTE)
        return minute, minute + MINUTE
    return math.floor(start), math.ceil(end)


def way_of(dimensions: Mapping[str, str]) -> Way:
    """Return how requests with these dimensions were processed."""
    batch = dimensions.get("batch", "").strip().lower() in _YES
    return way_by(batch, dimensions.get("service_tier", ""), dimensions.get("speed", "").strip().lower())


def prompt_tokens_of(dimensions: Mapping[str, str]) -> int:
    """Return how long each prompt was at least: "200k-1M" is above 200 000; 0 where it is not told."""
    said = dimensions.get("context_window") or dimensions.get("context") or ""
    found = _ABOVE.fullmatch(said.strip())
    if found is None:
        return 0
    return int(found["more"] or found["low"]) * _THOUSANDS[found["unit"].lower()] + 1


def with_price(line: Line, prices: PriceHistory, before: Before | None = None) -> Line:
    """Return a line with the price of its resource at its start, and with what there is to say about that."""
    others = [word for word in line.flags.split() if not _is_of_price(word)]
    if line.model is None or line.provider == LOCAL:
        return _priced(line, None, None, " ".join(others))
    if _is_paid(line, prices, before):
        return _priced(line, PAID, None, " ".join(others))
    way, prompt_tokens = _asked(line.dimensions)
    found = prices.find(line.provider, line.model, line.start, way)
    price, words = None, list[str]()
    if before is not None and is_listed(before) and line.resource not in found.dated:
        price, words = before.price, [word for word in before.flags.split() if _is_of_price(word)]
    elif found.quote is not None and (price := found.quote.price(line.resource, prompt_tokens)):
        words = list(_words(found.quote, line, prompt_tokens))
    return _priced(line, price, None, " ".join([*others, *words]))


def is_listed(of: Before) -> bool:
    """Say whether a price is that of a list, and pricing.toml had no part in it."""
    if of.price is None or of.price == PAID:
        return False
    return not _STANDS_AT.search(of.price.source) and not any(word.startswith(FACTOR) for word in of.flags.split())


def _is_paid(line: Line, prices: PriceHistory, before: Before | None) -> bool:
    """Say whether tokens are paid for by reserved throughput; one that is declared later had no hours to pay with."""
    if before is not None:
        return before.price == PAID
    settings = prices.newest.settings
    if not settings.deployments or line.unit != TOKENS:
        return False
    canonical = prices.newest.listing.provider
    return covers(settings, line.start, line.source, line.provider, line.model, dict(line.dimensions), canonical)


def _is_of_price(word: str) -> bool:
    return word.partition(":")[0] in _OF_PRICE


def cost_of(lines: list[Line]) -> list[Line]:
    """Return the lines of one statement with their costs, which sum to the rounded whole; without a price, None."""
    priced = [i for i, each in enumerate(lines) if each.price is not None]
    costs = rounded([lines[i].quantity * nano_per_unit(price) for i in priced if (price := lines[i].price)])
    found = list(lines)
    for i, usd_nano in zip(priced, costs, strict=True):
        found[i] = _priced(lines[i], lines[i].price, usd_nano, lines[i].flags)
    return found


def _bare(statement: Statement, start: int, end: int) -> Line:
    return Line(
        start=start,
        end=end,
        source=statement.source,
        provider=statement.provider,
        model=statement.model,
        resource="",
        dimensions=_dimensions(statement.dimensions),
        quantity=0,
        unit="",
        usd_nano=None,
        price=None,
        basis=_basis(statement),
    )


def _basis(statement: Statement) -> Basis:
    """Return how its cost is come by: a quantity without one is priced here, so that it is no bill."""
    if statement.basis == Basis.ESTIMATED:
        return Basis.ESTIMATED
    return Basis.BILLED if statement.basis == Basis.BILLED and statement.usd_nano is not None else Basis.COMPUTED


def _dimensions(said: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, value) for name, value in said.items() if value and name not in _IDS))


def _counted(statement: Statement, bare: Line) -> list[Line]:
    """Return a line for each quantity, in the order of their names; what a statement does not count has none."""
    counts = dict(statement.quantities)
    if statement.requests is not None:
        counts["requests"] = statement.requests
    return [_counting(bare, name, counts[name], TOKENS if name in TOKEN_CLASSES else name) for name in sorted(counts)]


@lru_cache(maxsize=4096)
def _asked(dimensions: tuple[tuple[str, str], ...]) -> tuple[Way, int]:
    """Return how requests with these dimensions were processed, and how long their prompts were at least."""
    said = dict(dimensions)
    return way_of(said), prompt_tokens_of(said)


def _counting(of: Line, resource: str, quantity: int, unit: str) -> Line:
    # A month of statements has a million lines: dataclasses.replace takes three times as long.
    return Line(
        *(of.start, of.end, of.source, of.provider, of.model, resource, of.dimensions, quantity, unit, of.usd_nano),
        *(of.price, of.basis, of.flags),
    )


def _priced(of: Line, price: Price | None, usd_nano: int | None, flags: str) -> Line:
    return Line(
        *(of.start, of.end, of.source, of.provider, of.model, of.resource, of.dimensions, of.quantity, of.unit),
        *(usd_nano, price, of.basis, flags),
    )


def _words(quote: Quote, line: Line, prompt_tokens: int) -> Iterable[str]:
    unit = quote.prices[line.resource]
    yield from (*quote.flags, *unit.flags)
    if unit.stands_for:
        yield f"{PRICE_OF}:{unit.stands_for}:{line.resource}"
    above = [tokens for tokens, _ in unit.tiers if prompt_tokens > tokens]
    if above:
        yield f"{CONTEXT_TIER}:{above[-1]}"
    if quote.end < line.end:
        yield ASTRIDE
