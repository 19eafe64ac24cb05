"""Runs for the screen: added up in a thread from the history, the last of each span kept."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from infertop.commands.past_pages import PastPages
from infertop.history.reader import Unreadable
from infertop.money.rates import PriceBook
from infertop.views.run_shapes import RunsPage

if TYPE_CHECKING:
    from infertop.commands.session import Session

_log = logging.getLogger(__name__)
_LEAST_SECONDS = 10.0
# A week of a busy machine takes a second to add up: it is done again when that much of it is new.
_SHARE_OF_SPAN = 5000.0


class Recounting(PastPages):
    """Makes one page at a time, where the one of before is old."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._pages: dict[float, RunsPage] = {}

    def page(self, seconds: float) -> RunsPage | None:
        """Return the page of the last `seconds` as it was last made, None before the first; begin a newer one."""
        made = self._pages.get(seconds)
        if self._is_idle() and (made is None or self._old(seconds, made)):
            self.making = asyncio.create_task(self._make(seconds))
        return made

    def _old(self, seconds: float, page: RunsPage) -> bool:
        return self._session.clock.now() - page.at >= max(_LEAST_SECONDS, seconds / _SHARE_OF_SPAN)

    async def _make(self, seconds: float) -> None:
        prices, now = self._session.pricing.prices, self._session.clock.now()
        self._pages[seconds] = await asyncio.to_thread(self._read, prices, now, now - seconds)

    def _read(self, prices: PriceBook, now: float, since: float) -> RunsPage:
        from infertop.views.runs import runs_page  # loaded here, in the thread: the screen goes on

        try:
            return self._history().ask(runs_page, prices, now, since, now, self._session.counts)
        except Unreadable as error:
            _log.warning("%s", error)
            return RunsPage(now, since, now, notices=(str(error),))
