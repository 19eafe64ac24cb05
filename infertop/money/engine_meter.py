"""What an engine's counters add to the ledger: requests and disjoint classes of tokens, by minute and model."""

from __future__ import annotations

import math
from typing import Any

from infertop.money.engine_known import CACHED, FRESH, Known
from infertop.money.engine_shape import PROMPT, EngineShape, Models, Place, engine_shape
from infertop.money.minutes import Metered, Minute, Minutes, Reports, Terms, Wide, milliseconds
from infertop.readings.increase import Advance, Continuity
from infertop.readings.model import Batch, Buckets, Value

_EMPTY = engine_shape(())
# More than a fleet does in a year: what rises by more between two polls is no count, and must not reach the sums.
_ABSURD = 1e12
_FAILURES = frozenset({"requests_failed", "requests_aborted"})


class EngineMeter:
    """One engine's counters turned into quantities. `models` are those of its last batch."""

    def __init__(self, source: str, gap_seconds: float) -> None:
        self.source = source
        self.models: Models = {}
        self._gap_seconds = gap_seconds
        self._continuity = Continuity(gap_seconds)
        self._shape: EngineShape = _EMPTY
        self._known = Known()
        self._owed: dict[str | None, float] = {}
        self._carry: dict[Place, float] = {}

    def advance(self, batch: Batch, minutes: Minutes, terms: Terms) -> None:
        """Book what the counters rose by since the last batch, in the minute of this one."""
        if batch.series is not self._shape.series and batch.series != self._shape.series:
            self._shape = engine_shape(batch.series)
            self.models = self._shape.models
        minute = minutes.at(milliseconds(batch.ts))
        minute.serve(self.source, self.models)
        if self.source in terms.local_sources:
            minute.local.add(self.source)
        advance = self._continuity.advance(self._counters(batch))
        self._known.take(self._shape.tokens)
        if advance.restarted:
            self._owed = {model: owed for model, owed in self._owed.items() if owed < 0}
        hole = self._hole(advance, batch)
        if hole is None:
            self._book_compute(advance, minute)
        amounts = self._amounts(advance).items()
        quantities = {place: count for place, amount in amounts if (count := self._whole(place, amount))}
        if hole is not None:
            self._book_wide(quantities, minute, hole, advance.restarted)
        else:
            self._book(self._known_zeros(quantities) | quantities, minute, advance.restarted)

    def begin(self) -> None:
        """Count from 0: the engine was read before it had anything to tell."""
        self._continuity.begin()

    def dump(self) -> dict[str, Any]:
        """Return what `load` needs to go on from here, JSON-able."""
        return {
            "continuity": self._continuity.dump(),
            "models": [[name, *reports] for name, reports in self.models.items()],
            "known": self._known.dump(),
            "owed": list(self._owed.items()),
            "carry": [[*place, rest] for place, rest in self._carry.items()],
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what `dump` returned."""
        self._continuity.load(state["continuity"])
        self.models = {name: Reports(tokens, requests, tuple(gpus)) for name, tokens, requests, gpus in state["models"]}
        self._known.load(state["known"])
        self._owed = dict(state["owed"])
        self._carry = {(model, resource): rest for model, resource, rest in state["carry"]}

    def _counters(self, batch: Batch) -> Batch:
        """Return the batch without what the ledger has no use for: histograms are most of the work."""
        values: tuple[Value, ...] = tuple([batch.values[i] for i in self._shape.at])
        return Batch(batch.source, batch.ts, self._shape.counters, values, batch.started)

    def _amounts(self, advance: Advance) -> dict[Place, float]:
        """Return the increases of requests and of disjoint token classes."""
        amounts: dict[Place, float] = {}
        for series, amount in advance.increases:
            place = self._shape.places.get(series)
            if place is not None and not isinstance(amount, Buckets) and amount < _ABSURD:
                amounts[place] = amounts.get(place, 0.0) + amount
        for model in self._known.direct:
            # Who counts fresh tokens apart needs no prompt tokens; taking both would count twice.
            amounts.pop((model, PROMPT), None)
        for model in ({model for model, _ in amounts} | set(self._owed)) & self._known.inclusive:
            prompt = amounts.pop((model, PROMPT), 0.0)
            if self._known.lacks_cached(model):
                self._owed[model] = self._owed.get(model, 0.0) - prompt
            else:
                amounts[model, FRESH] = self._fresh(model, prompt, amounts.get((model, CACHED), 0.0))
        return amounts

    def _known_zeros(self, quantities: dict[Place, int]) -> dict[Place, int]:
        """Return 0 for all that a model reports which did something: what it did none of is known, and no gap."""
        active = {model for model, _ in quantities}
        return {
            (model, FRESH if resource == PROMPT else resource): 0
            for model, resource in self._shape.places.values()
            if model in active and resource not in _FAILURES
        }

    def _fresh(self, model: str | None, prompt: float, cached: float) -> float:
        """Return prompt tokens less the cached ones among them.

        The two counters may move at different times, so that for a moment more is cached than there were prompts:
        that is owed to the next increase, and no quantity is ever negative. Owed below 0 are prompt tokens that waited
        for a page that says how many of them were cached.
        """
        fresh = prompt - cached - self._owed.pop(model, 0.0)
        if fresh < 0:
            self._owed[model] = -fresh
        return max(fresh, 0.0)

    def _whole(self, place: Place, amount: float) -> int:
        """Return the whole part of an increase; a fraction is carried to the next."""
        exact = amount + self._carry.pop(place, 0.0)
        count = math.floor(exact)
        if rest := exact - count:
            self._carry[place] = rest
        return count

    def _hole(self, advance: Advance, batch: Batch) -> tuple[float, float] | None:
        """Return the span in which nobody polled: since the last poll, or since the engine began after it."""
        if advance.gap is not None or advance.dt is None or advance.dt <= self._gap_seconds:
            return advance.gap
        before = batch.ts - advance.dt
        began = batch.started if batch.started is not None else before
        return (min(max(before, began), batch.ts), batch.ts)

    def _book(self, quantities: dict[Place, int], minute: Minute, restarted: bool) -> None:
        if restarted:
            minute.restarted.add(self.source)
        for (model, resource), count in quantities.items():
            key = Metered(self.source, model, resource)
            minute.quantities[key] = minute.quantities.get(key, 0) + count

    def _book_wide(
        self, quantities: dict[Place, int], minute: Minute, hole: tuple[float, float], restarted: bool
    ) -> None:
        start, end = math.floor(hole[0]), math.ceil(hole[1])
        flags = "gap restart" if restarted else "gap"
        for (model, resource), count in quantities.items():
            key = Wide(start, max(end, start + 1), self.source, model, resource, flags)
            minute.wide[key] = minute.wide.get(key, 0) + count

    def _book_compute(self, advance: Advance, minute: Minute) -> None:
        for series, amount in advance.increases:
            at = self._shape.compute.get(series)
            if at is not None and not isinstance(amount, Buckets) and amount < _ABSURD:
                key = (self.source, *at)
                minute.compute[key] = minute.compute.get(key, 0.0) + amount
