"""The sources that are read now: their configurations, their polling, and how they come and go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Protocol

from collectors import KINDS
from infertop.commands.afar import Afar
from infertop.commands.hub import Hub
from infertop.commands.membership import Membership
from infertop.commands.pending import Pending
from infertop.commands.sources import collector, is_local, same_place
from infertop.engine.apart import Apart, roots
from infertop.engine.clock import Clock
from infertop.engine.collector import Collector, Resumes, SourceConfig
from infertop.engine.members import Through
from infertop.engine.memory import gap_seconds
from infertop.engine.placement import Holder, Placed, Placement, named_gpus
from infertop.engine.run import Polling
from infertop.readings.model import Batch, Member, Series

DEFAULT_INTERVAL_SECONDS = 1.0
# What reads GPUs; of two that read the same one the earlier kind has it, and of one kind the earlier source.
_GPU_METERS = ("nvml", "amd", "ssh", "dcgm")


class Listener(Protocol):
    """Who is told that sources have changed."""

    def sources_changed(self) -> None:
        """Take the sources that are read now."""
        ...

    def source_forgotten(self, name: str) -> None:
        """Take that another server has the name of a source now."""
        ...


class Roster:
    """What is read, by name. `members` are read through one of these sources.

    `pids` has the server processes of the sources that were found on this machine; the others were configured.
    `own_names` are the addresses and names of this machine, `interval` is that of what is found on it,
    `finds_here` whether that is looked for. No hole in polls of less than `least_gap_seconds` is a gap. `bookmarks`
    are, by source, how far what is read on had come when the history was opened.
    """

    def __init__(self, clock: Clock, hub: Hub, own_names: frozenset[str]) -> None:
        self.configs: dict[str, SourceConfig] = {}
        self.pids: dict[str, tuple[int, ...]] = {}
        self.polling = Polling(clock, hub)
        self.own_names = own_names
        self.interval = DEFAULT_INTERVAL_SECONDS
        self.finds_here = False
        self.least_gap_seconds = 0.0
        self.bookmarks: Mapping[str, Mapping[str, str]] = {}
        self._clock = clock
        self._hub = hub
        self.listener: Listener | None = None
        self.members = Membership(own_names)
        self.afar = Afar(self, lambda config: collector(config, clock))
        self.members_said: Callable[[Batch], None] | None = None  # is told of members before they are recorded
        self.recorded: Callable[[str], float] = lambda _source: 0.0  # the newest poll of a source that is recorded
        self.polled: Callable[[str], None] | None = None  # is told of their reader once all are handed over
        hub.members, hub.polled = self._take_members, self._take_polled
        self._names: dict[str, tuple[tuple[Series, ...], tuple[str, ...]]] = {}
        self._one_at_a_time = asyncio.Lock()

    async def add_found(self, config: SourceConfig, pid: int | None, made: Collector | None = None) -> None:
        """Read a server that was found, by the collector that is `made` or its kind's, unless it is read already."""
        async with self._one_at_a_time:
            if config.name in self.configs or any(same_place(config, each) for each in self.configs.values()):
                return
            self.pids[config.name] = (pid,) if pid else ()
            self._add(config, self._collector(config, made))
            self._changed()

    async def move_found(
        self, name: str, url: str, pid: int | None, options: Mapping[str, object] | None = None
    ) -> None:
        """Go on reading a server that was found before, and still counts as found, where it is now.

        What it said stays its own.
        """
        async with self._one_at_a_time:
            if name not in self.pids:
                return
            self.pids[name] = (pid,) if pid else ()
            before, said = self.configs[name], dict(options or {})
            if (before.url, before.options) != (url, said):
                config = replace(self.configs.pop(name), url=url, options=said)
                await self.polling.remove(name)
                self._add(config, self._collector(config))
                self._changed()

    def add_made(self, made: Collector) -> None:
        """Read a source whose collector is made already."""
        self._add(made.config, made)
        self._changed()

    async def follow(self, wanted: Iterable[SourceConfig]) -> None:
        """Read what is configured now: what is not any more goes, what is another by now is made anew.

        What was found on this machine stays, unless it is configured by now under a name of its own.
        """
        async with self._one_at_a_time:
            by_name = {each.name: each for each in wanted}
            for name, config in list(self.configs.items()):
                if name not in by_name:
                    if name not in self.pids or any(same_place(config, each) for each in by_name.values()):
                        await self._remove(name)
                elif by_name[name] != replace(config, interval_seconds=by_name[name].interval_seconds):
                    await self._replace(config, by_name[name])
                else:
                    self._set_interval(name, by_name[name].interval_seconds)
            for config in by_name.values():
                if config.name not in self.configs:
                    self._add(config, self._collector(config))
            self._changed()

    def pace(self, own: Mapping[str, float], seconds: float) -> None:
        """Poll everything every `seconds` from now on, and each that has an `own` interval by that."""
        self.interval = seconds
        for name in self.configs:
            self._set_interval(name, own.get(name, max(seconds, _least_seconds(self.configs[name]))))

    def local(self) -> frozenset[str]:
        """Return the engines that run on this machine; what only passes on what others serve is none."""
        return frozenset(
            each.name
            for each in self.every().values()
            if each.url and (is_local(each, self.own_names) or self.pids.get(each.name)) and not _is_gateway(each)
        )

    def gap_seconds(self, source: str) -> float:
        """Return how long a hole in a source's polls may be; it may be asked from any thread."""
        config = self.configs.get(source) or self.members.configs.get(source)
        return max(self.least_gap_seconds, gap_seconds(config.interval_seconds if config else DEFAULT_INTERVAL_SECONDS))

    def every(self) -> Mapping[str, SourceConfig]:
        """Return everything that is read, members included; of two with the same name the one that is read itself."""
        return self.members.configs | self.configs

    def reads(self, member: Member) -> str:
        """Return the source that reads a member's server itself, empty where none does."""
        return self.members.reads(member, self.configs.values(), self.members.through)

    def _take_members(self, batch: Batch) -> None:
        if self.members.take(batch, self.configs.get(batch.source)):
            self._changed()
        # What is told of others through an account has no past to be read back.
        if self.members_said is not None and batch.source in self.members.through:
            self.members_said(batch)

    def _take_polled(self, source: str) -> None:
        if self.polled is not None and source in self.members.through:
            self.polled(source)

    def _changed(self) -> None:
        if self.listener is not None:
            self.listener.sources_changed()

    def _collector(self, config: SourceConfig, made: Collector | None = None) -> Collector:
        made = made or Pending(config, lambda: self._resumed(config))
        if config.kind in KINDS and KINDS[config.kind].fleet:
            through = self.members.through[config.name] = Through(made, self)
            return through
        if config.kind not in _GPU_METERS:
            return made
        if config.kind == "ssh":
            return self.afar.machine(config, lambda ts: self.read_before(config.name, ts))
        if config.kind != _GPU_METERS[0]:
            return self._placed(Apart(made, lambda ts: self.read_before(config.name, ts)))
        return self._placed(made)

    def _resumed(self, config: SourceConfig) -> Collector:
        """Make a collector; one that reads on goes on from where it was when the history was opened."""
        made = collector(config, self._clock)
        if isinstance(made, Resumes) and (known := self.bookmarks.get(config.name)):
            made.resume(known)
        return made

    def _placed(self, made: Collector) -> Collector:
        return Placed(made, Placement([kind.server for kind in KINDS.values() if kind.server]), self.holders)

    def read_before(self, name: str, ts: float) -> dict[str, str]:
        """Return the GPUs that meters before this one read, each with the name of its meter."""
        meters = [each for each in self.every().values() if each.kind in _GPU_METERS]
        meters.sort(key=lambda each: (each.name not in self.configs, _GPU_METERS.index(each.kind)))
        found: dict[str, str] = {}
        for each in meters[: next((at for at, each in enumerate(meters) if each.name == name), None)]:
            source = self._hub.state.sources().get(each.name)
            newest = source.newest if source is not None else None
            if newest is not None and ts - newest.ts <= self.gap_seconds(each.name):
                found |= {root: each.name for root in roots(newest).values() if root not in found}
        return found

    def _add(self, config: SourceConfig, made: Collector) -> None:
        if config.name in self.configs:
            return
        self.configs[config.name] = config
        self.polling.add(made)

    async def _remove(self, name: str) -> None:
        """Stop reading a source; its totals stay in the ledger."""
        self.configs.pop(name, None)
        self.pids.pop(name, None)
        self._names.pop(name, None)
        await self.polling.remove(name)
        for each in (*self.members.forget(name), name):
            self._hub.forget(each)
        for engine in self.afar.forget(name):
            await self._remove(engine)

    async def _replace(self, old: SourceConfig, new: SourceConfig) -> None:
        await self._remove(new.name)
        # Another server's counters do not go on from those of the one before.
        if self.listener is not None and (old.kind, old.url) != (new.kind, new.url):
            self.listener.source_forgotten(new.name)
        self._add(new, self._collector(new))

    def _set_interval(self, name: str, seconds: float) -> None:
        if self.configs[name].interval_seconds != seconds:
            self.configs[name] = replace(self.configs[name], interval_seconds=seconds)
            self.polling.set_interval(name, seconds)

    def holders(self) -> tuple[Holder, ...]:
        """Return the sources that may hold GPUs."""
        return tuple(
            Holder(each.name, each.kind, each.url, self.pids.get(each.name, ()), each.gpus, self._named(each.name))
            for each in self.every().values()
            if each.url or each.gpus
        )

    def is_here(self, name: str) -> bool:
        """Say whether a source runs on this machine."""
        return is_local(self.configs[name], self.own_names)

    def gpus_of(self, name: str) -> tuple[str, ...]:
        """Return the GPUs that a source names itself."""
        return self._named(name)

    def _named(self, name: str) -> tuple[str, ...]:
        """Return the GPUs that a source names itself; looked for once for each shape of what it says."""
        source = self._hub.state.sources().get(name)
        series = source.newest.series if source is not None and source.newest is not None else ()
        if name not in self._names or self._names[name][0] is not series:
            self._names[name] = (series, named_gpus(series))
        return self._names[name][1]


def _least_seconds(config: SourceConfig) -> float:
    return KINDS[config.kind].least_seconds if config.kind in KINDS else 0.0


def _is_gateway(config: SourceConfig) -> bool:
    return config.kind in KINDS and KINDS[config.kind].gateway
