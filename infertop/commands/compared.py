"""Comparisons of two windows for the screen: one at a time is made, and the last few are kept."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from infertop.views.event_shapes import Comparison

if TYPE_CHECKING:
    from infertop.commands.session import Session
    from infertop.commands.why import Comparing

_KEPT = 32
_OLD_SECONDS = 60.0
Window = tuple[float, float]
Asked = tuple[tuple[tuple[str, str], ...], Window, Window]


class Compared:
    """Gives what was compared already, and begins with what was asked for last where it was not.

    What was compared a minute ago is compared again: providers tell late. `making` is the task that does so.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._comparing: Comparing = import_module("infertop.commands.why").Comparing(session)
        self._made: dict[Asked, tuple[Comparison, float]] = {}
        self._asked: Asked | None = None
        self.making: asyncio.Task[Comparison] | None = None

    def page(self, scope: Mapping[str, str], before: Window, after: Window) -> Comparison | None:
        """Return the comparison of these windows as it was last made, None before the first."""
        if self.making is not None and self.making.done():
            self._take(self.making)
        asked: Asked = (tuple(sorted(scope.items())), before, after)
        made = self._made.get(asked)
        if self.making is None and (made is None or self._session.clock.now() - made[1] >= _OLD_SECONDS):
            self._asked = asked
            self.making = self._comparing.compare(*asked)
        return made[0] if made else None

    def _take(self, task: asyncio.Task[Comparison]) -> None:
        self.making = None
        made = task.result()  # a bug is loud
        if self._asked is not None:
            kept = list({**self._made, self._asked: (made, self._session.clock.now())}.items())
            self._made = dict(kept[-_KEPT:])

    async def close(self) -> None:
        """Give up what is being made, and let go of the history."""
        await self._comparing.close()
