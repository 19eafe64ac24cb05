"""The one factor to name: what moved most, where a client's requests count as requests, whoever else asked less.

Volume, mix and clients are one cause, requests, as long as what some asked more is not what others asked less: a single
client that asks three times as often changes all three. It is called mix (or clients) where requests moved from one to
another, or where the model (or client) was not there before.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from infertop.money.why.concentration import NONE, OTHERS
from infertop.money.why.effects import Effect, effect_of
from infertop.money.why.factors import ABOUT_REQUESTS, CLIENTS, MIX, VOLUME
from infertop.money.why.measured import EVERYWHERE, Measured, Place
from infertop.money.why.traffic import Contribution

_MOST = 0.6
# Requests moved where so much of what some gained was lost by others, who lost that share of their own at least.
_MOVED, _LOST = 0.5, 0.15
# What is less of it changes no digit that is shown.
_SEEN = 0.002


@dataclass(frozen=True, slots=True)
class Cause:
    """What did most of the change: `nano` (1e-9 USD an hour) of it, and `effect` with the figures to name.

    `factors` are those of the effects that `nano` is the sum of, where it is that of several.
    """

    factor: str
    nano: int
    effect: Effect
    is_new: bool = False
    factors: tuple[str, ...] = ()


def block_of(factor: str) -> str:
    """Return the factor that stands for this one and those that cannot be told from it by their size."""
    return VOLUME if factor in ABOUT_REQUESTS else factor


def cause_of(found: Iterable[Contribution], measured: Measured, unusual: str = "", way: int = 0) -> Cause | None:
    """Return the cause of a change whose contributions these are, None where there is none.

    It is what did most to make more of it (`way` 1), less (-1), or what it is (0); the `unusual` factor before others,
    where that did.
    """
    found = list(found)
    change = sum(each.nano for each in found)
    way = way or (change > 0) - (change < 0)
    if not way:
        return None
    by_factor: dict[str, list[Contribution]] = {}
    for each in found:
        by_factor.setdefault(block_of(each.factor), []).append(each)
    sums = {factor: sum(each.nano for each in parts) for factor, parts in by_factor.items()}
    best = max(sums, key=lambda factor: sums[factor] * way, default="")
    if round(sums.get(unusual, 0.0)) * way > 0:
        best = unusual
    if not best or round(sums[best]) * way <= 0:
        return None
    if best != VOLUME:
        return Cause(best, round(sums[best]), effect_of(best, round(sums[best]), by_factor[best], measured))
    return _requests(by_factor[VOLUME], measured)


def _requests(parts: list[Contribution], measured: Measured) -> Cause:
    nano = round(sum(each.nano for each in parts))
    place = _place(parts, measured)
    figure = measured.figure(VOLUME, place)
    is_new = place != EVERYWHERE and (not figure.before or not figure.after)
    if is_new:  # what it costs, or did: that others ask more or less meanwhile is no part of it
        nano = round(sum(each.nano for each in parts if place.has(each.label)))
    if is_new or _moved(parts, measured):
        factor = CLIENTS if place.value is not None else MIX
        if not is_new and place == EVERYWHERE:
            largest = max(parts, key=lambda each: each.nano * nano)
            place = Place(model=largest.label.model)
        shown = figure if is_new else measured.figure(factor, place)
        factors = () if is_new else _factors(parts, factor, nano)
        return Cause(factor, nano, Effect(factor, nano, place, "", shown), is_new, factors)
    return Cause(VOLUME, nano, Effect(VOLUME, nano, place, "", figure), factors=_factors(parts, VOLUME, nano))


def _factors(parts: Iterable[Contribution], named: str, nano: int) -> tuple[str, ...]:
    """Return the factors whose effects sum to `nano`, in the order of tables, nothing where there is but the one."""
    sums = dict.fromkeys((VOLUME, MIX, CLIENTS), 0.0)
    for each in parts:
        sums[each.factor] += each.nano
    found = tuple(name for name, did in sums.items() if name == named or abs(did) > _SEEN * abs(nano))
    return found if len(found) > 1 else ()


def _place(parts: list[Contribution], measured: Measured) -> Place:
    """Return whose requests did most of it: those of one value, of one model, or everybody's."""
    for of_value in (True, False):
        sums: dict[str, float] = {}
        for each in parts:
            name = each.label.value if of_value else each.label.model
            if name is not None:
                sums[name] = sums.get(name, 0.0) + each.nano
        whole = sum(sums.values())
        if len(sums) > 1 and whole:
            best = max(sums, key=lambda each: sums[each] / whole)
            if sums[best] / whole >= _MOST and best not in (OTHERS, NONE):
                return Place(value=best) if of_value else Place(model=best)
    return EVERYWHERE


def _moved(parts: Iterable[Contribution], measured: Measured) -> bool:
    """Say whether requests moved from some to others, rather than that there are more or fewer of them."""
    concerned = {each.label for each in parts}
    gained = lost = 0.0
    for label, cell in measured.cells:
        if label in concerned:
            before, after = (side.volume(cell.measure) for side in cell.sides)
            least = _LOST * max(before, after)
            gained += max(after - before, 0.0) if after - before > least else 0.0
            lost += max(before - after, 0.0) if before - after > least else 0.0
    return min(gained, lost) >= _MOVED * max(gained, lost) > 0
