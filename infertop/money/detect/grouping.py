"""One fault, one incident: which scope a rise is of, and which figures that rise with it only bear it out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from infertop.money.detect.scopes import EVERYTHING, Place, Scope, is_in, scopes_of

EXPLAINS = 2 / 3
"""The least share of a rise that has to be in a part of its scope for the part to stand for it."""

_STEEPER = 1.2
_AS_STEEP = 1.3
_ALIKE = 0.1
_LITTLE = 1e-9
# Of scopes that are the same places, the one that says most.
_PREFERRED = ("model", "key", "project", "provider", "source")


class Moved(NamedTuple):
    """What a place cost an hour before, and what it costs now."""

    place: Place
    before: float
    after: float

    @property
    def rise(self) -> float:
        """What it costs more."""
        return self.after - self.before


class _Sum(NamedTuple):
    scope: Scope
    before: float
    rise: float

    @property
    def times(self) -> float:
        return (self.before + self.rise) / max(self.before, _LITTLE)


def scope_of_rise(moved: Sequence[Moved], scope: Scope) -> Scope:
    """Return the scope that a rise which was seen in `scope` is of.

    It is the narrowest part that has most of the rise and rose more steeply than the whole. Where `scope` itself is a
    smaller part of what rose as steeply around it, it is the narrowest around it that does not have that.
    """
    sums = {each: _sum(moved, each) for each in _scopes(moved)}
    here = _sum(moved, scope)
    if here.rise <= 0:
        return scope
    inside = [each for each in moved if is_in(each.place, scope)]
    parts = [_sum(inside, each) for each in _scopes(inside)]
    steep = [each for each in parts if each.rise >= EXPLAINS * here.rise and each.times >= _STEEPER * here.times]
    if steep:
        return _best(steep)
    around = [each for each in sums.values() if _has(inside, each.scope) and here.rise < EXPLAINS * each.rise]
    as_steep = [each for each in around if each.times * _AS_STEEP >= here.times]
    if as_steep:
        return _best(as_steep)
    return _best([here, *(each for each in parts if _same(each, here))])


def explained(moved: Iterable[Moved], scope: Scope, by: Iterable[Scope]) -> float:
    """Return the share of the rises in `scope` that are in any of the scopes `by`; 0 where nothing rose."""
    by = list(by)
    whole = part = 0.0
    for each in moved:
        if each.rise > 0 and is_in(each.place, scope):
            whole += each.rise
            part += each.rise if any(is_in(each.place, other) for other in by) else 0.0
    return part / whole if whole > 0 else 0.0


def _scopes(moved: Iterable[Moved]) -> list[Scope]:
    return list(dict.fromkeys(scope for each in moved for scope in scopes_of(each.place)))


def _sum(moved: Iterable[Moved], scope: Scope) -> _Sum:
    before = rise = 0.0
    for each in moved:
        if is_in(each.place, scope):
            before, rise = before + each.before, rise + each.rise
    return _Sum(scope, before, rise)


def _has(inside: Iterable[Moved], scope: Scope) -> bool:
    """Say whether nearly all of what is inside is in `scope` too."""
    whole = part = 0.0
    for each in inside:
        whole += each.after
        part += each.after if is_in(each.place, scope) else 0.0
    return part >= (1 - _ALIKE) * whole


def _same(one: _Sum, other: _Sum) -> bool:
    near = _ALIKE * max(abs(other.before), abs(other.rise))
    return abs(one.before - other.before) <= near and abs(one.rise - other.rise) <= near


def _best(found: Sequence[_Sum]) -> Scope:
    """Return the narrowest; of those that are as narrow the one with most of the rise, then the one that says most."""
    least = min(each.before for each in found)
    most = max(each.before + each.rise for each in found)
    narrow = [each for each in found if each.before <= least + _ALIKE * max(least, _ALIKE * most)]
    risen = max(each.rise for each in narrow)
    alike = [each for each in narrow if each.rise >= (1 - _ALIKE) * risen]
    return min(alike, key=lambda each: _rank(each.scope)).scope


def _rank(scope: Scope) -> tuple[int, Scope]:
    return (len(_PREFERRED) if scope == EVERYTHING else _PREFERRED.index(scope[0][0])), scope
