"""One fault, one incident: which scope a rise is of, and which figures that rise with it only bear it out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import log
from typing import NamedTuple

from infertop.money.detect.scopes import EVERYTHING, Place, Scope, is_in, scopes_of

EXPLAINS = 2 / 3
"""The least share of a rise that has to be in a part of its scope for the part to stand for it."""

# What rose by half of it (as logarithms) rose with it; what was thought to is let go where it is less than that.
_NEARLY_AS_STEEP, _LESS_STEEP = 0.5, 0.4
_AS_STEEP = 1.3
_ALIKE = 0.1
_MOST = 0.9
# So much of what is around has risen, by so many times, before it is part of it.
_PART, _RISEN = 0.1, log(1.4)
_TRACE = 0.01
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
    def after(self) -> float:
        return self.before + self.rise

    @property
    def times(self) -> float:
        return self.after / max(self.before, _LITTLE)


def scope_of_rise(moved: Sequence[Moved], scope: Scope) -> Scope:
    """Return the scope that a rise which was seen in `scope` is of.

    It is the narrowest part that has most of the rise and rose more steeply than the rest. Where that is a smaller
    part of what rose as steeply around it, it is the narrowest around it of which that is not so.
    """
    part = _steepest(moved, scope)
    here = _sum(moved, part)
    if here.rise <= 0:
        return scope
    called = _called(moved, here)
    while (around := _around(moved, here)) is not None:  # each has half as much again: it ends
        called, here = around, _sum(moved, around)
    return called


def _steepest(moved: Sequence[Moved], scope: Scope) -> Scope:
    parts = _sums(each for each in moved if is_in(each.place, scope))
    whole = parts[EVERYTHING]
    steep = [
        each
        for each in parts.values()
        if each.rise >= EXPLAINS * whole.rise and not _same(each, whole) and not _rises_too(each, whole, _LESS_STEEP)
    ]
    return _narrowed(moved, scope, _best(steep), parts) if steep and whole.rise > 0 else scope


def _around(moved: Sequence[Moved], here: _Sum) -> Scope | None:
    """Return the narrowest scope that has nearly all of this one, of whose rise it is a part, and that is as steep.

    Or of which the rest rose as steeply, however little that is.
    """
    parts = _sums(each for each in moved if is_in(each.place, here.scope))
    around = [each for name, each in _sums(moved).items() if name in parts and parts[name].after >= _MOST * here.after]
    found = [
        each
        for each in around
        if (here.rise < EXPLAINS * each.rise and each.times * _AS_STEEP >= here.times)
        or _rises_too(here, each, _NEARLY_AS_STEEP)
    ]
    return _best(found) if found else None


def _rises_too(here: _Sum, around: _Sum, as_steep: float) -> bool:
    """Say whether the rest around a part rose nearly as it did, by a part of the whole rise that is worth a word.

    `as_steep` is how much of the part's, as logarithms of how many times it is what it was.
    """
    rest = _Sum(around.scope, around.before - here.before, around.rise - here.rise)
    enough = rest.rise >= _PART * around.rise > 0 and rest.before >= _PART * around.before
    return enough and log(rest.times) >= max(_RISEN, as_steep * log(max(here.times, 1.0)))


def _called(moved: Sequence[Moved], here: _Sum) -> Scope:
    """Return what of scopes that are the same places says most."""
    parts = _sums(each for each in moved if is_in(each.place, here.scope))
    alike = [each for name, each in parts.items() if _same(each, here) and _same(_sum(moved, name), here)]
    return _best([here, *alike])


def _narrowed(moved: Sequence[Moved], scope: Scope, part: Scope, parts: dict[Scope, _Sum]) -> Scope:
    """Return a part of a scope by its own name where it is nowhere else, by both where it is."""
    return part if _same(_sum(moved, part), parts[part]) else tuple(sorted({**dict(scope), **dict(part)}.items()))


def explained(moved: Iterable[Moved], scope: Scope, by: Iterable[Scope]) -> float:
    """Return the share of the rises in `scope` that are in any of the scopes `by`; 0 where nothing rose."""
    by = list(by)
    whole = part = 0.0
    for each in moved:
        if each.rise > 0 and is_in(each.place, scope):
            whole += each.rise
            part += each.rise if any(is_in(each.place, other) for other in by) else 0.0
    return part / whole if whole > 0 else 0.0


def whose(moved: Sequence[Moved], scope: Scope, seen: Scope) -> Scope | None:
    """Return whose rise it is where nothing was used in `scope` before, None where it was, or by whom is unknown.

    Keys that are new are meant by it. Of a key that asked others before it is all: what it no longer asks of them it no
    longer costs; where all of that is in `seen` there is nothing to say.
    """
    inside = [each for each in moved if is_in(each.place, scope)]
    keys = {each.place.key for each in inside if each.after > 0}
    if not keys or None in keys or any(each.before > 0 for each in inside):
        return None
    before = [each.place for each in moved if each.before > 0 and each.place.key in keys]
    if not before:
        return scope
    hidden = len(keys) == 1 and not all(is_in(each, seen) for each in before)
    return (("key", before[0].key or ""),) if hidden else None


def rise_in(moved: Iterable[Moved], scope: Scope) -> float:
    """Return what a scope costs more."""
    return sum(each.rise for each in moved if is_in(each.place, scope))


def _sums(moved: Iterable[Moved]) -> dict[Scope, _Sum]:
    found: dict[Scope, list[float]] = {EVERYTHING: [0.0, 0.0]}
    for each in moved:
        for scope in scopes_of(each.place):
            sums = found.setdefault(scope, [0.0, 0.0])
            sums[0] += each.before
            sums[1] += each.rise
    return {scope: _Sum(scope, before, rise) for scope, (before, rise) in found.items()}


def _sum(moved: Iterable[Moved], scope: Scope) -> _Sum:
    inside = [each for each in moved if is_in(each.place, scope)]
    return _Sum(scope, sum(each.before for each in inside), sum(each.rise for each in inside))


def _same(one: _Sum, other: _Sum) -> bool:
    near = _ALIKE * other.before + _TRACE * abs(other.rise)
    return abs(one.before - other.before) <= near and abs(one.rise - other.rise) <= _ALIKE * abs(other.rise)


def _best(found: Sequence[_Sum]) -> Scope:
    """Return the narrowest; of those that are as narrow the one with most of the rise, then the one that says most."""
    least = min(each.before for each in found)
    most = max(each.after for each in found)
    narrow = [each for each in found if each.before <= least + _ALIKE * max(least, _ALIKE * most)]
    risen = max(each.rise for each in narrow)
    alike = [each for each in narrow if each.rise >= (1 - _ALIKE) * risen]
    return min(alike, key=lambda each: _rank(each.scope)).scope


def _rank(scope: Scope) -> tuple[int, int, Scope]:
    return max(len(scope), 1), (len(_PREFERRED) if scope == EVERYTHING else _PREFERRED.index(scope[0][0])), scope
