"""Comparing two windows, for incidents and for the screen: the ledger is read in a thread, one pair after another."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from infertop.history.reader import Reader, Unreadable
from infertop.history.scopes import Scopes
from infertop.money.baseline import Scope
from infertop.money.detect.scopes import IDLE
from infertop.views.event_shapes import Comparison

if TYPE_CHECKING:
    from infertop.commands.session import Session
    from infertop.money.why.usage import Usage

Span = tuple[float, float]
Windows = tuple[Span, Span]
Used = Callable[[Sequence[Span]], "Sequence[Usage]"]
Make = Callable[[Used], Comparison]

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
        wanted = tuple(sorted(scope))

        def make(used: Used) -> Comparison:
            from infertop.views.why import comparison

            one, other = used((before, after))
            return comparison(wanted, before, after, one, other, since)

        return self._begin(wanted, (before, after), make)

    def fault(
        self, metric: str, scope: Scope, since: float, until: float, beyond_usd: float | None = None
    ) -> asyncio.Task[Comparison]:
        """Begin to explain why a figure of `scope` has an incident since `since`, as of `until` (epoch seconds).

        The sentence names what is unusual among the same hours of the last days and the hours before; of idle time
        whose GPUs those are, and of latencies what was asked. `beyond_usd` is how much an hour is beyond the expected.
        """
        wanted = () if metric == IDLE else tuple(sorted(scope))
        zone = self._session.pricing.settings.zone

        def make(used: Used) -> Comparison:
            from infertop.views.why_incident import fault_comparison

            return fault_comparison(metric, wanted, since, until, used, zone, beyond_usd)

        return self._begin(wanted, ((since, since), (since, until)), make)

    async def close(self) -> None:
        """Give up what is being made, and let go of the history."""
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._reader is not None:
            await asyncio.to_thread(self._reader.close)

    def _begin(self, scope: Scope, windows: Windows, make: Make) -> asyncio.Task[Comparison]:
        task = asyncio.create_task(self._make(scope, windows, make))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _make(self, scope: Scope, windows: Windows, make: Make) -> Comparison:
        async with self._turn:
            settings = self._session.pricing.settings
            scopes = Scopes(settings, self._session.counts, self._session.choosing.choices.spans)
            return await asyncio.to_thread(self._in_thread, scope, scopes, windows, make)

    def _in_thread(self, scope: Scope, scopes: Scopes, windows: Windows, make: Make) -> Comparison:
        from infertop.history.used_between import used_between  # in the thread: the screen goes on
        from infertop.views.why import unknown

        try:
            if self._reader is None:
                self._reader = Reader(self._session.store.uri)
            reader = self._reader
            return make(lambda spans: reader.ask(used_between, scope, spans, scopes))
        except Unreadable as error:
            _log.warning("%s", error)
            return unknown(scope, *windows, str(error))
        except Exception as error:  # noqa: BLE001 - the engine's boundary: an incident is told without its cause
            _log.exception("comparing failed")
            return unknown(scope, *windows, f"internal error: {type(error).__name__}; details in the log")
