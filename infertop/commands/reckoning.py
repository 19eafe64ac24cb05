"""The page of providers for the screen: the history is read in a thread, and divided as the person wants it here."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from infertop.commands.past_pages import PastPages
from infertop.history.reader import Unreadable
from infertop.history.scopes import Scopes
from infertop.views.account_shapes import AccountsPage, Within
from infertop.views.facts import Facts

if TYPE_CHECKING:
    from infertop.commands.session import Session
    from infertop.views.account_books import AccountBooks, BookReading

_log = logging.getLogger(__name__)
_LEAST_SECONDS = 3.0
_SECONDS = 30.0
_MANY = 3000
# Reading takes no more than this share of the time.
_SHARE = 0.2


class Reckoning(PastPages):
    """Reads one time after the other, where what was read is old."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._books: AccountBooks | None = None
        self._due = 0.0
        self._reading: BookReading | None = None
        self._page: tuple[object, AccountsPage] | None = None

    def page(self, facts: Facts, by: str, within: Within) -> AccountsPage | None:
        """Return the page of what was read last, None before the first time; begin to read where that is old."""
        if self._is_idle() and (self._books is None or self._old(facts, self._books)):
            self.making = asyncio.create_task(self._make(facts))
        return self._shown(facts, by, within)

    def _old(self, facts: Facts, books: AccountBooks) -> bool:
        """Say whether to read again: providers told more, and the last reading was not a moment ago."""
        told = {source: window.until for source, window in facts.api.windows.items()}
        news = told != {source: window.until for source, window in books.windows.items()}
        return facts.now >= self._due and (news or facts.now - books.at >= _SECONDS)

    def _shown(self, facts: Facts, by: str, within: Within) -> AccountsPage | None:
        if self._books is None:
            return None
        from infertop.views.accounts import accounts_page

        # Dividing among very many takes as long as a key may wait: then it is done a few times a minute.
        many = len(self._books.used) > _MANY
        asked = (facts.now // _SECONDS if many else facts.now, id(self._books), by, within)
        if self._page is None or self._page[0] != asked:
            self._page = asked, accounts_page(facts, self._books, by, within)
        return self._page[1]

    async def _make(self, facts: Facts) -> None:
        clock, settings = self._session.clock, self._session.pricing.settings
        scopes = Scopes(settings, self._session.counts, self._session.choosing.choices.spans)
        began = clock.now()
        self._books = await asyncio.to_thread(self._read, facts, scopes)
        took = clock.now() - began
        self._due = clock.now() + max(_LEAST_SECONDS, took / _SHARE)

    def _read(self, facts: Facts, scopes: Scopes) -> AccountBooks:
        from infertop.views.account_books import DAY, AccountBooks, BookReading  # in the thread: the screen goes on

        try:
            self._reading = self._reading or BookReading()
            ahead = 0.0 if facts.mode == "replay" else DAY
            return self._history().ask(self._reading.read, facts.api.windows, scopes, facts.now, ahead)
        except Unreadable as error:
            _log.warning("%s", error)
            return self._books or AccountBooks(facts.now, facts.now)
