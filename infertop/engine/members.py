"""A source that reads others: what of it is read directly is left out, and its GPUs are placed and counted once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from infertop.engine.apart import Sieve
from infertop.engine.collector import Collector
from infertop.engine.lodging import Lodging
from infertop.engine.placement import Holder, Placement
from infertop.readings.model import Batch, Member
from infertop.readings.safe import safe

_PRESENT = "gpu_info"
_SHOWN = 3


class Others(Protocol):
    """Who else is read."""

    def reads(self, member: Member) -> str:
        """Return the source that reads a member's server itself, empty where none does."""
        ...

    def read_before(self, name: str, ts: float) -> Mapping[str, str]:
        """Return the GPUs that meters which come before this one read, each with the name of its meter."""
        ...

    def holders(self) -> Sequence[Holder]:
        """Return the sources that may hold GPUs."""
        ...


class Through:
    """A collector with members. `gpus` are the UUIDs of the GPUs of each member engine for which they are told."""

    def __init__(self, collector: Collector, others: Others) -> None:
        self.kind = collector.kind
        self.config = collector.config
        self.collector = collector
        self.gpus: dict[str, tuple[str, ...]] = {}
        self._others = others
        self._lodging = Lodging()
        self._sieves: dict[str, Sieve] = {}
        self._placements: dict[str, Placement] = {}

    async def collect(self, ts: float) -> Batch:
        """Read once; raise `Unavailable` as the collector does."""
        return await self.join(await self.collector.collect(ts))

    async def join(self, batch: Batch) -> Batch:
        """Return a batch with what its members are to be told apart by."""
        if not batch.members:
            return batch
        kept, direct = [], []
        for member in batch.members:
            other = self._others.reads(member)
            if other:
                direct.append(other)
            else:
                kept.append(self._apart(member))
        self.gpus = self._lodging.gpus()
        members = tuple([await self._placed(member) for member in kept])
        return replace(batch, members=members, notes=(*batch.notes, *_left_out(direct)))

    async def close(self) -> None:
        """Close the collector."""
        for placement in self._placements.values():
            placement.close()
        await self.collector.close()

    def _apart(self, member: Member) -> Member:
        """Return a member without the GPUs that others read, having learnt what it tells of where things are."""
        if not any(each.metric == _PRESENT for batch in member.batches[:1] for each in batch.series):
            if member.batches:
                self._lodging.take_engine(member)
            return member
        sieve = self._sieves.setdefault(member.name, Sieve())
        batches = tuple(
            sieve.without(batch, self._others.read_before(member.name, batch.ts)) for batch in member.batches
        )
        self._lodging.take_gpus(member, batches[-1])
        return replace(member, batches=batches)

    async def _placed(self, member: Member) -> Member:
        if member.name not in self._sieves:
            return member
        placement = self._placements.setdefault(member.name, Placement(()))
        holders = self._others.holders()
        return replace(member, batches=tuple([await placement.join(batch, holders) for batch in member.batches]))


def _left_out(direct: Sequence[str]) -> Sequence[str]:
    if not direct:
        return ()
    names = ", ".join(safe(name, 60) for name in sorted(direct)[:_SHOWN]) + (", ..." if len(direct) > _SHOWN else "")
    return (f"{len(direct)} {'is' if len(direct) == 1 else 'are'} left out here, being read directly: {names}",)
