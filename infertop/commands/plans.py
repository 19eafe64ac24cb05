"""What is to be expected of each budget: made in a thread from the ledger, the last of each kept."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from infertop.commands.planning import Asked, Planning
from infertop.history.reader import Reader, Unreadable
from infertop.history.scopes import Scopes
from infertop.money.budget_plan import Plan

if TYPE_CHECKING:
    from infertop.commands.session import Session

_log = logging.getLogger(__name__)
EVERY_SECONDS = 60.0
_AGAIN_SECONDS = 2.0
_FIRST_SECONDS = 1.5


class Plans:
    """Makes plans once a minute, of all budgets that there are; `made` are the newest, by the budget's name.

    `making` is the task that does so, while there is one. Where time runs fast, `every_seconds` may be more of it.
    """

    def __init__(self, session: Session) -> None:
        self.made: Mapping[str, Plan] = {}
        self.making: asyncio.Task[None] | None = None
        self.first_seconds, self.every_seconds = _FIRST_SECONDS, EVERY_SECONDS
        self._session = session
        self._planning: Planning | None = None
        self._reader: Reader | None = None
        self._due: float | None = None

    def look(self, now: float) -> None:
        """Begin to make plans where they are due; those of before stand meanwhile."""
        if self.making is not None and self.making.done():
            task, self.making = self.making, None
            task.result()  # a bug is loud
        if self._due is None or self._due > now + self.every_seconds:
            self._due = now + self.first_seconds  # the first picture comes before
        if self.making is None and now >= self._due:
            self.making = asyncio.create_task(self.make(now))

    def changed(self) -> None:
        """Make all anew: what lines cost, or what belongs to a budget, is another matter now."""
        self._planning = None
        self._due = 0.0 if self._due is not None else None

    async def make(self, now: float) -> None:
        """Make the plans as of `now`."""
        session = self._session
        scopes = Scopes(session.pricing.settings, session.choosing.counts, allowances=session.summary.allowances)
        asked = Asked(scopes, session.summary, now, session.unread)
        if not asked.scopes.budgets:
            self.made, self._due = {}, now + self.every_seconds
            return
        planning = self._planning
        if planning is None or not planning.is_of(asked.scopes):
            planning = self._planning = Planning(asked.scopes)
        found = await asyncio.to_thread(self._read, planning, asked)
        if planning is self._planning and found is not None:
            self.made = found
        self._due = now + (_AGAIN_SECONDS if planning.unfinished else EVERY_SECONDS)

    async def close(self) -> None:
        """Let go of the history."""
        if self.making is not None:
            await asyncio.wait([self.making])
        if self._reader is not None:
            await asyncio.to_thread(self._reader.close)

    def _read(self, planning: Planning, asked: Asked) -> Mapping[str, Plan] | None:
        try:
            if self._reader is None:
                self._reader = Reader(self._session.store.uri)
            return self._reader.ask(planning.make, asked)
        except Unreadable as error:
            _log.warning("%s", error)
            return None
