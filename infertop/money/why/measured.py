"""Both windows as they are divided, and the figures of a factor in a part of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from infertop.money.lines import NANO
from infertop.money.why.cells import Cell, Label, Side
from infertop.money.why.factors import (
    CACHE,
    CALLS,
    CLIENTS,
    EFFICIENCY,
    GPU_COUNT,
    GPU_RATE,
    MEDIA,
    MIX,
    OUTPUT,
    PRICE,
    PROMPT,
    REASONING,
    TIER,
    UTILIZATION,
    VOLUME,
)
from infertop.money.why.machines import Pool, Pools

REQUESTS_PER_HOUR, TOKENS_PER_HOUR, RATIO = "requests/h", "tokens/h", "ratio"
PER_REQUEST, CALLS_PER_REQUEST, USD_PER_MILLION = "tokens/request", "calls/request", "usd/1M tokens"
USD_PER_CALL, GPUS, USD_PER_GPU_HOUR, TOKENS_PER_GPU_HOUR = "usd/call", "GPUs", "usd/GPU-hour", "tokens/busy GPU-hour"
_TOKENS_PER_REQUEST = frozenset({PROMPT, OUTPUT, REASONING, MEDIA})
_MILLION = 1e6


class Figure(NamedTuple):
    """A factor before and after in `unit`; None where it has no value."""

    before: float | None = None
    after: float | None = None
    unit: str = ""


UNKNOWN = Figure()


@dataclass(frozen=True, slots=True)
class Place:
    """A part of what was measured: one model, one value of the dimension, or (both None) all of it."""

    model: str | None = None
    value: str | None = None

    def has(self, label: Label) -> bool:
        """Say whether a cell is in it."""
        return self.model in (None, label.model) and self.value in (None, label.value)


EVERYWHERE = Place()


@dataclass(frozen=True, slots=True)
class Measured:
    """The cells of what is paid for by the token, those of one's own servers, and the GPUs; `by` names the values."""

    by: str
    api: dict[Label, Cell]
    own: dict[Label, Cell]
    pools: Pools

    @property
    def cells(self) -> list[tuple[Label, Cell]]:
        """All cells of traffic."""
        return [*self.api.items(), *self.own.items()]

    def figure(self, factor: str, place: Place = EVERYWHERE, detail: str = "") -> Figure:
        """Return the figure of a factor in a place; `detail` is the way or class that a tier or a price is of."""
        if factor in (GPU_COUNT, UTILIZATION, GPU_RATE, EFFICIENCY):
            return self._of_gpus(factor, place)
        costly = [cell for label, cell in self.cells if place.has(label) and (cell.costs or label in self.own)]
        by_requests = [cell for cell in costly if cell.by_requests]
        if factor == VOLUME:
            if by_requests or not costly:
                return _both(by_requests, lambda side: side.request_count, REQUESTS_PER_HOUR)
            return _both(costly, lambda side: side.tokens, TOKENS_PER_HOUR)
        if factor in (MIX, CLIENTS):
            return self._share(place, bool(by_requests))
        if factor in _TOKENS_PER_REQUEST:
            of = by_requests or costly
            unit = PER_REQUEST if by_requests else RATIO
            return _ratio(of, lambda side: side.quantity(factor), _volume(bool(by_requests)), unit)
        if factor == CALLS:
            return _ratio(by_requests, lambda side: side.quantity(CALLS), _volume(True), CALLS_PER_REQUEST)
        if factor == CACHE:
            return _ratio(costly, lambda side: _of_class(side, "cache_read"), lambda side: side.quantity(PROMPT), RATIO)
        if factor == TIER:
            return _ratio(costly, lambda side: _of_way(side, detail), lambda side: _of_way(side, None), RATIO)
        if factor == PRICE:
            return _price(costly, detail)
        return Figure()

    def _share(self, place: Place, by_requests: bool) -> Figure:
        volume = _volume(by_requests)
        every = [cell for label, cell in self.cells if cell.costs and cell.by_requests == by_requests]
        inside = [
            cell for label, cell in self.cells if cell.costs and cell.by_requests == by_requests and place.has(label)
        ]
        shares = []
        for at in (0, 1):
            whole = sum(volume(cell.sides[at]) for cell in every)
            shares.append(sum(volume(cell.sides[at]) for cell in inside) / whole if whole else None)
        return Figure(shares[0], shares[1], RATIO)

    def _of_gpus(self, factor: str, place: Place) -> Figure:
        pools = [each for name, each in self.pools.items() if place.model in (None, name)]
        sides = [[each[at] for each in pools] for at in (0, 1)]
        if factor == GPU_COUNT:
            return Figure(_count(sides[0]), _count(sides[1]), GPUS)
        if factor == UTILIZATION:
            return Figure(_utilization(sides[0]), _utilization(sides[1]), RATIO)
        if factor == GPU_RATE:
            usd = [_quotient(sum(each.nano for each in side) / NANO, _count(side)) for side in sides]
            return Figure(usd[0], usd[1], USD_PER_GPU_HOUR)
        served = []
        for at, side in enumerate(sides):
            work = sum(cell.sides[at].work for cell in self.own.values())
            served.append(_quotient(work, sum(each.busy for each in side)))
        return Figure(served[0], served[1], TOKENS_PER_GPU_HOUR)


Amount = Callable[[Side], float]


def _both(cells: list[Cell], amount: Amount, unit: str) -> Figure:
    before, after = (sum(amount(cell.sides[at]) for cell in cells) for at in (0, 1))
    return Figure(before, after, unit)


def _ratio(cells: list[Cell], amount: Amount, of: Amount, unit: str) -> Figure:
    before, after = (
        _quotient(sum(amount(cell.sides[at]) for cell in cells), sum(of(cell.sides[at]) for cell in cells))
        for at in (0, 1)
    )
    return Figure(before, after, unit)


def _volume(by_requests: bool) -> Amount:
    return (lambda side: side.request_count) if by_requests else (lambda side: side.tokens)


def _of_class(side: Side, resource: str) -> float:
    return sum(each.quantity for part, each in side.parts.items() if part.resource == resource)


def _of_way(side: Side, way: str | None) -> float:
    """Return what was processed in a way (None: in any), in requests where they are known, else in tokens."""
    if side.request_count:
        return sum(each.quantity for name, each in side.requests.items() if way in (None, name))
    return sum(each.quantity for part, each in side.parts.items() if way in (None, part.way))


def _price(cells: list[Cell], resource: str) -> Figure:
    """Return the mean price of a class or call unit."""
    of = []
    is_call = False
    for at in (0, 1):
        quantity = nano = 0.0
        for cell in cells:
            side = cell.sides[at]
            for part, each in side.parts.items():
                if part.resource == resource and each.nano:
                    quantity += each.quantity
                    nano += each.nano
                    is_call = part.factor == CALLS
            if resource == "requests":
                is_call = True
                quantity += sum(each.quantity for each in side.requests.values() if each.nano)
                nano += sum(each.nano for each in side.requests.values())
        of.append(_quotient(nano / NANO * (1 if is_call else _MILLION), quantity))
    return Figure(of[0], of[1], USD_PER_CALL if is_call else USD_PER_MILLION)


def _count(pools: list[Pool]) -> float:
    return sum(each.count for each in pools)


def _utilization(pools: list[Pool]) -> float | None:
    if not all(each.metered for each in pools):
        return None
    return _quotient(sum(each.busy for each in pools), _count(pools))


def _quotient(amount: float, of: float) -> float | None:
    return amount / of if of else None
