"""A price that a person sets also holds for what had none, or a default one: amounts change, quantities never.

What was priced by pricing.toml, and what was billed, stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from infertop.money.drafts import costed
from infertop.money.gpu_drafts import ENERGY, GPU_RESOURCES
from infertop.money.host_drafts import HOST
from infertop.money.lines import Basis, Line, Price
from infertop.money.rates import GpuRate, PriceBook

_TIME = GPU_RESOURCES - {ENERGY}
_MINUTE = 60
# When every rate has begun that a file dates: what costs the same then may still have had another price before.
_EVER = float("inf")

Dimensions = tuple[tuple[str, str], ...]


class SeenGpu(NamedTuple):
    """A GPU or MIG instance, as far as its price depends on it.

    `parent` is the GPU that it is a part of, `cut` says that it has such parts itself.
    """

    name: str
    memory_bytes: int | None
    parent: str = ""
    cut: bool = False


class Repricing:
    """The prices of now for lines of before. `gpus` are all that were ever seen, by UUID."""

    def __init__(self, prices: PriceBook, gpus: Mapping[str, SeenGpu]) -> None:
        self.prices = prices
        self._gpus = gpus
        self._energy_over = lru_cache(maxsize=64)(self._energy_price)

    def concerns(self, resource: str) -> bool:
        """Say whether lines of this resource are priced here: all of a span are then needed together."""
        return resource == HOST or resource in GPU_RESOURCES

    def outdated(self, resource: str, dimensions: Dimensions, price: Price | None) -> bool:
        """Say whether lines like this have another price now."""
        if resource == HOST:
            return self.host(price, _EVER) is not None
        if resource in _TIME:
            return self.rate(*_place(dimensions), price, _EVER) is not None
        # Energy that has no price follows the time of its GPU, see `lines`.
        return resource == ENERGY and price is not None and price.default and self.prices.settings.energy is not None

    def lines(self, lines: Sequence[Line]) -> list[Line]:
        """Return the lines of one span as they cost now: each GPU's time, its energy and the host rounded together."""
        repriced = self._repriced(lines)
        billed = [line for line in lines if line.basis is Basis.BILLED]
        groups: dict[tuple[str, str], list[Line]] = defaultdict(list)
        for line in lines:
            if line.basis is Basis.BILLED:
                continue
            price = self._price(line, repriced)
            new = line if price is None else replace(line, price=price, usd_nano=None)
            groups[line.unit if line.resource != HOST else HOST, self._root(line)].append(new)
        return [*billed, *(line for group in groups.values() for line in _settled(group))]

    def rate(self, gpu: str, slices: int | None, old: Price | None, ts: float) -> GpuRate | None:
        """Return the rate of a GPU's time at `ts` that was priced by `old`, or None where that stays."""
        seen = self._gpus.get(gpu)
        if seen is None or not _may_change(old) or (slices is None and old is None and (seen.parent or seen.cut)):
            return None
        rate = self.prices.gpu_rate(seen.name, seen.memory_bytes, slices, ts=ts)
        return None if rate.price is None or rate.price.default else rate

    def energy(self, rate: GpuRate | None, old: Price | None, start: int, end: int) -> Price | None:
        """Return the price of energy that was priced by `old`, or None where that stays.

        `rate` is that of its GPU's time where it is another one now: what had no price was paid for by the old one.
        """
        if old is None:
            return self._energy_over(start, end) if rate is not None and rate.owned else None
        price = self._energy_over(start, end) if old.default else None
        return None if price is None or price.default else price

    def host(self, old: Price | None, ts: float) -> Price | None:
        """Return the price of the host's time at `ts` that was priced by `old`, or None where that stays."""
        return self.prices.host_price(ts) if _may_change(old) else None

    def _repriced(self, lines: Iterable[Line]) -> dict[Dimensions, GpuRate]:
        """Return the rates of the GPUs whose time has another price now."""
        found = {}
        for line in lines:
            if line.resource in _TIME and line.basis is not Basis.BILLED:
                rate = self.rate(*_place(line.dimensions), line.price, line.start)
                if rate is not None:
                    found[_gpu_alone(line.dimensions)] = rate
        return found

    def _price(self, line: Line, repriced: Mapping[Dimensions, GpuRate]) -> Price | None:
        if line.resource == HOST:
            return self.host(line.price, line.start)
        if line.resource == ENERGY:
            return self.energy(repriced.get(_gpu_alone(line.dimensions)), line.price, line.start, line.end)
        rate = self.rate(*_place(line.dimensions), line.price, line.start)
        return rate.price if rate else None

    def _root(self, line: Line) -> str:
        gpu, _ = _place(line.dimensions)
        seen = self._gpus.get(gpu)
        return seen.parent or gpu if seen else gpu

    def _energy_price(self, start: int, end: int) -> Price | None:
        """Return the price of a kWh from `start` to `end`, None where a tariff changes in between."""
        prices = {self.prices.energy_price(ts) for ts in range(start, end, _MINUTE)}
        return prices.pop() if len(prices) == 1 else None


def _may_change(old: Price | None) -> bool:
    return old is None or old.default


def _place(dimensions: Dimensions) -> tuple[str, int | None]:
    """Return which GPU a line is of, and of how many of its compute slices (None: all)."""
    said = dict(dimensions)
    slices = said.get("slices", "")
    return said.get("gpu", ""), int(slices) if slices.isdecimal() else None


def _gpu_alone(dimensions: Dimensions) -> Dimensions:
    return tuple(each for each in dimensions if each[0] != "state")


def _settled(group: Sequence[Line]) -> Sequence[Line]:
    """Return a group with its costs: where some prices are new, all of it sums to its exact cost again."""
    return costed(group) if any(line.price is not None and line.usd_nano is None for line in group) else group
