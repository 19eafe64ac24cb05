"""Lines of before under the prices of now: amounts of money change, quantities never.

What may change is told by `price_rules`; what was billed stays as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from math import ceil
from typing import NamedTuple

from infertop.money.dates import begins
from infertop.money.deployments.booked import DEPLOYMENT, dated_price, price_at
from infertop.money.drafts import MJ, MS, costed, line_order
from infertop.money.gpu_drafts import ENERGY, GPU_RESOURCES
from infertop.money.host_drafts import HOST
from infertop.money.lines import Basis, Line, Price
from infertop.money.price_history import PriceHistory
from infertop.money.price_rules import Rate, settle
from infertop.money.rates import PriceBook
from infertop.money.statement_lines import ASTRIDE

_TIME = GPU_RESOURCES - {ENERGY}
_MINUTE, _DAY = 60, 86_400

Dimensions = tuple[tuple[str, str], ...]


class SeenGpu(NamedTuple):
    """A GPU or MIG instance, as far as its price depends on it.

    `parent` is the GPU that it is a part of, `cut` says that it has such parts itself.
    """

    name: str
    memory_bytes: int | None
    parent: str = ""
    cut: bool = False


class Even(NamedTuple):
    """What is rounded together and has one new price: the lines as they are then, in the order of rounding up.

    Both have the numbers of accounts. Where one of `stays` is too, this does not hold.
    """

    price: Price | None
    moved: Mapping[int, Line]
    stays: tuple[int, ...]


class Repricing:
    """The prices of now for lines of before. `gpus` are all that were ever seen, by UUID."""

    def __init__(self, prices: PriceBook | PriceHistory, gpus: Mapping[str, SeenGpu]) -> None:
        self.history = prices if isinstance(prices, PriceHistory) else PriceHistory(prices)
        self.prices = self.history.newest
        self._gpus = gpus
        states = (self.prices.settings, *(state.settings for state in self.history.loaded))
        self._by_the_hour = any(said.energy.tariffs for said in states if said.energy)
        days = {
            begins(day, said.zone)
            for said in states
            for each in said.deployments
            for day in (each.since, each.until)
            if day
        }
        self._edges = sorted({*self.history.edges(), *days})
        self._energy_over = lru_cache(maxsize=256)(self._energy)
        self._energy_rates = lru_cache(maxsize=256)(self._rates_of_day)

    def concerns(self, resource: str) -> bool:
        """Say whether lines of this resource are priced here: all of a span are then needed together."""
        return resource in (HOST, DEPLOYMENT) or resource in GPU_RESOURCES

    def edges(self) -> Sequence[float]:
        """Return the times between which `outdated` gives one answer, in order."""
        return self._edges

    def outdated(self, resource: str, dimensions: Dimensions, price: Price | None, ts: float) -> bool:
        """Say whether lines like this at `ts` may have another price now."""
        if resource == HOST:
            return self.host(price, ts) is not None
        if resource == DEPLOYMENT:
            return self.deployment(price, ts) is not None
        if resource in _TIME:
            return self.rate(*_place(dimensions), price, ts) is not None
        # Energy that has no price follows the time of its GPU, see `lines`.
        return resource == ENERGY and price is not None and self._may_move(price, ts)

    def lines(self, lines: Sequence[Line]) -> list[Line]:
        """Return the lines of one span as they cost now: each GPU's time, its energy and the host rounded together."""
        repriced = self._repriced(lines)
        billed = [line for line in lines if line.basis is Basis.BILLED]
        groups: dict[tuple[str, str], list[Line]] = defaultdict(list)
        for line in lines:
            if line.basis is Basis.BILLED:
                continue
            rate = self._rate(line, repriced)
            new = line if rate is None else _with(line, rate.price, astride=self._is_astride(line, rate))
            groups[self._group(line)].append(new)
        return [*billed, *(line for group in groups.values() for line in _settled(group))]

    def even(self, lines: Mapping[int, Line]) -> Iterator[tuple[Even, ...]]:
        """Yield what can be priced again by its quantities alone, in a span between two edges, all of it or nothing.

        `lines` has a line as an example for each account in the span. Left to `lines` is a GPU of whose metered energy
        a line cannot tell alone what it costs: by its tariff, or because only some of the GPU's time changes.
        """
        groups: dict[tuple[str, str], dict[int, Line]] = defaultdict(dict)
        for number, line in lines.items():
            groups[self._group(line)][number] = line
        for (unit, root), members in groups.items():
            if unit == MJ:
                continue
            rates = {number: self._rate(line, {}) for number, line in members.items()}
            energy = groups.get((MJ, root), {}) if unit == MS else {}
            paid = self._paid(set(rates.values()), energy)
            if paid is not None:
                yield (*_even(members, rates), *_even(energy, paid))

    def _paid(self, time: set[Rate | None], energy: Mapping[int, Line]) -> dict[int, Rate | None] | None:
        """Return what energy costs by its account where its GPU's time has these rates, None where that is not all."""
        if not energy:
            return {}
        if len(time) != 1:
            return None
        (rate,) = time
        found: dict[int, Rate | None] = {}
        for number, line in energy.items():
            if line.price is None and rate is None:
                found[number] = None
            elif rate is not None and not rate.owned:
                found[number] = None if line.price is None else Rate(None)
            else:
                over_a_day = self._energy_rates(line.price, line.start)
                if len(over_a_day) != 1:
                    return None
                (found[number],) = over_a_day
        changes = {each is not None for each in found.values()}
        return found if len(changes) == 1 else None

    def rate(self, gpu: str, slices: int | None, old: Price | None, ts: float) -> Rate | None:
        """Return the rate of a GPU's time at `ts` that was priced by `old`, or None where that stays."""
        seen = self._gpus.get(gpu)
        if seen is None or (slices is None and old is None and (seen.parent or seen.cut)):
            return None

        def ask(book: PriceBook) -> Rate:
            found = book.gpu_rate(seen.name, seen.memory_bytes, slices, ts=ts)
            return Rate(found.price, found.owned)

        return settle(self.history, ts, old, ask)

    def energy(self, rate: Rate | None, old: Price | None, start: int, end: int) -> Rate | None:
        """Return the price of energy that was priced by `old`, or None where that stays.

        `rate` is that of its GPU's time where it is another one now: a rent pays for the energy too.
        """
        if rate is None:
            return None if old is None else self._energy_over(old, start, end)
        if rate.owned:
            return self._energy_over(old, start, end)
        return None if old is None else Rate(None)

    def host(self, old: Price | None, ts: float) -> Rate | None:
        """Return the price of the host's time at `ts` that was priced by `old`, or None where that stays."""
        return settle(self.history, ts, old, lambda book: Rate(book.host_price(ts)))

    def deployment(self, old: Price | None, ts: float) -> Rate | None:
        """Return the price of a deployment's time at `ts` that was priced by `old`, or None where that stays.

        A file that no longer has the deployment, or only since later, says nothing of hours that were spent.
        """
        if old is None:
            return None
        new = dated_price(self.prices.settings, old.name, ts)
        if new is None and old.since:
            found = (price_at(book.settings, old.name, ts) for book in self.history.undated(ts))
            new = next((each for each in found if each), None)
        return None if new is None or new == old else Rate(new)

    def _repriced(self, lines: Iterable[Line]) -> dict[Dimensions, Rate]:
        """Return the rates of the GPUs whose time has another price now."""
        found = {}
        for line in lines:
            if line.resource in _TIME and line.basis is not Basis.BILLED and (rate := self._rate(line, {})):
                found[_gpu_alone(line.dimensions)] = rate
        return found

    def _rate(self, line: Line, repriced: Mapping[Dimensions, Rate]) -> Rate | None:
        if line.resource == ENERGY:
            return self.energy(repriced.get(_gpu_alone(line.dimensions)), line.price, line.start, line.end)
        rate = self._at(line, line.start)
        # Where lines were put together, the price of one may begin within the span of all.
        begun = (self._at(line, ts) for ts in self._edges if line.start < ts < line.end)
        return None if rate is not None and None in begun else rate

    def _at(self, line: Line, ts: float) -> Rate | None:
        if line.resource == DEPLOYMENT:
            return self.deployment(line.price, ts)
        return (
            self.host(line.price, ts) if line.resource == HOST else self.rate(*_place(line.dimensions), line.price, ts)
        )

    def _is_astride(self, line: Line, rate: Rate) -> bool:
        if line.resource == ENERGY:
            return False
        return any(line.start < ts < line.end and self._at(line, ts) != rate for ts in self._edges)

    def _group(self, line: Line) -> tuple[str, str]:
        """Return what a line is rounded together with: the host's time, one deployment's, a GPU's time or energy."""
        if line.resource in (HOST, DEPLOYMENT):
            return line.resource, line.source if line.resource == DEPLOYMENT else ""
        return line.unit, self._root(line)

    def _root(self, line: Line) -> str:
        gpu, _ = _place(line.dimensions)
        seen = self._gpus.get(gpu)
        return seen.parent or gpu if seen else gpu

    def _energy(self, old: Price | None, start: int, end: int) -> Rate | None:
        """Return the price of a kWh from `start` to `end`, None where it stays or a tariff changes in between."""
        found = {self._energy_at(old, ts) for ts in self._moments(start, end)}
        return found.pop() if len(found) == 1 else None

    def _energy_at(self, old: Price | None, ts: float) -> Rate | None:
        return settle(self.history, ts, old, lambda book: Rate(book.energy_price(ts)), anew=old is None)

    def _may_move(self, old: Price, ts: float) -> bool:
        rates = self._energy_rates(old, ts)
        return None not in rates and old not in {rate.price for rate in rates if rate}

    def _rates_of_day(self, old: Price | None, ts: float) -> frozenset[Rate | None]:
        """Return what energy costs in the day from `ts` that was priced by `old`; tariffs change at whole minutes."""
        return frozenset(self._energy_at(old, each) for each in self._moments(ts, ts + _DAY))

    def _moments(self, start: float, end: float) -> Iterator[float]:
        """Yield those of the minutes from `start` in which energy may cost something else than in the one before."""
        yield start
        if self._by_the_hour:
            yield from (start + second for second in range(_MINUTE, ceil(end - start), _MINUTE))
            return
        later = (start + ceil((edge - start) / _MINUTE) * _MINUTE for edge in self._edges if edge > start)
        yield from (ts for ts in later if ts < end)


def _even(members: Mapping[int, Line], rates: Mapping[int, Rate | None]) -> Iterator[Even]:
    """Yield the lines that change, where all that do have one price and their order is told."""
    prices = {rate.price for rate in rates.values() if rate}
    moved = {n: _with(members[n], rate.price, astride=False) for n, rate in rates.items() if rate}
    orders = {line_order(line) for line in moved.values()}
    if len(prices) == 1 and len(orders) == len(set(moved.values())):
        ordered = sorted(moved, key=lambda n: line_order(moved[n]))
        yield Even(prices.pop(), {n: moved[n] for n in ordered}, tuple(n for n, rate in rates.items() if not rate))


def _with(line: Line, price: Price | None, *, astride: bool) -> Line:
    words = [word for word in line.flags.split() if word != ASTRIDE]
    return replace(line, price=price, usd_nano=None, flags=" ".join([*words, ASTRIDE] if astride else words))


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
