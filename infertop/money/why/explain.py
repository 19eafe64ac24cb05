"""The whole explanation of a change of $/hour between two windows: its parts, who changed most, and its cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infertop.money.why.cause import Cause, cause_of
from infertop.money.why.cells import COST, Cell, Label, cells_of
from infertop.money.why.concentration import DIMENSIONS, OTHERS, Division, Value, best_division, value_of
from infertop.money.why.divide import whole
from infertop.money.why.effects import Effect, effect_of
from infertop.money.why.factors import FACTORS, OTHER
from infertop.money.why.machines import GPU_TIME, gpu_contributions, plain_contributions, pools_of
from infertop.money.why.measured import Measured
from infertop.money.why.traffic import Contribution, contributions
from infertop.money.why.usage import Usage, UsageLine


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an hour cost before and after in 1e-9 USD (None: nothing has a price), and why.

    The effects sum to the change exactly; that of the cause comes first. `by` is the dimension that explains the change
    best, `changes` its values, the largest change first. `flags` are sentences on what is not known.
    """

    before_nano: int | None
    after_nano: int | None
    effects: tuple[Effect, ...] = ()
    cause: Cause | None = None
    by: str = ""
    changes: tuple[Value, ...] = ()
    flags: tuple[str, ...] = ()


def explain(before: Usage, after: Usage, dimensions: Sequence[str] = DIMENSIONS) -> Explanation:
    """Return why `after` costs another amount an hour than `before`; `dimensions` are those to look for it in."""
    costs = before.nano_per_hour, after.nano_per_hour
    flags = tuple(dict.fromkeys((*before.flags, *after.flags)))
    division = best_division(before.lines, after.lines, dimensions)
    if not (before.seconds and after.seconds) or costs == (None, None):
        return Explanation(*costs, changes=division.values if division else (), flags=flags)
    measured = _measured(before.lines, after.lines, division)
    found = _contributions(measured, before.lines, after.lines)
    effects = _effects(found, (costs[1] or 0) - (costs[0] or 0), measured)
    cause = cause_of(found, measured)
    first = cause.factor if cause else ""
    return Explanation(
        *costs,
        effects=tuple(sorted(effects, key=lambda each: (each.factor != first, *_largest_first(each)))),
        cause=cause,
        by=division.dimension if division else "",
        changes=division.values if division else (),
        flags=(*flags, *_unknown(measured)),
    )


def _measured(before: Sequence[UsageLine], after: Sequence[UsageLine], division: Division | None) -> Measured:
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


def _traffic(lines: Iterable[UsageLine], is_own: bool) -> list[UsageLine]:
    return [each for each in lines if each.is_own == is_own and (each.is_traffic or each.resource == COST)]


def _on_gpus(lines: Iterable[UsageLine]) -> list[UsageLine]:
    return [each for each in lines if each.resource in GPU_TIME]


def _rest(lines: Iterable[UsageLine]) -> list[UsageLine]:
    return [each for each in lines if not (each.is_traffic or each.resource in (COST, *GPU_TIME))]


def _contributions(measured: Measured, before: Sequence[UsageLine], after: Sequence[UsageLine]) -> list[Contribution]:
    # What servers of one's own are said to cost by the token is beside their GPUs, as of any provider.
    return [
        *contributions(measured.api),
        *contributions(measured.own),
        *gpu_contributions(measured.pools, measured.own),
        *plain_contributions(_rest(before), _rest(after)),
        *_unspent(measured.cells),
    ]


def _unspent(cells: Iterable[tuple[Label, Cell]]) -> Iterable[Contribution]:
    for label, cell in cells:
        if cell.before.unspent or cell.after.unspent:
            yield Contribution(OTHER, label, cell.after.unspent - cell.before.unspent)


def _effects(found: Iterable[Contribution], change: int, measured: Measured) -> list[Effect]:
    by_factor: dict[str, list[Contribution]] = {}
    for each in found:
        by_factor.setdefault(each.factor, []).append(each)
    sums = {factor: sum(each.nano for each in parts) for factor, parts in by_factor.items()}
    if change and not sums:
        sums = {OTHER: float(change)}
    return [
        effect_of(factor, nano, by_factor.get(factor, []), measured)
        for factor, nano in whole(sums, change).items()
        if nano
    ]


def _largest_first(effect: Effect) -> tuple[int, int]:
    return -abs(effect.nano), FACTORS.index(effect.factor)


def _unknown(measured: Measured) -> Iterable[str]:
    unknown = sorted({label.model for label, cell in measured.cells if cell.costs and not cell.by_requests})
    if unknown:
        yield f"requests of {_listed(unknown)} are not known: what was asked is counted in tokens"


def _listed(names: Sequence[str], most: int = 3) -> str:
    shown = [name or "(no model)" for name in names[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")
