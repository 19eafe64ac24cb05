"""A recorder that keeps what is to be told, and who tells of it: webhooks that answer as they like."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

from infertop.commands.telling import Telling
from infertop.history.open import open_store
from infertop.history.outbox import Entry
from infertop.history.recorder import Recorder
from infertop.history.summary import Summary
from infertop.money.settings import Alert, Settings
from tests.alerts.events import KEY, TS, event
from tests.alerts.hooks import Hook
from tests.history.world import deriver

PATH = "/services/canary-0123456789-abcdef"


class World:
    """A recorder and who tells of its events; time stands still until a test moves it."""

    def __init__(self, path: Path, alert: Alert) -> None:
        self.path = path
        self.alert = alert
        self.now = TS
        self.said = Settings()
        self.begin()

    def begin(self) -> None:
        self.recorder = Recorder(open_store(self.path, self.now), deriver(), lambda: self.now)
        self.recorder.start()
        self.telling = Telling(self.recorder, self.alert, random=Random(1))
        assert self.recorder.flush()

    def tell(self, key: str = KEY, **more: Any) -> None:
        """Let an event happen."""
        self.happen(key, event(ts=self.now, **more))

    def happen(self, key: str, content: dict[str, Any]) -> None:
        found = self.telling.letters(key, content, Summary(), self.said, self.now)
        self.recorder.put_event(key, self.now, content, found)

    async def tick(self, seconds: float = 0.0) -> None:
        """Let time pass and everything be sent that is due."""
        self.now += seconds
        for _ in range(20):
            assert await asyncio.to_thread(self.recorder.flush)
            self.telling.tick(self.alert, self.now)
            running = [each for each in self.telling._tasks.values() if not each.done()]
            if not running:
                return
            await asyncio.wait(running, timeout=10)

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.recorder.outbox or ()

    @property
    def states(self) -> list[str]:
        return [each.state for each in self.entries]

    async def end(self) -> None:
        await self.telling.close(self.now)
        await asyncio.to_thread(self.recorder.close)


Begin = Callable[[Alert], World]


def to(hook: Hook, **more: Any) -> Alert:
    return Alert(webhook=hook.url + PATH, **more)
