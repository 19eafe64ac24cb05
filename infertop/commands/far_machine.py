"""A machine that is reached by ssh: its GPUs with who holds them, and the search for its engines.

An engine is found there as on this machine, by processes, ports and what its endpoint answers, and is named by the host
and the port it has there (`vllm@gpubox:8000`), however the way to it may change.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Protocol
from urllib.parse import urlsplit

from collectors import KINDS
from collectors.ssh import Ssh
from infertop.commands.forwarded import Forwarded
from infertop.commands.sources import as_its_kind
from infertop.engine import ssh_fault
from infertop.engine.apart import Apart
from infertop.engine.asking import speaks_tls
from infertop.engine.collector import Collector, SourceConfig, State, Unavailable
from infertop.engine.discovery import Discovery, Found, http_probe
from infertop.engine.discovery import Searched as Report
from infertop.engine.placement import Holder, Placement, gpu_processes
from infertop.engine.processes import Scan
from infertop.engine.ssh_link import Link, Place
from infertop.engine.ssh_look import Seen, own_system, parse, script
from infertop.readings.model import Batch
from infertop.readings.safe import safe
from infertop.views.shapes import Searched

_LOOK_SECONDS, _LOADING_SECONDS = 10.0, 3.0
_MOST_SAME = 5
_NOBODY = -1

Make = Callable[[SourceConfig], Collector]


class Others(Protocol):
    """All machines that are reached by ssh."""

    def before(self, machine: Machine) -> Iterable[Machine]:
        """Yield those that were named before this one."""
        ...


class Roster(Protocol):
    """What machines ask of the roster."""

    configs: dict[str, SourceConfig]
    interval: float
    finds_here: bool

    @property
    def afar(self) -> Others:
        """All such machines."""
        ...

    async def add_found(self, config: SourceConfig, pid: int | None, made: Collector | None = None) -> None:
        """Read what was found, unless it is read already."""
        ...

    def gpus_of(self, name: str) -> tuple[str, ...]:
        """Return the GPUs that a source names itself."""
        ...

    def is_here(self, name: str) -> bool:
        """Say whether a source runs on this machine."""
        ...


class Machine:
    """One machine: the collector of its GPUs, with who holds them, and the search for its engines beside it.

    A look is begun by a poll, and goes on while further polls are made.
    """

    kind = "ssh"

    def __init__(
        self, config: SourceConfig, make: Make, others: Callable[[float], Mapping[str, str]], roster: Roster
    ) -> None:
        self.config = config
        self._make = make
        self._others = others
        self._roster = roster
        patterns = [kind.server for kind in KINDS.values() if kind.server]
        self._discovery = Discovery(patterns, probe=self._probe, tls=self._tls, look=self._scanned, own_pid=_NOBODY)
        self._patterns = patterns
        self._placement = Placement(patterns, self._scanned)
        self._meter: tuple[Ssh, Apart] | None = None
        self._scan = Scan()
        self._processes: Mapping[int, tuple[str, ...]] = {}
        self._looked = (0, 0.0, frozenset[int]())
        self._looking: asyncio.Task[None] | None = None
        self._probed: set[Place] = set()
        self._engines: dict[str, Found] = {}
        self._reports: tuple[Report, ...] = ()
        self._problem = ""
        self._searched_elsewhere = ""
        self.system = ""

    @property
    def link(self) -> Link:
        """The way there."""
        if self._meter is None:
            raise Unavailable("there is no ssh connection yet", state=State.STARTING)
        return self._meter[0].link

    @property
    def engines(self) -> tuple[str, ...]:
        """The sources that were found there."""
        return tuple(self._engines)

    async def collect(self, ts: float) -> Batch:
        """Read the GPUs and who holds them; raise Unavailable where there is no connection."""
        meter, apart = self._made()
        await meter.link.open()
        self._look_if_due()
        batch = await apart.collect(ts)
        self._processes = gpu_processes(batch)
        notes = (*batch.notes, self._problem) if self._problem else batch.notes
        return await self._placement.join(replace(batch, notes=notes), tuple(self._holders()))

    async def close(self) -> None:
        """Stop looking and end the connection."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait([self._looking])
        self._discovery.close()
        self._placement.close()
        if self._meter is not None:
            await self._meter[1].close()

    async def looked(self) -> None:
        """Return once a look is over, if there is a connection to look over."""
        if self._meter is not None and await self._meter[0].link.settled():
            self._look_if_due()
        if self._looking is not None:
            await asyncio.wait([self._looking])

    @property
    def searched(self) -> Iterable[Searched]:
        """What was looked for there, and what was found."""
        for each in self._reports:
            what, where = f"{each.what} on {self.label}", each.where.replace("127.0.0.1", self.label)
            yield Searched(what, where, each.detail or ("found" if each.found else "not found"))

    @property
    def label(self) -> str:
        """The machine's name in the names of its engines."""
        return self.link.target.label if self._meter else self.config.name

    def place(self, source: str) -> Place:
        """Return where the engine of a source listens over there."""
        return _place(self._engines[source].url)

    def _made(self) -> tuple[Ssh, Apart]:
        if self._meter is None:
            made = self._make(self.config)
            if not isinstance(made, Ssh):
                raise TypeError(f"{type(made).__name__} has no connection")
            self._meter = made, Apart(made, self._others)
        return self._meter

    def _scanned(self) -> Scan:
        return self._scan

    def _look_if_due(self) -> None:
        """Begin a look where it is time, or where the connection or the GPUs' processes changed since the last."""
        now, pids = asyncio.get_running_loop().time(), frozenset(self._processes)
        generation, then, before = self._looked
        if self._looking is not None:
            if not self._looking.done():
                return
            done, self._looking = self._looking, None
            if not done.cancelled():
                done.result()  # a bug in it is this poll's
        wait = _LOADING_SECONDS if self._discovery.loading or self._problem else _LOOK_SECONDS
        if generation != self.link.generation or now - then >= wait or before != pids:
            self._looked = (self.link.generation, now, pids)
            self._looking = asyncio.create_task(self._look(pids))

    async def _look(self, pids: frozenset[int]) -> None:
        try:
            answer = await self.link.ask(script(pids, _MOST_SAME))
        except Unavailable as failure:
            self._problem = f"its engines could not be looked for: {failure.sentence}"
            return
        self._problem = ""
        if (seen := parse(answer, self.link.target.host)) is not None:
            self._take_seen(seen)
        if self._searched_elsewhere:
            return
        configured = [each.url for each in self._roster.configs.values() if self._may_be_here(each)]
        discovered = await self._discovery.look(self._processes, configured)
        self._reports = discovered.searched
        for found in discovered.found:
            await self._take(found)
        used = {_place(each.url) for each in self._engines.values()}
        unused, self._probed = self._probed - used, set()
        for host, port in unused:
            with suppress(Unavailable):
                await self.link.cancel(host, port)

    def _take_seen(self, seen: Seen) -> None:
        self._scan = seen.scan
        self.system = seen.system
        self._searched_elsewhere = self._elsewhere()
        if self._searched_elsewhere:
            self._reports = (Report("engines", "ssh", False, self._searched_elsewhere),)
        # What it knew of processes is from before.
        self._placement.close()
        self._placement = Placement(self._patterns, self._scanned)

    def _elsewhere(self) -> str:
        """Say by whom the engines of this machine are found already, empty where by nobody."""
        if not self.system:
            return ""
        if self._roster.finds_here and self.system == own_system():
            return "it is the machine that infertop runs on, where engines are found without ssh"
        twin = next((each for each in self._roster.afar.before(self) if each.system == self.system), None)
        return f"it is the machine that {safe(twin.config.name, 80)} is, where they are found already" if twin else ""

    def _may_be_here(self, config: SourceConfig) -> bool:
        """Say whether a source could be one of this machine that was named by its address."""
        return bool(config.url) and config.name not in self._engines and not self._roster.is_here(config.name)

    async def _probe(self, url: str) -> tuple[int, Mapping[str, str], bytes]:
        """Ask a URL of that machine once."""
        host, port = _place(url)
        self._probed.add((host, port))
        local = await self.link.forward(host, port)
        complaints = self.link.complaints
        try:
            return await http_probe(f"http://127.0.0.1:{local}{urlsplit(url).path}")
        except Unavailable:
            await asyncio.sleep(0)  # what ssh said of it is there, but may not have been read yet
            if ssh_fault.forwards_refused(self.link.said_since(complaints)):
                self._problem = ssh_fault.no_forwards(self.link.host)
            raise

    async def _tls(self, host: str, port: int) -> bool:
        """Say whether TLS is spoken on a port over there."""
        with suppress(Unavailable):
            return await speaks_tls("127.0.0.1", await self.link.forward(host, port))
        return False

    async def _take(self, found: Found) -> None:
        """Read an engine that was found, under the name that it has had since it was first seen."""
        name = f"{found.kind}@{self.label}:{found.name.rpartition(':')[2]}"
        known = self._engines.get(name)
        while known is not None and known.name != found.name:
            name += "'"  # the same port at another address
            known = self._engines.get(name)
        self._engines[name] = found
        if name not in self._roster.configs:
            url = f"http://{self.label}:{_place(found.url)[1]}"
            config = SourceConfig(found.kind, name, url, self._roster.interval, options=dict(found.options))
            made = as_its_kind(config, own_interval=False)
            await self._roster.add_found(made, None, Forwarded(made, self, self._make))

    def _holders(self) -> Iterable[Holder]:
        """Return who may hold GPUs there: its engines, and sources that were named by an address of it."""
        for name, each in self._engines.items():
            if name in self._roster.configs:
                named = self._roster.gpus_of(name)
                pids = (*((each.pid,) if each.pid else ()), *each.workers)
                yield Holder(name, each.kind, each.url, pids, (), named)
        for config in self._roster.configs.values():
            if self._may_be_here(config) and (config.gpus or self._scan.port_here(config.url) is not None):
                yield Holder(config.name, config.kind, config.url, (), config.gpus, ())


def _place(url: str) -> Place:
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or 80
