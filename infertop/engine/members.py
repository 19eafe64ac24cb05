"""A source that reads others: what of it is read directly is left out, and its GPUs are placed and counted once."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from infertop.engine.apart import Sieve
from infertop.engine.collector import Collector, Recalls
from infertop.engine.lodging import Lodging
from infertop.engine.placement import Holder, Placement
from infertop.readings.model import Batch, Member
from infertop.readings.safe import safe

_PRESENT = "gpu_info"
_SHOWN = 3
_GRACE_SECONDS = 15.0


class Others(Protocol):
    """Who else is read."""

    def reads(self, member: Member) -> str:
        """Return the source that reads a member's server itself, empty where none does."""
        ...

    def read_before(self, name: str, ts: float) -> Mapping[str, str]:
        """Return the GPUs that meters which come before this one read, each with the name of its meter."""
        ...

    @property
    def recorded(self) -> Callable[[str], float]:
        """What tells the time of the newest poll of a source that is recorded."""
        ...

    def holders(self) -> Sequence[Holder]:
        """Return the sources that may hold GPUs."""
        ...


class Through:
    """A collector with members. `gpus` are the UUIDs of the GPUs of each member engine for which they are told.

    What the person says stands above what labels tell.
    """

    def __init__(self, collector: Collector, others: Others) -> None:
        self.kind = collector.kind
        self.config = collector.config
        self.collector = collector
        self.gpus: dict[str, tuple[str, ...]] = {}
        self._others = others
        self._said = _said(collector.config.gpus)
        self._lodging = Lodging()
        self._sieves: dict[str, Sieve] = {}
        self._placements: dict[str, Placement] = {}

    async def collect(self, ts: float) -> Batch:
        """Read once; raise `Unavailable` as the collector does."""
        batch = await self.collector.collect(ts)
        members = tuple(_news(member, self._others.recorded(member.name), ts) for member in batch.members)
        return await self._joined(replace(batch, members=members))

    async def recall(self, since: float, until: float, step: int) -> dict[str, tuple[Batch, ...]]:
        """Return what members said at each `step` seconds of a span, by name; raise `Unavailable`.

        Nothing where the collector cannot tell.
        """
        made: object = self.collector.made if isinstance(self.collector, _Made) else self.collector
        members = await made.recall(since, until, step) if isinstance(made, Recalls) else ()
        # The past is told apart by what was where then.
        past = Through(self.collector, self._others)
        batch = await past._joined(Batch(self.config.name, until, (), (), members=members))
        return {member.name: member.batches for member in batch.members}

    async def _joined(self, batch: Batch) -> Batch:
        """Return a batch without what is read otherwise, and with who holds which GPU."""
        kept, direct = [], []
        for member in batch.members:
            other = self._others.reads(member)
            if other:
                direct.append(other)
            else:
                kept.append(self._apart(member))
        self.gpus = self._lodging.gpus() | self._said
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
        told = dict.fromkeys(self._lodging.engines, ()) | self.gpus
        holders = [replace(each, gpus=told.pop(each.source, each.gpus)) for each in self._others.holders()]
        holders += [Holder(name, gpus=gpus) for name, gpus in told.items()]
        return replace(member, batches=tuple([await placement.join(batch, holders) for batch in member.batches]))


def _said(gpus: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return what `gpus` of the [[source]] says of its targets: each is NAME=GPU."""
    found: dict[str, tuple[str, ...]] = {}
    for each in gpus:
        name, said, gpu = each.rpartition("=")
        if said:
            found[name] = (*found.get(name, ()), gpu)
    return found


@runtime_checkable
class _Made(Protocol):
    """What stands for a collector until that is made."""

    @property
    def made(self) -> Collector | None:
        """The collector, once it is there."""
        ...


def _news(member: Member, recorded: float, ts: float) -> Member:
    """Return a member without what is recorded already, and what is of minutes that are over but for its last two.

    The ledger closes a minute soon after its end: what comes of it later would be booked in another one. It is a hole,
    which is read back.
    """
    over = (ts - _GRACE_SECONDS) // 60 * 60
    kept = [batch for batch in member.batches if batch.ts > recorded]
    if len(kept) > 2 and kept[0].ts < over:
        kept = kept[min(sum(batch.ts < over for batch in kept), len(kept) - 2) :]
    return member if len(kept) == len(member.batches) else replace(member, batches=tuple(kept))


def _left_out(direct: Sequence[str]) -> Sequence[str]:
    if not direct:
        return ()
    names = ", ".join(safe(name, 60) for name in sorted(direct)[:_SHOWN]) + (", ..." if len(direct) > _SHOWN else "")
    return (f"{len(direct)} {'is' if len(direct) == 1 else 'are'} left out here, being read directly: {names}",)
