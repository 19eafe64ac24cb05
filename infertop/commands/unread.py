"""Sources of which a part is not read yet: what is spent of a budget that they tell of is then known in part.

Providers, logs and proxies are read back over minutes or hours, newest part first, and so is what a Prometheus kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from collectors import KINDS
from infertop.engine.collector import Health
from infertop.money.budgets import matches
from infertop.money.settings import Budget

if TYPE_CHECKING:
    from infertop.commands.session import Session

INVENTORY = "unread"
_PATIENCE_SECONDS = 600.0  # who does not answer at all for so long is down, and no longer waited for

Providers = Mapping[tuple[str, str | None], tuple[str, ...]]


def unread(session: Session, now: float) -> frozenset[str]:
    """Return the sources that have more to tell of what was before."""
    if session.viewing is not None:
        return session.viewing.unread
    if session.setup.demo:
        return frozenset()  # its past was told before it began
    found = {*session.hub.unread, *(session.recalling.left if session.recalling else ())}
    if now - session.began < _PATIENCE_SECONDS:
        found |= set(_awaited(session.state.healths(), session.roster.every().keys()))
    return frozenset(found)


def _awaited(healths: Iterable[Health], sources: Iterable[str]) -> Iterable[str]:
    """Return who tells of the past and was not read since the start."""
    read = set(sources)
    for health in healths:
        kind = KINDS.get(health.kind)
        if kind is None or health.source not in read or health.good_ts is not None:
            continue
        if kind.api is not None or kind.folders is not None or kind.gateway or kind.fleet:
            yield health.source


def of_budget(budget: Budget, sources: Iterable[str], providers: Providers) -> tuple[str, ...]:
    """Return which of these sources tell of what is spent of a budget, as far as that can be said, in order."""
    names = {name for name, _ in budget.conditions}
    found = []
    for source in sorted(sources):
        if "source" in names and not _fits(budget, "source", source):
            continue
        known = {each for (name, _), said in providers.items() if name == source for each in said}
        if "provider" in names and known and not any(_fits(budget, "provider", each) for each in known):
            continue
        found.append(source)
    return tuple(found)


def _fits(budget: Budget, dimension: str, value: str) -> bool:
    conditions = tuple(each for each in budget.conditions if each[0] == dimension)
    return matches(conditions, {dimension: value})
