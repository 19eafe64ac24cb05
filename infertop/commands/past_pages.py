"""Pages that are made of the history in a thread, one at a time, for a screen that never waits for the disk."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from infertop.history.reader import Reader

if TYPE_CHECKING:
    from infertop.commands.session import Session


class PastPages:
    """What such pages have in common. `making` is the task that makes one, while there is one."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reader: Reader | None = None
        self.making: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Let go of the history."""
        if self.making is not None:
            self.making.cancel()
        if self._reader is not None:
            await asyncio.to_thread(self._reader.close)

    def _is_idle(self) -> bool:
        """Say whether nothing is being made. A bug in what was made is raised here."""
        if self.making is not None and self.making.done():
            task, self.making = self.making, None
            task.result()
        return self.making is None

    def _history(self) -> Reader:
        """Return the history, opened once; raise Unreadable where there is none. It reads the disk."""
        if self._reader is None:
            self._reader = Reader(self._session.store.uri)
        return self._reader
