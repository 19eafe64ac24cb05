"""The polling loops: one task per source, each with its own interval, deadline and back-off.

A source that fails is data: its health says why. A bug in a collector is loud in the log and in that source's health,
and stops nothing else; the one broad `except` of infertop stands here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from random import Random
from typing import Protocol

from infertop.engine import pace
from infertop.engine.clock import Clock
from infertop.engine.collector import Collector, Health, State, Unavailable
from infertop.engine.faults import bug_place, from_collector
from infertop.engine.origin import shown_address
from infertop.readings.model import Batch, Member

_log = logging.getLogger(__name__)
_CLOSE_SECONDS = 1.0


class Sink(Protocol):
    """Takes what the polls bring, on the event loop: it must return at once."""

    def apply(self, batch: Batch) -> None:
        """Take what one good poll read."""
        ...

    def apply_health(self, health: Health) -> None:
        """Take how a source is, after every poll and when it is added."""
        ...


@dataclass(slots=True)
class _Source:
    """A collector and where its polling stands: `began` is the last poll's start, `failing` its failures in a row.

    A source with more to tell is polled `again` seconds after its last poll.
    """

    collector: Collector
    interval: float
    health: Health
    due: float
    began: float = 0.0
    failing: int = 0
    why: Unavailable | None = None
    again: float | None = None
    asleep: bool = False
    task: asyncio.Task[None] | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    members: dict[str, Health] = field(default_factory=dict)


class Polling:
    """Polls the sources that were added, from `run()` until `close()`; sources come and go at any time."""

    def __init__(self, clock: Clock, sink: Sink, *, random: Random | None = None) -> None:
        self._clock = clock
        self._sink = sink
        self._random = random or Random()
        self._sources: dict[str, _Source] = {}
        self._group: asyncio.TaskGroup | None = None
        self._closing = asyncio.Event()

    @property
    def names(self) -> tuple[str, ...]:
        """The sources being polled."""
        return tuple(self._sources)

    @property
    def unfinished(self) -> frozenset[str]:
        """The sources that had more to tell at their last poll."""
        return frozenset(name for name, source in self._sources.items() if source.again is not None)

    async def run(self) -> None:
        """Poll until `close()`; cancelling the task that runs this stops the polls too."""
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                for source in self._sources.values():
                    self._start(source)
                await self._closing.wait()
        finally:
            self._group = None

    def add(self, collector: Collector, *, not_before: float = 0.0) -> None:
        """Poll `collector` too, first within 0.5 s and not before `not_before` (epoch seconds).

        Raises ValueError where a source of that name is polled already.
        """
        config = collector.config
        if config.name in self._sources:
            raise ValueError(f"the source {config.name} is polled already")
        interval = max(config.interval_seconds, pace.LEAST_INTERVAL)
        health = Health(config.name, collector.kind, address=shown_address(config.url), interval_seconds=interval)
        due = max(pace.first_poll(self._clock.now(), config.name), not_before)
        source = self._sources[config.name] = _Source(collector, interval, health, due)
        self._sink.apply_health(health)
        self._start(source)

    async def remove(self, name: str) -> None:
        """Stop polling a source and close its collector; nothing where the name is not known."""
        source = self._sources.pop(name, None)
        if source is not None:
            await _end([source])

    def set_interval(self, name: str, seconds: float) -> None:
        """Poll a source every `seconds` from now on; raise KeyError where the name is not known."""
        source = self._sources[name]
        source.interval = max(seconds, pace.LEAST_INTERVAL)
        source.health = replace(source.health, interval_seconds=source.interval)
        self._sink.apply_health(source.health)
        if source.asleep and source.began and not source.failing:
            source.due = pace.next_poll(source.began, self._clock.now(), source.interval, name)
            _stop(source)
            self._start(source)

    async def poll_once_all(self, seconds: float, names: Collection[str] | None = None) -> None:
        """Poll every source (or those named) once more, together, and return within about `seconds`.

        A source whose poll is under way is waited for instead. Works with and without `run()`.
        """
        chosen = [source for name, source in self._sources.items() if names is None or name in names]
        tasks = [asyncio.create_task(self._poll_unless_busy(source, seconds)) for source in chosen]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=seconds + _CLOSE_SECONDS)
            for task in late:
                task.cancel()

    async def close(self) -> None:
        """Stop all polls and close all collectors."""
        sources = list(self._sources.values())
        self._sources.clear()
        self._closing.set()
        await _end(sources)

    def _start(self, source: _Source) -> None:
        if self._group is not None:
            source.task = self._group.create_task(self._follow(source), name=f"poll {source.health.source}")

    async def _follow(self, source: _Source) -> None:
        while True:
            source.asleep = True
            await self._clock.sleep_until(source.due)
            source.asleep = False
            async with source.lock:
                await self._poll(source, pace.deadline(source.interval))
            source.due = self._next(source)

    def _next(self, source: _Source) -> float:
        now = self._clock.now()
        if source.why is None and source.again is not None:
            return now + max(source.again, pace.LEAST_INTERVAL)
        if source.why is None:
            return pace.next_poll(source.began, now, source.interval, source.health.source)
        return pace.retry(now, source.interval, source.failing, source.why, self._random)

    async def _poll_unless_busy(self, source: _Source, seconds: float) -> None:
        busy = source.lock.locked()
        async with source.lock:
            if not busy:
                await self._poll(source, min(seconds, pace.deadline(source.interval)))

    async def _poll(self, source: _Source, seconds: float) -> None:
        source.began = self._clock.now()
        result = await self._attempt(source, source.began, seconds)
        took = self._clock.now() - source.began
        before = source.health
        source.health = replace(before, tried_ts=source.began, seconds=took, polls=before.polls + 1)
        if isinstance(result, Unavailable):
            self._failed(source, result)
        else:
            self._went_well(source, result)
        if source.health.detail and source.health.detail != before.detail:
            _log.info("%s: %s", source.health.source, source.health.detail)
        self._sink.apply_health(source.health)

    async def _attempt(self, source: _Source, ts: float, seconds: float) -> Batch | Unavailable:
        """Poll once and hand the batch on; whatever goes wrong comes back as the sentence to show."""
        collector = source.collector
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                batch = await collector.collect(ts)
            self._sink.apply(batch)
            for member in batch.members:
                self._apply_member(source, member)
                await asyncio.sleep(0)  # a fleet has hundreds
        except asyncio.CancelledError as error:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            return _bug(collector, error)
        except Exception as error:  # noqa: BLE001 - the engine's boundary: a bug in one source stops no other
            if limit.expired() and isinstance(error, TimeoutError):
                return Unavailable(f"no answer within {seconds:g} s", state=State.STALE)
            return from_collector(error) or _bug(collector, error)
        return batch

    def _apply_member(self, source: _Source, member: Member) -> None:
        """Hand on what a member said. How it is is known first: its interval decides what is a gap."""
        before = source.members.get(member.name) or Health(member.name, member.kind, address=shown_address(member.url))
        polls, seconds = before.polls + 1, member.interval_seconds
        health = replace(before, interval_seconds=seconds, tried_ts=source.began, polls=polls)
        self._sink.apply_health(health)
        for batch in member.batches:
            self._sink.apply(batch)
        if member.batches:
            newest = member.batches[-1]
            detail = "; ".join(newest.notes)
            health = replace(health, state=State.UP, good_ts=newest.ts, rejected=newest.rejected, detail=detail)
            self._sink.apply_health(health)
        source.members[member.name] = health

    def _went_well(self, source: _Source, batch: Batch) -> None:
        source.failing, source.why, source.again = 0, None, batch.again_seconds
        source.health = replace(
            source.health, state=State.UP, good_ts=batch.ts, rejected=batch.rejected, detail="; ".join(batch.notes)
        )

    def _failed(self, source: _Source, why: Unavailable) -> None:
        source.failing, source.why = source.failing + 1, why
        health = source.health
        never = why.state is State.STALE and health.good_ts is None
        state = State.DOWN if never else why.state
        source.health = replace(health, state=state, failures=health.failures + 1, rejected=0, detail=why.sentence)


def _bug(collector: Collector, error: BaseException) -> Unavailable:
    sentence = f"internal error: {type(error).__name__} in {bug_place(error)}; details in the log"
    _log.error("%s: %s", collector.config.name, sentence, exc_info=error)
    return Unavailable(sentence)


def _stop(source: _Source) -> None:
    if source.task is not None:
        source.task.cancel()


async def _end(sources: list[_Source]) -> None:
    """Stop the loops and close the collectors, waiting for none longer than a second."""
    tasks = [source.task for source in sources if source.task is not None]
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks, timeout=_CLOSE_SECONDS)
    closing = [asyncio.create_task(_close(source.collector)) for source in sources]
    if closing:
        _, late = await asyncio.wait(closing, timeout=_CLOSE_SECONDS)
        for task in late:
            task.cancel()


async def _close(collector: Collector) -> None:
    try:
        await collector.close()
    except Exception:  # noqa: BLE001 - the engine's boundary: the others are still to be closed
        _log.exception("%s did not close", collector.config.name)
