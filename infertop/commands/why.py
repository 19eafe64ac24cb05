"""Comparing two windows, for incidents and for the screen: the ledger is read in a thread, one pair after another."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from infertop.history.reader import Reader, Unreadable
from infertop.history.scopes import Scopes
from infertop.money.baseline import Scope
from infertop.views.event_shapes import Comparison

if TYPE_CHECKING:
    from infertop.commands.session import Session

Span = tuple[float, float]

_log = logging.getLogger(__name__)


class Comparing:
    """Makes comparisons in the order in which they are asked for, each on a state of the ledger of its own."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._turn = asyncio.Lock()
        self._reader: Reader | None = None
        self._tasks: set[asyncio.Task[Comparison]] = set()

    def compare(self, scope: Scope, before: Span, after: Span, since: str = "") -> asyncio.Task[Comparison]:
        """Begin to compare what `scope` used in two windows (epoch seconds); `since` is the time the sentence tells.

        The task never fails for a history that cannot be read: the comparison's flag says so.
        """
        task = asyncio.create_task(self._compare(tuple(sorted(scope)), before, after, since))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """Give up what is being made, and let go of the history."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._reader is not None:
            await asyncio.to_thread(self._reader.close)

    async def _compare(self, scope: Scope, before: Span, after: Span, since: str) -> Comparison:
        async with self._turn:
            settings = self._session.pricing.settings
            scopes = Scopes(settings, self._session.counts, self._session.choosing.choices.spans)
            return await asyncio.to_thread(self._read, scope, before, after, since, scopes)

    def _read(self, scope: Scope, before: Span, after: Span, since: str, scopes: Scopes) -> Comparison:
        from infertop.history.used_between import used_of_two  # in the thread: the screen goes on
        from infertop.views.why import comparison, unknown

        try:
            if self._reader is None:
                self._reader = Reader(self._session.store.uri)
            used = self._reader.ask(used_of_two, scope, before, after, scopes)
        except Unreadable as error:
            _log.warning("%s", error)
            return unknown(scope, before, after, str(error))
        return comparison(scope, before, after, *used, since)
