"""All of a change in its parts: both windows in cells, and what every factor did in each of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from infertop.money.why.cells import COST, Cell, Label, cells_of
from infertop.money.why.concentration import OTHERS, Division, value_of
from infertop.money.why.factors import OTHER
from infertop.money.why.machines import GPU_TIME, gpu_contributions, plain_contributions, pools_of
from infertop.money.why.measured import Measured
from infertop.money.why.traffic import Contribution, contributions
from infertop.money.why.usage import UsageLine


def measured_of(before: Sequence[UsageLine], after: Sequence[UsageLine], division: Division | None) -> Measured:
    """Return both windows in cells: of each model, by the values that explain the change, where these are no models."""
    values: dict[int, str] | None = None
    if division is not None and division.dimension != "model" and division.explaining:
        named = set(division.explaining)
        values = {}
        for line in (*before, *after):
            value = value_of(line, division.dimension)
            values[id(line)] = value if value in named else OTHERS
    api = cells_of(_traffic(before, False), _traffic(after, False), values)
    own = cells_of(_traffic(before, True), _traffic(after, True), values)
    for cell in (*api.values(), *own.values()):
        for side in cell.sides:
            side.spread_stated()
    pools = pools_of(_on_gpus(before), _on_gpus(after))
    return Measured(division.dimension if division else "", api, own, pools)


def all_contributions(
    measured: Measured, before: Sequence[UsageLine], after: Sequence[UsageLine]
) -> list[Contribution]:
    """Return what every factor did in every cell; they sum to the change of what an hour costs."""
    # What servers of one's own are said to cost by the token is beside their GPUs, as of any provider.
    return [
        *contributions(measured.api),
        *contributions(measured.own),
        *gpu_contributions(measured.pools, measured.own),
        *plain_contributions(_rest(before), _rest(after)),
        *_unspent(measured.cells),
    ]


def _traffic(lines: Iterable[UsageLine], is_own: bool) -> list[UsageLine]:
    return [each for each in lines if each.is_own == is_own and (each.is_traffic or each.resource == COST)]


def _on_gpus(lines: Iterable[UsageLine]) -> list[UsageLine]:
    return [each for each in lines if each.resource in GPU_TIME]


def _rest(lines: Iterable[UsageLine]) -> list[UsageLine]:
    return [each for each in lines if not (each.is_traffic or each.resource in (COST, *GPU_TIME))]


def _unspent(cells: Iterable[tuple[Label, Cell]]) -> Iterable[Contribution]:
    for label, cell in cells:
        if cell.before.unspent or cell.after.unspent:
            yield Contribution(OTHER, label, cell.after.unspent - cell.before.unspent)
