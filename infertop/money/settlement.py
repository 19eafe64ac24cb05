"""Settling a provider's day: what it billed against what was computed, without touching any quantity.

For the most detailed cell of (model, resource, dimensions) that both know, the difference billed - computed is spread
over the day's lines in proportion to their cost, exact to 1e-9 USD. What matches no line stands alone, with model None.
So lines and adjustments of a settled day sum to its bills, what the bill never has left aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from infertop.money.lines import Basis, Line
from infertop.money.parts import split
from infertop.money.quote import STANDARD_TIERS
from infertop.money.same_model import same_model
from infertop.money.statement_lines import NANO_USD, TOKENS
from infertop.readings.account import Bill

ADJUSTMENT = "adjustment"

Dimensions = tuple[tuple[str, str], ...]


class Cell(NamedTuple):
    """What a bill and lines have in common; `resource` None is every resource."""

    model: str | None
    resource: str | None
    dimensions: Dimensions


@dataclass(frozen=True, slots=True)
class Drift:
    """How far a cell's bill is from what was computed, in 1e-9 USD; `unmatched`: no line has it."""

    cell: Cell
    billed_nano: int
    computed_nano: int
    unmatched: bool = False

    @property
    def nano(self) -> int:
        """Billed minus computed."""
        return self.billed_nano - self.computed_nano


class Settlement(NamedTuple):
    """The adjustment lines of a day, the cells that they come from, and the cost of lines that no bill ever has."""

    lines: list[Line]
    drifts: list[Drift]
    left_out_nano: int


def settle(
    lines: Iterable[Line], bills: Sequence[Bill], source: str, leaves_out: Iterable[tuple[str, str]] = ()
) -> Settlement:
    """Return how to settle one provider and day, of which `lines` are what was computed, earlier adjustments aside.

    Without bills there is nothing to settle: an empty answer says that there is no data, not that it was free.
    """
    aside = set(leaves_out)
    whole = [each for each in lines if each.resource != ADJUSTMENT]
    # What is left out is tokens: calls of tools have a price of their own, whatever tier the request is in.
    mine = [each for each in whole if each.unit != TOKENS or aside.isdisjoint(each.dimensions)]
    left_out = sum(each.usd_nano or 0 for each in whole) - sum(each.usd_nano or 0 for each in mine)
    if not bills:
        return Settlement([], [], left_out)
    cells = _Cells(mine, bills)
    made: list[Line] = []
    drifts: list[Drift] = []
    for cell, billed, members, counted in cells.matched():
        computed = 0 if counted else sum(each.usd_nano or 0 for each in members)
        if billed or computed:
            drifts.append(Drift(cell, billed, computed))
        made += _spread(members, billed - computed, source)
    for bill in cells.unmatched:
        cell = Cell(bill.model, bill.resource, tuple(sorted(bill.dimensions.items())))
        drifts.append(Drift(cell, bill.usd_nano, 0, unmatched=True))
        made.append(_standing(bill, source))
    return Settlement(_joined(made), drifts, left_out)


class _Cells:
    """Bills and lines by what both know. A bill is matched by its resource where lines have it, else by the rest.

    One of a tool without a model is matched by what it says besides: it may know neither tier nor context.
    """

    def __init__(self, lines: Sequence[Line], bills: Sequence[Bill]) -> None:
        self._names = _shared(lines, bills)
        self._by_model = any(each.model is not None for each in bills)
        self._models = _same_models({each.model for each in lines}, {each.model for each in bills})
        self._lines: dict[Cell, dict[str, list[Line]]] = {}
        for line in lines:
            wide = self._wide(line.model, dict(line.dimensions))
            self._lines.setdefault(wide, {}).setdefault(line.resource, []).append(line)
        self.unmatched: list[Bill] = []
        self._billed: dict[Cell, int] = dict.fromkeys(self._lines, 0)
        for bill in bills:
            self._take(bill)

    def matched(self) -> Iterable[tuple[Cell, int, list[Line], bool]]:
        """Yield each cell with its bill, its lines, and whether other cells have counted the cost of these already.

        Lines of a resource with a bill of its own are in no other cell, unless a bill is left without any.
        """
        narrow = {cell for cell in self._billed if cell.resource is not None}
        taken = self._taken(narrow)
        for cell, billed in self._billed.items():
            if cell.resource is not None and self._of_any_model(cell):
                reached = self._told(cell.resource, cell.dimensions)
                members = [
                    each for wide, lines in reached if taken.get((wide, cell.resource)) == cell for each in lines
                ]
                yield cell, billed, members or [each for _, lines in reached for each in lines], not members
                continue
            wide = cell._replace(resource=None)
            by_resource = self._lines[wide]
            if cell.resource is not None:
                yield cell, billed, by_resource[cell.resource], False
                continue
            rest = [
                each
                for name, members in by_resource.items()
                if wide._replace(resource=name) not in narrow and (wide, name) not in taken
                for each in members
            ]
            if rest:
                yield cell, billed, rest, False
            elif billed:
                yield cell, billed, [each for members in by_resource.values() for each in members], True

    def _take(self, bill: Bill) -> None:
        wide = self._wide(bill.model, bill.dimensions)
        cell = wide._replace(resource=bill.resource)
        if wide in self._lines:
            told = bill.resource is not None and bill.resource in self._lines[wide]
            cell = cell if told else wide
        elif not (bill.resource and self._of_any_model(cell) and self._told(bill.resource, cell.dimensions)):
            self.unmatched.append(bill)
            return
        self._billed[cell] = self._billed.get(cell, 0) + bill.usd_nano

    def _of_any_model(self, cell: Cell) -> bool:
        """Say whether a bill names no model where others do: it is about one resource of whatever model."""
        return self._by_model and cell.model is None and cell._replace(resource=None) not in self._lines

    def _taken(self, narrow: Iterable[Cell]) -> dict[tuple[Cell, str], Cell]:
        """Return which lines (by their wide cell and resource) a bill without a model has: of several the closest."""
        taken: dict[tuple[Cell, str], Cell] = {}
        own = set(narrow)
        loose = [cell for cell in own if self._of_any_model(cell)]
        for cell in sorted(loose, key=lambda cell: (-len(cell.dimensions), cell.dimensions)):
            for wide, _ in self._told(cell.resource or "", cell.dimensions):
                if wide._replace(resource=cell.resource) not in own:
                    taken.setdefault((wide, cell.resource or ""), cell)
        return taken

    def _told(self, resource: str, dimensions: Dimensions) -> list[tuple[Cell, list[Line]]]:
        """Return the lines of a resource with the wide cell that they are in: what is not said of a tool is any."""
        return [
            (wide, by_resource[resource])
            for wide, by_resource in self._lines.items()
            if resource in by_resource and set(dimensions) <= set(wide.dimensions)
        ]

    def _wide(self, model: str | None, dimensions: Mapping[str, str]) -> Cell:
        named = self._models.get(model, model) if self._by_model else None
        shared = tuple((name, value) for name in self._names if (value := _told_apart(name, dimensions)))
        return Cell(named, None, shared)


def _told_apart(name: str, said: Mapping[str, str]) -> str:
    """Return a dimension's value, empty for the tier that everything is in unless something else is said."""
    value = said.get(name, "")
    return "" if name == "service_tier" and value in STANDARD_TIERS else value


def _same_models(known: set[str | None], billed: set[str | None]) -> dict[str | None, str | None]:
    """Return under which name each model is settled: a bill that has another spelling of it is a bill of it.

    One for an alias is that of all dated versions which have no bill of their own.
    """
    names = {each: each for each in known}
    for bill in sorted(each for each in billed - known if each):
        same = sorted(each for each in known if each and same_model(each, bill))
        same = [each for each in same if each not in billed] or same
        if same:
            merged = {names[each] for each in same}
            names = {each: names[same[0]] if name in merged else name for each, name in names.items()}
            names[bill] = names[same[0]]
    return names


def _shared(lines: Sequence[Line], bills: Sequence[Bill]) -> list[str]:
    known = {name for each in lines for name, _ in each.dimensions}
    return sorted(known & {name for each in bills for name in each.dimensions})


def _spread(members: Sequence[Line], nano: int, source: str) -> Iterable[Line]:
    """Divide an amount in proportion to cost, to tokens where nothing has a cost, and evenly without both."""
    if not nano:
        return []
    by_cost = [max(each.usd_nano or 0, 0) for each in members]
    by_tokens = [each.quantity if each.unit == TOKENS else 0 for each in members]
    parts = split(nano, by_cost if any(by_cost) else by_tokens)
    return [_adjustment(each, part, source) for each, part in zip(members, parts, strict=True) if part]


def _adjustment(line: Line, nano: int, source: str) -> Line:
    return replace(
        line,
        source=source,
        resource=ADJUSTMENT,
        unit=NANO_USD,
        quantity=nano,
        usd_nano=nano,
        price=None,
        basis=Basis.BILLED,
        flags="",
    )


def _standing(bill: Bill, source: str) -> Line:
    return Line(
        start=bill.start,
        end=bill.end,
        source=source,
        provider=bill.provider,
        model=None,
        resource=ADJUSTMENT,
        dimensions=tuple(sorted((name, value) for name, value in bill.dimensions.items() if value)),
        quantity=bill.usd_nano,
        unit=NANO_USD,
        usd_nano=bill.usd_nano,
        price=None,
        basis=Basis.BILLED,
    )


def _joined(lines: Iterable[Line]) -> list[Line]:
    """Return one line for each span, model and dimensions."""
    found: dict[tuple[object, ...], Line] = {}
    for line in lines:
        key = (line.start, line.end, line.provider, line.model, line.dimensions)
        before = found.get(key)
        nano = line.quantity + (before.quantity if before else 0)
        found[key] = replace(line, quantity=nano, usd_nano=nano)
    return [each for each in found.values() if each.quantity]
