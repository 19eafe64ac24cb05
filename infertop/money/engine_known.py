"""Which classes of tokens an engine counts, remembered over pages on which a line of them could not be read.

Fresh tokens are prompt tokens less cached ones: with one of the two missing for a poll, the difference of the others
would be booked as what it is not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from infertop.money.engine_shape import PROMPT, Place

CACHED, FRESH = "cache_read", "input"
# So many polls in a row may lack a counter before it is taken for gone.
_PATIENCE = 10


class Known:
    """The token counters of an engine's models. `direct` are the models that count fresh tokens apart, `inclusive`
    those whose prompt tokens include cached ones.
    """

    def __init__(self) -> None:
        self.direct: frozenset[str | None] = frozenset()
        self.inclusive: frozenset[str | None] = frozenset()
        self._here: frozenset[Place] = frozenset()
        self._missing: dict[Place, int] = {}  # known counters by how many polls in a row they were not there

    def take(self, here: frozenset[Place]) -> None:
        """Take what counters of prompt, fresh and cached tokens the next page has, by model."""
        if here == self._here and not self._missing:
            return
        missing = {place: self._missing.get(place, 0) + 1 for place in self._all() - here}
        self._missing = {place: polls for place, polls in missing.items() if polls <= _PATIENCE}
        self._here = here
        self._sort()

    def lacks_cached(self, model: str | None) -> bool:
        """Say whether a model's cached tokens are counted, but not on this page."""
        return (model, CACHED) in self._missing

    def dump(self) -> list[Any]:
        """Return what `load` needs, JSON-able."""
        return [[*place, self._missing.get(place, 0)] for place in sorted(self._all(), key=str)]

    def load(self, state: Iterable[Any]) -> None:
        """Go on from what `dump` returned."""
        polls = {(model, resource): count for model, resource, count in state}
        self._here = frozenset(place for place, count in polls.items() if not count)
        self._missing = {place: count for place, count in polls.items() if count}
        self._sort()

    def _all(self) -> frozenset[Place]:
        return self._here | frozenset(self._missing)

    def _sort(self) -> None:
        known = self._all()
        self.direct = frozenset(model for model, resource in known if resource == FRESH)
        self.inclusive = frozenset(model for model, resource in known if resource == PROMPT) - self.direct
