"""Looking for this machine's engines while infertop runs, and reading what is found."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from collectors import KINDS
from infertop.commands.accounts import accounts_here, searched_accounts
from infertop.commands.agents import agents_here, searched_agents
from infertop.commands.known import own_gpus
from infertop.commands.roster import Roster
from infertop.commands.sources import amd_driver, as_its_kind
from infertop.engine.collector import SourceConfig
from infertop.engine.collector import State as SourceState
from infertop.engine.discovery import Discovery, Found
from infertop.engine.discovery import Searched as Report
from infertop.engine.placement import gpu_processes
from infertop.engine.searched import searched_gpus
from infertop.engine.state import State
from infertop.views.shapes import Searched

EVERY_SECONDS = 10.0
# While an engine loads, it is asked more often: it is there within seconds, and whoever started it waits for it.
LOADING_SECONDS = 2.0
_STEP_SECONDS = 0.5


class Finding:
    """The search for engines; what it finds becomes a source, what goes away stays one, with its totals."""

    def __init__(self, roster: Roster, state: State) -> None:
        self._engines: tuple[Report, ...] | None = None
        self._roster = roster
        self._state = state
        self._discovery = Discovery([kind.server for kind in KINDS.values() if kind.server], environ=os.environ)
        self._looked_at: frozenset[int] = frozenset()
        self._keep: Callable[[Iterable[Found]], None] | None = None
        self._kept: tuple[Found, ...] = ()

    def recall(self, engines: Iterable[Found], keep: Callable[[Iterable[Found]], None]) -> None:
        """Know these engines of earlier runs again; `keep` is told of all that are known whenever that changes."""
        self._discovery.remember(engines)
        self._keep, self._kept = keep, self._discovery.named

    async def run(self) -> None:
        """Look now and every ten seconds, for ever; at once where other processes are on the GPUs."""
        while True:
            await self.look()
            seconds = LOADING_SECONDS if self._discovery.loading else EVERY_SECONDS
            for _ in range(round(seconds / _STEP_SECONDS)):
                await asyncio.sleep(_STEP_SECONDS)
                if self._on_gpus().keys() != self._looked_at:
                    break

    async def look(self) -> None:
        """Look once, and read what is new."""
        roster = self._roster
        kinds = {each.kind for each in roster.configs.values()}
        agents = await asyncio.to_thread(agents_here, os.environ, kinds)
        for own in (*agents, *accounts_here(os.environ, kinds)):
            await roster.add_found(own, None)
        processes = self._on_gpus()
        self._looked_at = frozenset(processes)
        configured = [each.url for name, each in roster.configs.items() if each.url and name not in roster.pids]
        found = await self._discovery.look(processes, configured)
        for each in found.found:
            await self._take(each)
        self._engines = found.searched
        if self._keep is not None and self._kept != (named := self._discovery.named):
            self._kept = named
            self._keep(named)

    @property
    def searched(self) -> tuple[Searched, ...]:
        """What was looked for, with what is known of it by now; nothing before the first look is over."""
        if self._engines is None:
            return ()
        reports = (*self._gpus(), *self._engines)
        shown = (Searched(each.what, each.where, each.detail or _found(each)) for each in reports)
        agents = searched_agents(os.environ, {each.kind for each in self._roster.configs.values()})
        return (*shown, agents, searched_accounts(os.environ))

    def _gpus(self) -> Iterator[Report]:
        """Say which GPUs were found, by whom, and what is in the way of the others."""
        of = {each.source: each for each in own_gpus(self._state)}
        for kind, library in (("nvml", "NVML"), ("amd", "amdsmi")):
            health = next((each for each in self._state.healths() if each.kind == kind), None)
            if health is not None:
                problem = "" if health.state is SourceState.UP else health.detail
                yield searched_gpus(of.get(health.source), problem, library)
            else:
                yield Report("GPUs", library, False, _no_amd() if kind == "amd" else "")

    def _on_gpus(self) -> Mapping[int, tuple[str, ...]]:
        """Return the GPUs of each process that is on one."""
        return gpu_processes(*own_gpus(self._state))

    def close(self) -> None:
        """Let go of the thread that lists processes."""
        self._discovery.close()

    async def _take(self, found: Found) -> None:
        """Read what was found; what is configured under this name, or at this place, by now is not touched."""
        roster = self._roster
        known = roster.configs.get(found.name)
        made = SourceConfig(found.kind, found.name, found.url, roster.interval, options=dict(found.options))
        if known is None:
            await roster.add_found(as_its_kind(made, own_interval=False), found.pid)
        elif found.name in roster.pids:
            await roster.move_found(found.name, found.url, found.pid, made.options)
        if found.workers and found.name in roster.pids:
            roster.pids[found.name] = (*roster.pids[found.name], *found.workers)


def _no_amd() -> str:
    if not amd_driver():
        return "no AMD driver (/dev/kfd) on this machine"
    return 'AMD\'s driver is loaded, but amdsmi is not installed: pip install "infertop[amd]"'


def _found(report: Report) -> str:
    return "found" if report.found else "not found"
