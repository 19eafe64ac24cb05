"""The whole explanation of a change of $/hour between two windows: its parts, who changed most, and its cause."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from infertop.money.why.cause import Cause, cause_of
from infertop.money.why.concentration import DIMENSIONS, Value, best_division
from infertop.money.why.divide import whole
from infertop.money.why.effects import Effect, effect_of
from infertop.money.why.factors import FACTORS, OTHER
from infertop.money.why.measured import Measured
from infertop.money.why.parts import all_contributions, measured_of
from infertop.money.why.traffic import Contribution
from infertop.money.why.usage import Usage, comparable
from infertop.readings.safe import safe

_NAME_CELLS = 40
# Lines are rounded to 1e-9 USD: a share of the cost that is as small as this is no effect, and part of the largest.
_DUST = 1e-7


@dataclass(frozen=True, slots=True)
class Explanation:
    """What an hour cost before and after in 1e-9 USD (None: nothing has a price), and why.

    The effects sum to the change exactly; that of the cause comes first. `by` is the dimension that explains the change
    best, `changes` its values, the largest change first. `flags` are sentences on what is not known, `unknown` says of
    which windows nothing is.
    """

    before_nano: int | None
    after_nano: int | None
    effects: tuple[Effect, ...] = ()
    cause: Cause | None = None
    by: str = ""
    changes: tuple[Value, ...] = ()
    flags: tuple[str, ...] = ()
    unknown: tuple[bool, bool] = (False, False)


def explain(
    before: Usage, after: Usage, dimensions: Sequence[str] = DIMENSIONS, unusual: str = "", way: int = 0
) -> Explanation:
    """Return why `after` costs another amount an hour than `before`; `dimensions` are those to look for it in.

    The cause is the factor that did most, or the `unusual` one, see `unusual.py`; `way` says whether that made it more
    (1), less (-1), or what it is (0). Machines of which a window knows nothing are left out of both.
    """
    before, after = comparable(before, after)
    costs = before.nano_per_hour, after.nano_per_hour
    flags = tuple(dict.fromkeys((*before.flags, *after.flags)))
    division = best_division(before.lines, after.lines, dimensions)
    if not (before.is_known and after.is_known) or costs == (None, None):
        unknown = (not before.is_known, not after.is_known)
        return Explanation(*costs, changes=division.values if division else (), flags=flags, unknown=unknown)
    measured = measured_of(before.lines, after.lines, division)
    found = all_contributions(measured, before.lines, after.lines)
    change = (costs[1] or 0) - (costs[0] or 0)
    effects = _effects(found, change, measured, _DUST * max(map(abs, (costs[0] or 0, costs[1] or 0))))
    cause = cause_of(found, measured, unusual, way)
    first = (cause.factor, *cause.factors) if cause else ()
    return Explanation(
        *costs,
        effects=tuple(sorted(effects, key=lambda each: (each.factor not in first, *_largest_first(each)))),
        cause=cause,
        by=division.dimension if division else "",
        changes=division.values if division else (),
        flags=(*flags, *_unknown(measured)),
    )


def _effects(found: Iterable[Contribution], change: int, measured: Measured, dust: float) -> list[Effect]:
    by_factor: dict[str, list[Contribution]] = {}
    for each in found:
        by_factor.setdefault(each.factor, []).append(each)
    sums = {factor: sum(each.nano for each in parts) for factor, parts in by_factor.items()}
    if change and not sums:
        sums = {OTHER: float(change)}
    largest = max(sums, key=lambda factor: abs(sums[factor]), default="")
    for factor in [name for name, nano in sums.items() if name != largest and abs(nano) <= dust]:
        sums[largest] += sums.pop(factor)
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
    shown = [safe(name, _NAME_CELLS) or "(no model)" for name in names[:most]]
    return ", ".join(shown) + (f" and {len(names) - most} more" if len(names) > most else "")
