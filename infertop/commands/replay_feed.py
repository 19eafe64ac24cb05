"""The screen's feed over a recording."""

from __future__ import annotations

import asyncio
import gc
from importlib import import_module
from typing import TYPE_CHECKING, Any

from infertop.commands.live import LiveFeed
from infertop.views.shapes import Overview

if TYPE_CHECKING:
    from infertop.commands.replay_session import Played, ReplaySession
    from infertop.commands.setup import Setup

_TICK_SECONDS = 0.1


class ReplayFeed(LiveFeed):
    """Gives the screen the views of a replay. Nothing is polled, told or written."""

    def __init__(self, setup: Setup, played: Played) -> None:
        super().__init__(setup)
        self._played = played
        self._replay: ReplaySession | None = None

    def set_interval(self, seconds: float) -> None:
        """Do nothing: a recording was polled when it was."""

    def steer(self, what: str, step: float) -> str:
        """Hold time, change its speed or go to another one, see `ReplaySession.steer`."""
        if self._replay is None:
            return ""
        said = self._replay.steer(what, step)
        self._facts = None
        return said

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
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks = []
        await super().stop()

    async def _tick(self, session: Any) -> None:
        while True:
            await session.tick()
            await asyncio.sleep(_TICK_SECONDS)

    def _nothing_yet(self) -> Overview:
        from dataclasses import replace

        return replace(super()._nothing_yet(), mode="replay", at=self._played.at, host=self._played.path.name)
