"""Runs for the screen: added up in a thread from the history, the last of each span kept."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from infertop.history.reader import Reader, Unreadable
from infertop.money.rates import PriceBook
from infertop.views.run_shapes import RunsPage

if TYPE_CHECKING:
    from infertop.commands.session import Session

_log = logging.getLogger(__name__)
_LEAST_SECONDS = 10.0
# A week of a busy machine takes a second to add up: it is done again when that much of it is new.
_SHARE_OF_SPAN = 5000.0


class Recounting:
    """Makes one page at a time, where the one of before is old; `making` is the task that does so."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._pages: dict[float, RunsPage] = {}
        self._reader: Reader | None = None
        self.making: asyncio.Task[None] | None = None

    def page(self, seconds: float) -> RunsPage | None:
        """Return the page of the last `seconds` as it was last made, None before the first; begin a newer one."""
        if self.making is not None and self.making.done():
            task, self.making = self.making, None
            task.result()  # a bug is loud
        made = self._pages.get(seconds)
        if self.making is None and (made is None or self._old(seconds, made)):
            self.making = asyncio.create_task(self._make(seconds))
        return made

    async def close(self) -> None:
        """Let go of the history."""
        if self.making is not None:
            self.making.cancel()
        if self._reader is not None:
            await asyncio.to_thread(self._reader.close)

    def _old(self, seconds: float, page: RunsPage) -> bool:
        return self._session.clock.now() - page.at >= max(_LEAST_SECONDS, seconds / _SHARE_OF_SPAN)

    async def _make(self, seconds: float) -> None:
        prices, now = self._session.pricing.prices, self._session.clock.now()
        self._pages[seconds] = await asyncio.to_thread(self._read, prices, now, now - seconds)

    def _read(self, prices: PriceBook, now: float, since: float) -> RunsPage:
        from infertop.views.runs import runs_page  # loaded here, in the thread: the screen goes on

        try:
            if self._reader is None:
                self._reader = Reader(self._session.store.uri)
            return self._reader.ask(runs_page, prices, now, since, now, self._session.counts)
        except Unreadable as error:
            _log.warning("%s", error)
            return RunsPage(now, since, now, notices=(str(error),))
