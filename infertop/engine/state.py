"""The live state: all sources and what they said in the last quarter of an hour, ready for the screen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from infertop.engine import collector
from infertop.engine.collector import Health
from infertop.engine.frame import Moment
from infertop.engine.memory import MAX_SERIES, Source
from infertop.engine.track import Track
from infertop.readings.model import Batch

__all__ = ["Source", "State", "Track"]


class State:
    """Sources by name, their series as tracks. It takes what the polling brings and answers at once, from memory.

    What is stale is judged at the newest time that it knows of: that of a batch or a poll of any source, or `tick`.
    """

    def __init__(self) -> None:
        self._sources: dict[str, Source] = {}
        self._moment = Moment()

    @property
    def now(self) -> float:
        """The time at which staleness is judged."""
        return self._moment.now

    def tick(self, now: float) -> None:
        """Say what time it is, so that sources grow stale although nothing is heard of any."""
        self._moment.reach(now)

    def apply(self, batch: Batch) -> None:
        """Take what one poll read."""
        self._moment.reach(batch.ts)
        self._source(batch.source).apply(batch)

    def apply_health(self, health: Health) -> None:
        """Take how a source is."""
        self._moment.reach(health.tried_ts)
        self._source(health.source, health.kind).set_health(health)

    def forget(self, source: str) -> None:
        """Drop a source and all it said."""
        self._sources.pop(source, None)

    def sources(self) -> Mapping[str, Source]:
        """Return all sources, in the order in which they came."""
        return MappingProxyType(self._sources)

    def tracks(self, source: str, metric: str, **labels: str) -> tuple[Track, ...]:
        """Return the tracks of a metric's series that carry these labels; none where the source is not known."""
        known = self._sources.get(source)
        return known.tracks(metric, labels) if known else ()

    def healths(self) -> tuple[Health, ...]:
        """Return how all sources are by now: one that was up and has not been read for five intervals is stale."""
        return tuple(_by_now(source, self.now) for source in self._sources.values())

    def _source(self, name: str, kind: str = "") -> Source:
        if name not in self._sources:
            self._sources[name] = Source(Health(name, kind), self._moment)
        return self._sources[name]


def _by_now(source: Source, now: float) -> Health:
    health = source.health
    if health.state is collector.State.UP and health.good_ts is not None and source.stale:
        detail = f"no reading for {now - health.good_ts:.0f} s"
        health = replace(health, state=collector.State.STALE, detail=detail)
    if source.dropped:
        dropped = f"{source.dropped} series beyond {MAX_SERIES} are not kept"
        health = replace(health, detail=f"{health.detail}; {dropped}" if health.detail else dropped)
    return health
