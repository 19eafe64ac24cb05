"""Ledger lines before they are priced, and pricing them so that parts sum to the whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from infertop.money.allocate import ESTIMATES, Method
from infertop.money.lines import NANO, Basis, Line, Price
from infertop.money.minutes import MINUTE
from infertop.money.parts import split

LOCAL = "local"
MS, MJ = "ms", "mJ"
# Units of a quantity in what its price pays for: milliseconds in an hour, millijoules in a kWh.
_PER = {MS: 3_600_000, MJ: 3_600_000_000}

Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A line of one minute without its cost; `unit` is MS or MJ."""

    source: str
    model: str | None
    resource: str
    dimensions: Dimensions
    quantity: int
    unit: str
    price: Price | None
    basis: Basis


def priced(start: int, drafts: Sequence[Draft]) -> list[Line]:
    """Return the lines of the minute from `start`, with the cost of all together rounded once, to 1e-9 USD.

    Each line has its exact cost rounded down or up; one without a price has none.
    """
    exact = [_exact(each) for each in drafts]
    parts = iter(split(round(sum(exact)), [exact[i] for i, each in enumerate(drafts) if each.price is not None]))
    return [
        Line(
            start,
            start + MINUTE,
            each.source,
            LOCAL,
            each.model,
            each.resource,
            each.dimensions,
            each.quantity,
            each.unit,
            None if each.price is None else next(parts),
            each.price,
            each.basis,
        )
        for each in drafts
    ]


def basis(steps: Iterable[Method]) -> Basis:
    """Return how a part is known that was divided by these steps."""
    return Basis.ESTIMATED if ESTIMATES.intersection(steps) else Basis.MEASURED


def price_order(price: Price | None) -> tuple[object, ...]:
    """Return a key that sorts prices by what they say, those without one first."""
    if price is None:
        return ("",)
    return (price.per, price.usd, price.source, price.since, price.name, price.default)


def _exact(draft: Draft) -> Fraction:
    if draft.price is None:
        return Fraction(0)
    return draft.quantity * _nano_per_unit(draft.price.usd, draft.unit)


@lru_cache(maxsize=1024)
def _nano_per_unit(usd: Decimal, unit: str) -> Fraction:
    return Fraction(usd) * NANO / _PER[unit]
