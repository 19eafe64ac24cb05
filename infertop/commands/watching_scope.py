"""A scope that is watched: who is part of it, up to when each has told, and its figures."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from infertop.money.detect.incidents import Incident
from infertop.money.detect.scopes import EVERYTHING, IDLE, LATENCIES, Place, Scope
from infertop.money.detect.watched import Watched
from infertop.money.overlap import Counts, all_count

MINUTE = 60
_IDLE_ON_TOP_OF = 0.5


@dataclass(frozen=True, slots=True)
class Rules:
    """What is part of figures of several sources: what counts, and who tells in time."""

    counts: Counts = all_count
    late: frozenset[str] = frozenset()

    def has(self, place: Place) -> bool:
        """Say whether a place is part of figures of several sources."""
        return place.source not in self.late and self.counts(place.source, place.provider, place.model)


@dataclass(frozen=True, slots=True)
class Frontier:
    """Up to when what happened is known: `closed` by meters and logs, `told` by each provider that tells late.

    `logs` are the sources that tell all that was used, also of minutes in which nobody recorded; `unread` those that
    have more to tell of the past.
    """

    closed: int = 0
    told: Mapping[str, float] = field(default_factory=dict)
    late: frozenset[str] = frozenset()
    logs: frozenset[str] = frozenset()
    unread: frozenset[str] = frozenset()

    def has_told(self, source: str, stated: Collection[str]) -> bool:
        """Say whether a source told all of a minute that nobody recorded; `stated` are those that told of it."""
        return source in self.told or (source not in self.unread and (source in self.logs or source in stated))

    def of_source(self, source: str) -> int:
        """Return the end of the last minute that a source has told, or that is closed."""
        return int(min(self.closed, self.told.get(source, self.closed)) // MINUTE * MINUTE)

    def of(self, scope: Scope, parts: Mapping[str, int]) -> int:
        """Return the end of the last minute that may be given to a scope with these sources."""
        if scope and scope[0][0] == "source":
            waits = [self.told.get(scope[0][1], self.closed)]
        else:
            waits = [
                until
                for source, until in self.told.items()
                if source not in self.late and (source in parts or scope == EVERYTHING)
            ]
        return int(min([self.closed, *waits]) // MINUTE * MINUTE)


@dataclass(slots=True)
class Watchee:
    """A scope that is watched: the last minute it was given, its figures, and who is part of it since when.

    `gpu_usd` is what its GPUs usually cost an hour: idle time is watched on top of half of that, because where hardly
    any is usual, a little is many times as much.
    """

    fed: int
    figures: dict[str, Watched] = field(default_factory=dict)
    parts: dict[str, int] = field(default_factory=dict)
    usd_per_hour: float = 0.0
    gpu_usd: float | None = None
    detailed: bool = False
    rules: Rules | None = None
    saved: int = 0

    @property
    def lasts(self) -> bool:
        """Whether an incident of it does."""
        return any(watched.current is not None for watched in self.figures.values())

    def base(self, name: str) -> float:
        """Return what a figure is watched on top of."""
        return _IDLE_ON_TOP_OF * (self.gpu_usd or 0.0) if name == IDLE else 0.0

    def told(self, name: str, incident: Incident) -> Incident:
        """Return an incident of a figure with its own values."""
        told = incident.less(self.base(name))
        # What hangs on slow answers is what their scope costs; that they are slow costs nothing by itself.
        return replace(told, excess_usd=None, excess_usd_per_hour=None) if name in LATENCIES else told
