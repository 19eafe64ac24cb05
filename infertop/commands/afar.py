"""All machines that are reached by ssh, for those who ask about all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from infertop.commands.far_machine import Machine, Make, Roster
from infertop.engine.collector import SourceConfig
from infertop.views.shapes import Searched


class Afar:
    """All machines that are reached by ssh, by the names of their sources."""

    def __init__(self, roster: Roster, make: Make) -> None:
        self._roster = roster
        self._make = make
        self._machines: dict[str, Machine] = {}

    def machine(self, config: SourceConfig, others: Callable[[float], Mapping[str, str]]) -> Machine:
        """Return the collector of a machine."""
        made = self._machines[config.name] = Machine(config, self._make, others, self._roster)
        return made

    def forget(self, name: str) -> tuple[str, ...]:
        """Let go of a machine that is no longer read, and return the sources that go with it."""
        machine = self._machines.pop(name, None)
        return machine.engines if machine is not None else ()

    def before(self, machine: Machine) -> Iterable[Machine]:
        """Yield the machines that were named before this one."""
        for each in self._machines.values():
            if each is machine:
                return
            yield each

    @property
    def names(self) -> frozenset[str]:
        """The sources that are such machines."""
        return frozenset(self._machines)

    async def looked(self) -> None:
        """Return once every machine that can be reached was looked at."""
        await asyncio.gather(*(each.looked() for each in self._machines.values()))

    @property
    def searched(self) -> tuple[Searched, ...]:
        """What was looked for on all of them."""
        return tuple(said for each in self._machines.values() for said in each.searched)
