"""What a scope cost over time, for the screen: the ledger is read in a thread, and the last few courses are kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from infertop.history.reader import Reader, Unreadable
from infertop.history.scopes import Scopes
from infertop.views.event_shapes import Course

if TYPE_CHECKING:
    from infertop.commands.session import Session

_log = logging.getLogger(__name__)
_KEPT = 16
_OLD_SECONDS = 60.0
Asked = tuple[tuple[tuple[str, str], ...], float, float, int]


class Coursing:
    """Gives the courses that were read already, and reads the one that was asked for last where it is not there.

    What was read a minute ago is read again, for it goes on. `making` is the task that does so.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._reader: Reader | None = None
        self._made: dict[Asked, tuple[Course, float]] = {}
        self.making: asyncio.Task[None] | None = None

    def page(self, scope: Mapping[str, str], since: float, width: float, count: int) -> Course | None:
        """Return the course of `count` bins of `width` seconds from `since` on as it was last read, None before."""
        if self.making is not None and self.making.done():
            task, self.making = self.making, None
            task.result()  # a bug is loud
        asked: Asked = (tuple(sorted(scope.items())), since, width, count)
        made = self._made.get(asked)
        if self.making is None and (made is None or self._session.clock.now() - made[1] >= _OLD_SECONDS):
            self.making = asyncio.create_task(self._make(asked))
        return made[0] if made else None

    async def close(self) -> None:
        """Give up what is being read, and let go of the history."""
        if self.making is not None:
            self.making.cancel()
            await asyncio.gather(self.making, return_exceptions=True)
        if self._reader is not None:
            await asyncio.to_thread(self._reader.close)

    async def _make(self, asked: Asked) -> None:
        session = self._session
        scopes = Scopes(session.pricing.settings, session.counts, session.choosing.choices.spans)
        read = await asyncio.to_thread(self._read, asked, scopes)
        kept = list({**self._made, asked: (read, session.clock.now())}.items())
        self._made = dict(kept[-_KEPT:])

    def _read(self, asked: Asked, scopes: Scopes) -> Course:
        from infertop.history.course import course  # in the thread: the screen goes on

        scope, since, width, count = asked
        try:
            if self._reader is None:
                self._reader = Reader(self._session.store.uri)
            usd = self._reader.ask(course, scope, since, width, count, scopes)
        except Unreadable as error:
            _log.warning("%s", error)
            usd = ()
        return Course(since, width, usd)
