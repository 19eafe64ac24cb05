"""The screen's feed over a recording."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from infertop.commands.live import LiveFeed
from infertop.views.shapes import Overview

if TYPE_CHECKING:
    from infertop.commands.replay_session import Played, ReplaySession
    from infertop.commands.setup import Setup
    from infertop.views.account_shapes import AccountsPage, Within
    from infertop.views.run_shapes import RunsPage
    from infertop.views.whatif_shapes import WhatIfPage

_TICK_SECONDS = 0.1
_PAGE_SECONDS = 3.0

T = TypeVar("T")


class ReplayFeed(LiveFeed):
    """Gives the screen the views of a replay. Nothing is polled, told or written."""

    def __init__(self, setup: Setup, played: Played) -> None:
        super().__init__(setup)
        self._played = played
        self._replay: ReplaySession | None = None
        self._pages: dict[object, tuple[tuple[object, ...], float, Any]] = {}
        self._closing: list[asyncio.Task[None]] = []

    def set_interval(self, seconds: float) -> None:
        """Do nothing: a recording was polled when it was."""

    def steer(self, what: str, step: float) -> str:
        """Hold time, change its speed or go to another one, see `ReplaySession.steer`."""
        if self._replay is None:
            return ""
        said = self._replay.steer(what, step)
        self._facts = None
        if what == "go":
            self._forget_pages()
        return said

    def whatif(self, seconds: float, every: bool) -> WhatIfPage | None:
        """Return the what-if page; at a thousand times the speed it would be old at every look."""
        return self._seldom(("whatif", seconds, every), lambda: super(ReplayFeed, self).whatif(seconds, every))

    def runs(self, seconds: float) -> RunsPage | None:
        """Return the runs, looked at from time to time."""
        return self._seldom(("runs", seconds), lambda: super(ReplayFeed, self).runs(seconds))

    def accounts(self, by: str, within: Within) -> AccountsPage | None:
        """Return the page of providers, looked at from time to time."""
        return self._seldom(("accounts", by, within), lambda: super(ReplayFeed, self).accounts(by, within))

    def _seldom(self, asked: tuple[object, ...], make: Callable[[], T | None]) -> T | None:
        """Return what was made last, unless that was seconds ago by the clock on the wall."""
        made = self._pages.get(asked[0])
        if made is not None and made[0] == asked and time.monotonic() - made[1] < _PAGE_SECONDS:
            found: T | None = made[2]
            return found
        found = make()
        if found is not None:
            self._pages[asked[0]] = asked, time.monotonic(), found
        return found

    def _forget_pages(self) -> None:
        """Let pages be made anew: those of another time are not old, they are wrong."""
        self._pages.clear()
        makers = (self._wondering, self._recounting, self._reckoning, self._compared, self._coursing)
        self._closing += [asyncio.create_task(each.close()) for each in makers if each is not None]
        self._wondering = self._recounting = self._reckoning = self._compared = self._crowd = None
        self._coursing = None

    async def start(self) -> None:
        """Load the libraries in a thread, and begin to play."""
        (await asyncio.to_thread(import_module, "infertop.commands.log_file")).keep_log()
        session = await self.open()
        gc.freeze()
        gc.enable()
        self._tasks.append(asyncio.create_task(self._tick(session)))
        await asyncio.gather(*self._tasks)

    async def open(self) -> ReplaySession:
        """Open the recording and begin to read."""
        module = await asyncio.to_thread(import_module, "infertop.commands.replay_session")
        session: ReplaySession = await module.ReplaySession.play(self._setup, self._played)
        session.window = self._window
        self._session = self._replay = session
        self._tasks = [asyncio.create_task(session.run())]
        return session

    async def stop(self) -> None:
        """Let go of the history."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._closing, return_exceptions=True)
        self._tasks = []
        await super().stop()

    async def _tick(self, session: Any) -> None:
        while True:
            await session.tick()
            await asyncio.sleep(_TICK_SECONDS)

    def _nothing_yet(self) -> Overview:
        from dataclasses import replace

        return replace(super()._nothing_yet(), mode="replay", at=self._played.at, host=self._played.path.name)
