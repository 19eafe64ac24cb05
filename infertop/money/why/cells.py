"""Traffic in cells: a model, and a value of the dimension that explains the change; what it was before and after."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from infertop.money.weights import TOKEN_WEIGHTS
from infertop.money.why.factors import phase_of
from infertop.money.why.usage import REQUESTS, UsageLine
from infertop.readings.registry import TOKEN_CLASSES

COST = "cost"


class Label(NamedTuple):
    """A cell's name: the model, and the value of the dimension that models are divided by (None: they are not)."""

    model: str
    value: str | None = None


class Part(NamedTuple):
    """What of a request it is (a factor's name and what of it), how it was processed, and its class or call unit."""

    factor: str
    kind: str
    way: str
    resource: str


class Measure(Enum):
    """What volume is told in; units are tokens and calls together."""

    REQUESTS = "requests/h"
    TOKENS = "tokens/h"
    UNITS = "units/h"


@dataclass(slots=True)
class Amount:
    """A quantity an hour and its cost in 1e-9 USD an hour."""

    quantity: float = 0.0
    nano: float = 0.0


@dataclass(slots=True)
class Side:
    """A cell in one window; `stated` are costs told as one, by way, `unspent` what of them is for nothing counted."""

    requests: dict[str, Amount] = field(default_factory=dict)
    parts: dict[Part, Amount] = field(default_factory=dict)
    stated: dict[str, float] = field(default_factory=dict)
    unspent: float = 0.0

    @property
    def request_count(self) -> float:
        """Requests an hour, of all ways."""
        return sum(each.quantity for each in self.requests.values())

    @property
    def tokens(self) -> float:
        """Tokens an hour, of all classes."""
        return sum(each.quantity for part, each in self.parts.items() if part.resource in TOKEN_CLASSES)

    @property
    def units(self) -> float:
        """Tokens and calls an hour, of all kinds."""
        return sum(each.quantity for each in self.parts.values())

    def volume(self, measure: Measure) -> float:
        """Return how much was asked, an hour."""
        if measure is Measure.REQUESTS:
            return self.request_count
        return self.tokens if measure is Measure.TOKENS else self.units

    @property
    def nano(self) -> float:
        """What it cost an hour, in 1e-9 USD."""
        return sum(each.nano for each in (*self.requests.values(), *self.parts.values()))

    @property
    def work(self) -> float:
        """Its tokens as that many fresh prompt tokens."""
        return sum(TOKEN_WEIGHTS.get(part.resource, 0.0) * each.quantity for part, each in self.parts.items())

    def quantity(self, factor: str) -> float:
        """Return the quantity an hour of all parts of a factor."""
        return sum(each.quantity for part, each in self.parts.items() if part.factor == factor)

    def add(self, line: UsageLine) -> None:
        """Add a line of traffic, or the cost of one that a statement itself says."""
        if line.resource == COST:
            self.stated[line.way] = self.stated.get(line.way, 0.0) + (line.nano_per_hour or 0)
            return
        if line.resource == REQUESTS:
            amount = self.requests.setdefault(line.way, Amount())
        else:
            amount = self.parts.setdefault(Part(*phase_of(line.resource), line.way, line.resource), Amount())
        amount.quantity += line.per_hour
        amount.nano += line.nano_per_hour or 0

    def spread_stated(self) -> None:
        """Divide costs that statements tell as one among their tokens by weight, else their requests."""
        for way, nano in self.stated.items():
            weights = [
                (amount, TOKEN_WEIGHTS.get(part.resource, 0.0) * amount.quantity)
                for part, amount in self.parts.items()
                if part.way == way and amount.quantity > 0
            ]
            weight = sum(each for _, each in weights)
            requests = self.requests.get(way)
            if weight > 0:
                for amount, each in weights:
                    amount.nano += nano * each / weight
            elif requests is not None and requests.quantity > 0:
                requests.nano += nano
            else:
                self.unspent += nano
        self.stated.clear()


@dataclass(slots=True)
class Cell:
    """A cell before and after."""

    before: Side = field(default_factory=Side)
    after: Side = field(default_factory=Side)

    @property
    def sides(self) -> tuple[Side, Side]:
        """Both of them."""
        return self.before, self.after

    @property
    def measure(self) -> Measure:
        """What its volume is told in: the first of requests, tokens and units that is known wherever it was used."""
        used = [side for side in self.sides if side.units > 0]
        if all(side.request_count > 0 for side in used):
            return Measure.REQUESTS
        return Measure.TOKENS if all(side.tokens > 0 for side in used) else Measure.UNITS

    @property
    def by_requests(self) -> bool:
        """Whether its volume is told in requests."""
        return self.measure is Measure.REQUESTS

    @property
    def costs(self) -> bool:
        """Whether it cost anything."""
        return any(side.nano for side in self.sides)


def cells_of(
    before: Iterable[UsageLine], after: Iterable[UsageLine], value_of: Mapping[int, str] | None = None
) -> dict[Label, Cell]:
    """Return the cells of two windows' traffic; `value_of` has for each line (by its `id`) the dimension's value."""
    found: dict[Label, Cell] = {}
    for at, lines in enumerate((before, after)):
        for line in lines:
            label = Label(line.model, None if value_of is None else value_of.get(id(line)))
            found.setdefault(label, Cell()).sides[at].add(line)
    return found


def parts_of(cell: Cell) -> Iterator[Part]:
    """Iterate over the parts that a cell has before or after."""
    yield from dict.fromkeys((*cell.before.parts, *cell.after.parts))
