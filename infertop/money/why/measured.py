"""Both windows as they are divided, and the figures of a factor in a part of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from infertop.money.lines import NANO
from infertop.money.why.cells import Cell, Label, Measure, Side
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
from infertop.money.why.mean_prices import USD_PER_MILLION, mean_price, price_of, quotient

RATIO = "ratio"
PER_REQUEST, CALLS_PER_REQUEST = "tokens/request", "calls/request"
GPUS, USD_PER_GPU_HOUR, TOKENS_PER_GPU_HOUR = "GPUs", "usd/GPU-hour", "tokens/busy GPU-hour"
_TOKENS_PER_REQUEST = frozenset({PROMPT, OUTPUT, REASONING, MEDIA})


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
        measure = next((each for each in Measure if any(cell.measure is each for cell in costly)), Measure.REQUESTS)
        alike = [cell for cell in costly if cell.measure is measure]
        if factor == VOLUME:
            return _both(alike, _volume(measure), measure.value)
        if factor in (MIX, CLIENTS):
            return self._share(place, measure)
        if factor in (*_TOKENS_PER_REQUEST, CALLS):
            per_request = CALLS_PER_REQUEST if factor == CALLS else PER_REQUEST
            unit = per_request if measure is Measure.REQUESTS else RATIO
            return _ratio(alike, lambda side: side.quantity(factor), _volume(measure), unit)
        if factor == CACHE:
            return _ratio(costly, lambda side: _of_class(side, "cache_read"), lambda side: side.quantity(PROMPT), RATIO)
        if factor == TIER:
            return _ratio(costly, lambda side: _of_way(side, detail), lambda side: _of_way(side, None), RATIO)
        if factor == PRICE:
            return Figure(*price_of(costly, detail)) if detail else Figure(*mean_price(costly), USD_PER_MILLION)
        return Figure()

    def _share(self, place: Place, measure: Measure) -> Figure:
        every = [(label, cell) for label, cell in self.cells if cell.costs and cell.measure is measure]
        shares = []
        for at in (0, 1):
            counts = [(label, cell.sides[at].volume(measure)) for label, cell in every]
            inside = sum(count for label, count in counts if place.has(label))
            shares.append(quotient(inside, sum(count for _, count in counts)))
        return Figure(shares[0], shares[1], RATIO)

    def _of_gpus(self, factor: str, place: Place) -> Figure:
        pools = [each for name, each in self.pools.items() if place.model in (None, name)]
        sides = [[each[at] for each in pools] for at in (0, 1)]
        if factor == GPU_COUNT:
            return Figure(_count(sides[0]), _count(sides[1]), GPUS)
        if factor == UTILIZATION:
            return Figure(_utilization(sides[0]), _utilization(sides[1]), RATIO)
        if factor == GPU_RATE:
            usd = [quotient(sum(each.nano for each in side) / NANO, _count(side)) for side in sides]
            return Figure(usd[0], usd[1], USD_PER_GPU_HOUR)
        served = []
        for at, side in enumerate(sides):
            work = sum(cell.sides[at].work for cell in self.own.values())
            served.append(quotient(work, sum(each.busy for each in side)))
        return Figure(served[0], served[1], TOKENS_PER_GPU_HOUR)


Of = Callable[[Side], float]


def _both(cells: list[Cell], amount: Of, unit: str) -> Figure:
    before, after = (sum(amount(cell.sides[at]) for cell in cells) for at in (0, 1))
    return Figure(before, after, unit)


def _ratio(cells: list[Cell], amount: Of, of: Of, unit: str) -> Figure:
    before, after = (
        quotient(sum(amount(cell.sides[at]) for cell in cells), sum(of(cell.sides[at]) for cell in cells))
        for at in (0, 1)
    )
    return Figure(before, after, unit)


def _volume(measure: Measure) -> Of:
    return lambda side: side.volume(measure)


def _of_class(side: Side, resource: str) -> float:
    return sum(each.quantity for part, each in side.parts.items() if part.resource == resource)


def _of_way(side: Side, way: str | None) -> float:
    """Return what was processed in a way (None: in any), in requests where they are known, else in tokens."""
    if side.request_count:
        return sum(each.quantity for name, each in side.requests.items() if way in (None, name))
    return sum(each.quantity for part, each in side.parts.items() if way in (None, part.way))


def _count(pools: list[Pool]) -> float:
    return sum(each.count for each in pools)


def _utilization(pools: list[Pool]) -> float | None:
    if not all(each.metered for each in pools):
        return None
    return quotient(sum(each.busy for each in pools), _count(pools))
