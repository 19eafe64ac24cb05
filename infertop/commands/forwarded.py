"""An engine on another machine, read through a forwarded port of this one, as if it were read over there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from infertop.engine import ssh_fault
from infertop.engine.collector import Collector, SourceConfig, Unavailable
from infertop.engine.ssh_link import Link, Place
from infertop.readings.model import Batch

# What kinds look for beside their own port, and how far from it.
_BESIDE = {"triton": -2}


class Machine(Protocol):
    """The machine that an engine runs on."""

    @property
    def link(self) -> Link:
        """The way there."""
        ...

    def place(self, source: str) -> Place:
        """Return where the engine of a source listens over there; raise Unavailable where that is not known."""
        ...


class Forwarded:
    """Reads an engine with its kind's own collector. `config` names it as it is known; the ways there may change."""

    def __init__(self, config: SourceConfig, machine: Machine, make: Callable[[SourceConfig], Collector]) -> None:
        self.kind = config.kind
        self.config = config
        self._machine = machine
        self._make = make
        self._made: tuple[SourceConfig, Collector] | None = None

    async def collect(self, ts: float) -> Batch:
        """Read as the collector does; raise Unavailable, in which ports of this machine are not spoken of."""
        link = self._machine.link
        host, port = self._machine.place(self.config.name)
        off = _BESIDE.get(self.kind, 0)
        local = await (link.forward_two(host, port, off) if off and port + off > 0 else link.forward(host, port))
        made = await self._collector(replace(self.config, url=f"http://127.0.0.1:{local}"))
        here, there = f"127.0.0.1:{local}", f"{link.target.label}:{port}"
        complaints = link.complaints
        try:
            batch = await made.collect(ts)
        except Unavailable as failure:
            sentence = failure.sentence.replace(here, there)
            await asyncio.sleep(0)  # what ssh said of it is there, but may not have been read yet
            said = link.said_since(complaints)
            if ssh_fault.forwards_refused(said):
                sentence = ssh_fault.no_forwards(link.host)
            elif ssh_fault.port_refused(said):
                sentence = f"connection refused at {there}: is it running?"
            raise Unavailable(sentence, state=failure.state, retry_seconds=failure.retry_seconds) from None
        return replace(batch, notes=tuple(note.replace(here, there) for note in batch.notes))

    async def close(self) -> None:
        """Close the collector; the way there is the machine's."""
        if self._made is not None:
            await self._made[1].close()

    async def _collector(self, config: SourceConfig) -> Collector:
        if self._made is None or self._made[0] != config:
            await self.close()
            self._made = config, self._make(config)
        return self._made[1]
