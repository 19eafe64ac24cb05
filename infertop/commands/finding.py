"""Looking for this machine's engines while infertop runs, and reading what is found."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from collectors import KINDS
from infertop.engine.collector import SourceConfig, State
from infertop.engine.discovery import Discovered, Discovery, Found
from infertop.engine.discovery import Searched as Report
from infertop.engine.placement import gpu_processes
from infertop.engine.searched import searched_gpus, searched_keys
from infertop.views.shapes import Searched

if TYPE_CHECKING:
    from infertop.commands.session import Session

EVERY_SECONDS = 10.0


class Finding:
    """The search for engines; what it finds becomes a source, what goes away stays one, with its totals.

    `pids` are the server processes of what was found, `searched` says what was looked for.
    """

    def __init__(self, session: Session) -> None:
        self.pids: dict[str, tuple[int, ...]] = {}
        self.searched: tuple[Searched, ...] = ()
        self._session = session
        self._discovery = Discovery([kind.server for kind in KINDS.values() if kind.server])

    async def run(self) -> None:
        """Look now and every ten seconds, for ever."""
        while True:
            await self.look()
            await asyncio.sleep(EVERY_SECONDS)

    async def look(self) -> None:
        """Look once, and read what is new."""
        session = self._session
        batch = session.gpu_batch()
        processes: Mapping[int, tuple[str, ...]] = gpu_processes(batch) if batch else {}
        configured = [each.url for name, each in session.configs.items() if each.url and name not in self.pids]
        found = await self._discovery.look(processes, configured)
        for each in found.found:
            await self._take(each)
        self._report(found)

    def close(self) -> None:
        """Let go of the thread that lists processes."""
        self._discovery.close()

    async def _take(self, found: Found) -> None:
        session = self._session
        known = session.configs.get(found.name)
        self.pids[found.name] = (found.pid,) if found.pid else ()
        if known is not None and known.url != found.url:
            # The same engine on another port goes on as the same source.
            await session.move(found.name, found.url)
        elif known is None:
            interval = session.setup.interval or 1.0
            session.add(SourceConfig(found.kind, found.name, found.url, interval))
        session.sources_changed()

    def _report(self, found: Discovered) -> None:
        session = self._session
        gpus = next((each for each in session.state.healths() if each.kind == "nvml"), None)
        problem = gpus.detail if gpus and gpus.state is not State.UP else ""
        reports: list[Report] = [
            searched_gpus(session.gpu_batch(), problem),
            *found.searched,
            *searched_keys(os.environ),
        ]
        self.searched = tuple(
            Searched(each.what, each.where, each.detail or ("found" if each.found else "not found")) for each in reports
        )
