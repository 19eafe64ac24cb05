"""Ledger lines before they are priced, and pricing them so that parts sum to the whole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from infertop.money.allocate import ESTIMATES, Method
from infertop.money.lines import Basis, Line, Price
from infertop.money.minutes import MINUTE
from infertop.money.parts import split
from infertop.money.unit_cost import nano_per_unit
from infertop.readings.model import LOCAL

MS, MJ = "ms", "mJ"

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
    """Return the lines of the minute from `start`, with the cost of all together rounded once, see `costed`."""
    return costed(
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
            None,
            each.price,
            each.basis,
        )
        for each in drafts
    )


def costed(lines: Iterable[Line]) -> list[Line]:
    """Return the lines of one thing (a GPU's minute, the host's) with their cost rounded once, to 1e-9 USD.

    Each line has its exact cost rounded down or up; one without a price has none, and one that has its cost already
    keeps it. Lines that differ in nothing but amounts become one, so that the same quantities always cost the same.
    """
    whole = sorted(_merged(lines), key=line_order)
    missing = [i for i, each in enumerate(whole) if each.price is not None and each.usd_nano is None]
    left = max(_cost(whole) - sum(each.usd_nano or 0 for each in whole), 0)
    weights = _weights([whole[i] for i in missing])
    for i, usd_nano in zip(missing, split(left if any(weights) else 0, weights), strict=True):
        whole[i] = replace(whole[i], usd_nano=usd_nano)
    return whole


def _merged(lines: Iterable[Line]) -> Iterable[Line]:
    found: dict[tuple[object, ...], Line] = {}
    for each in lines:
        who = (each.start, each.end, each.source, each.provider, each.model, each.resource, each.dimensions, each.unit)
        identity = (*who, each.price, each.basis, each.flags)
        before = found.get(identity)
        if before is not None:
            usd = None if each.usd_nano is None or before.usd_nano is None else each.usd_nano + before.usd_nano
            each = replace(each, quantity=each.quantity + before.quantity, usd_nano=usd)
        found[identity] = each
    return found.values()


def line_order(line: Line) -> tuple[object, ...]:
    """Return a key that sorts lines of one thing: of two that would be rounded alike, the earlier is rounded up."""
    who = (line.source, line.model is not None, line.model or "", line.resource, line.dimensions)
    return (*who, price_order(line.price), line.basis)


def _cost(lines: Iterable[Line]) -> int:
    """Return what lines of one unit cost together, in 1e-9 USD, rounded once."""
    quantities: dict[Price, int] = {}
    for each in lines:
        if each.price is not None:
            quantities[each.price] = quantities.get(each.price, 0) + each.quantity
    return round(sum(quantity * nano_per_unit(price) for price, quantity in quantities.items()))


def _weights(lines: Sequence[Line]) -> Sequence[Fraction | int]:
    """Return the exact cost of each line, or what is in proportion to it."""
    if len({each.price for each in lines}) <= 1:
        return [each.quantity for each in lines]
    return [each.quantity * nano_per_unit(each.price) for each in lines if each.price is not None]


def basis(steps: Iterable[Method]) -> Basis:
    """Return how a part is known that was divided by these steps."""
    return Basis.ESTIMATED if ESTIMATES.intersection(steps) else Basis.MEASURED


def price_order(price: Price | None) -> tuple[object, ...]:
    """Return a key that sorts prices by what they say, those without one first."""
    if price is None:
        return ("",)
    return (price.per, price.usd, price.source, price.since, price.name, price.default)
