"""What-if pages for the screen: made in a thread from the history, the last of each span kept."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from infertop.commands.past_pages import PastPages
from infertop.history.reader import Unreadable
from infertop.history.scopes import Scopes
from infertop.money.rates import PriceBook
from infertop.views.whatif_shapes import WhatIfPage

if TYPE_CHECKING:
    from infertop.commands.session import Session

_log = logging.getLogger(__name__)
_LEAST_SECONDS = 30.0
_SHARE_OF_SPAN = 720.0


class Wondering(PastPages):
    """Makes one page at a time: of what was asked for last, where the one of before is old or its prices changed.

    A page of all models takes many times as long to make as one of the well-known ones, and as much more memory: only
    the last one is kept.
    """

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._pages: dict[tuple[float, bool], tuple[WhatIfPage, PriceBook]] = {}

    def page(self, seconds: float, every: bool = False) -> WhatIfPage | None:
        """Return the page of the last `seconds` as it was last made, None before the first; begin a newer one.

        With `every` it is that of all models that have a price.
        """
        made = self._pages.get((seconds, every))
        if self._is_idle() and (made is None or self._old(seconds, *made)):
            self.making = asyncio.create_task(self._make(seconds, every))
        return made[0] if made else None

    def _old(self, seconds: float, page: WhatIfPage, prices: PriceBook) -> bool:
        age = self._session.clock.now() - page.at
        return prices is not self._session.pricing.prices or age >= max(_LEAST_SECONDS, seconds / _SHARE_OF_SPAN)

    async def _make(self, seconds: float, every: bool) -> None:
        prices, now = self._session.pricing.prices, self._session.clock.now()
        page = await asyncio.to_thread(self._read, prices, now, now // 60 * 60 - seconds, every)
        self._pages = {asked: made for asked, made in self._pages.items() if not (every and asked[1])}
        self._pages[seconds, every] = page, prices

    def _read(self, prices: PriceBook, now: float, since: float, every: bool) -> WhatIfPage:
        from infertop.views.whatif import Asked, whatif_page  # loaded here, in the thread: the screen goes on

        scopes = Scopes(prices.settings, self._session.counts, self._session.choosing.choices.spans)
        try:
            return self._history().ask(whatif_page, prices, now, since, now, Asked(every=every), scopes)
        except Unreadable as error:
            _log.warning("%s", error)
            return WhatIfPage(now, since, now, (), (str(error),))
