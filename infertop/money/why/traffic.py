"""What traffic by the token cost, as products of factors: an hour's cost is the sum over cells, ways and classes of

    volume x mix x clients x tokens per request x tier x share of the class x price

Volume is requests an hour of all cells together, mix a model's share of them, clients a client's share of its model's.
Tokens per request are those of the prompt, of the output and so on; tier is the share of them that was processed in
one way, the share of a class that of the prompt's tokens that came from a cache (or not), price USD a token. Cells
whose requests are not known are counted in tokens, apart from the others: their "tokens per request" are shares of all
tokens.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from infertop.money.why.cells import Amount, Cell, Label, Measure, Side, parts_of
from infertop.money.why.divide import Link, divided
from infertop.money.why.factors import CACHE, CLIENTS, MIX, OTHER, PRICE, PROMPT, TIER, VOLUME

_NONE = Amount()


class Contribution(NamedTuple):
    """What a factor did to the cost of an hour in one cell, in 1e-9 USD; `detail` is the way or class in which."""

    factor: str
    label: Label
    nano: float
    detail: str = ""


def contributions(cells: Mapping[Label, Cell]) -> Iterator[Contribution]:
    """Yield what each factor did in each cell; they sum to the change of the cells' cost."""
    costly = {label: cell for label, cell in cells.items() if cell.costs}
    for measure in Measure:
        group = {label: cell for label, cell in costly.items() if cell.measure is measure}
        if group:
            yield from _of_group(group, measure)


def _of_group(cells: Mapping[Label, Cell], measure: Measure) -> Iterator[Contribution]:
    counts = {label: tuple(side.volume(measure) for side in cell.sides) for label, cell in cells.items()}
    volume = [sum(each[at] for each in counts.values()) for at in (0, 1)]
    models: dict[str, list[float]] = {}
    for label, each in counts.items():
        of_model = models.setdefault(label.model, [0.0, 0.0])
        for at in (0, 1):
            of_model[at] += each[at]
    for label, cell in cells.items():
        who = [
            _link(VOLUME, (1.0, 1.0), (volume[0], volume[1])),
            _link(MIX, volume, models[label.model]),
            _link(CLIENTS, models[label.model], counts[label]),
        ]
        yield from _of_cell(label, cell, who, counts[label])


def _of_cell(label: Label, cell: Cell, who: list[Link], count: Sequence[float]) -> Iterator[Contribution]:
    for way in dict.fromkeys((*cell.before.requests, *cell.after.requests)):
        fee = [side.requests.get(way, _NONE) for side in cell.sides]
        quantity = [each.quantity for each in fee]
        chain = [*who, _link(TIER, [side.request_count for side in cell.sides], quantity)]
        yield from _divided(label, fee, chain, way, "requests")
    totals = [_Totals(side) for side in cell.sides]
    for part in parts_of(cell):
        amounts = [side.parts.get(part, _NONE) for side in cell.sides]
        of_kind = [each.kinds.get(part[:2], 0.0) for each in totals]
        of_way = [each.ways.get(part[:3], 0.0) for each in totals]
        chain = [*who, _link(part.factor, count, of_kind), _link(TIER, of_kind, of_way)]
        if part.factor == PROMPT:
            chain.append(_link(CACHE, of_way, [each.quantity for each in amounts]))
        yield from _divided(label, amounts, chain, part.way, part.resource)


class _Totals:
    """Quantities of a side, summed as the shares need them."""

    def __init__(self, side: Side) -> None:
        self.kinds: dict[tuple[str, ...], float] = {}
        self.ways: dict[tuple[str, ...], float] = {}
        for part, amount in side.parts.items():
            self.kinds[part[:2]] = self.kinds.get(part[:2], 0.0) + amount.quantity
            self.ways[part[:3]] = self.ways.get(part[:3], 0.0) + amount.quantity


def _divided(label: Label, amounts: list[Amount], chain: list[Link], way: str, resource: str) -> Iterator[Contribution]:
    before, after = amounts
    if any(each.nano and not each.quantity for each in amounts):
        yield Contribution(OTHER, label, after.nano - before.nano)
        return
    prices = [each.nano / each.quantity if each.quantity else 0.0 for each in amounts]
    for factor, nano in divided(before.nano, after.nano, [*chain, Link(PRICE, *prices)]).items():
        detail = way if factor == TIER else resource if factor == PRICE else ""
        yield Contribution(factor, label, nano, detail)


def _link(factor: str, of: Sequence[float], part: Sequence[float]) -> Link:
    """Return a factor as a share or a mean: `part` of `of` before and after, 0 of nothing."""
    shares = [part[at] / of[at] if of[at] else 0.0 for at in (0, 1)]
    return Link(factor, shares[0], shares[1])
