"""What is watched becomes incidents: the work goes on in a thread, what comes of it is told on the screen's loop."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from collectors import KINDS
from infertop.commands.unread import unread as unread_sources
from infertop.commands.watching_news import news_event
from infertop.commands.watching_requests import request_event
from infertop.commands.watching_work import Asked, Done, Work
from infertop.history.connect import connect
from infertop.history.connect import uri as uri_of
from infertop.history.reader import Unreadable
from infertop.history.watch_state import Known, Wish, write_wish
from infertop.money.detect.fault import Fault, Step
from infertop.money.detect.scopes import METRICS
from infertop.money.detect.stakes import rule_of
from infertop.views.event_shapes import ACKNOWLEDGED, OPEN, PLANNED, Event
from infertop.views.incident_text import KIND, incident_event, shown_scope, subject

if TYPE_CHECKING:
    from infertop.commands.roster import Roster
    from infertop.commands.session import Session
    from infertop.commands.why import Comparing

_log = logging.getLogger(__name__)
# Of each second no more than this: a week that is learned at the start holds up nothing.
WORK_SECONDS = 0.25
WHY_SECONDS = 300.0
# After a bug it is begun again from what is stored: after a minute, and the longer the more often that failed.
_AGAIN_SECONDS, _AGAIN_MOST_SECONDS = 60.0, 3600.0
_MINUTE = 60
STATES = {OPEN: "it is open again", ACKNOWLEDGED: "acknowledged", PLANNED: "planned: nobody is alerted again"}


class Watching:
    """Incidents of a session that records; it begins with `begin` and is asked once a second."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._work = Work(session.store.uri)
        self._running: asyncio.Task[Done] | None = None
        self._begun = False
        self._behind = False
        self._asked: object = None
        self._passed: tuple[Wish, ...] = ()
        self._wishes: list[Wish] = []
        self._heard: list[Wish] = []
        self._saves: list[Known] = []
        self._comparing: Comparing | None = None
        self._whys: dict[str, asyncio.Task[None]] = {}
        self._why_at: dict[str, float] = {}
        self._failures = 0
        self._again_at = 0.0
        self._closing: set[asyncio.Task[None]] = set()

    def begin(self) -> None:
        """Begin to watch: what counts is known by now."""
        self._begun = True

    def tick(self, now: float) -> None:
        """Tell what came of the work, and go on with it where something is new. A bug in it ends nothing else."""
        try:
            if self._running is not None and self._running.done():
                running, self._running = self._running, None
                self._take(running, now)
            if self._running is None and self._begun and now >= self._again_at:
                self._go_on(now)
        except Exception as error:  # noqa: BLE001 - the engine's boundary: what is polled and booked goes on
            _log.exception("watching failed")
            self._stop(error, now)

    def take_saves(self) -> tuple[list[Known], list[Wish]]:
        """Return what is to be stored, after the events that it knows of, and wishes that were heard."""
        saves, heard = self._saves, self._heard
        self._saves, self._heard = [], []
        return saves, heard

    def wish(self, key: str, state: str, now: float) -> None:
        """Let an incident have a state."""
        self._wishes.append(Wish(key, state, now))
        event = self._session.watch.events.find(key)
        if event is not None and event.until is None:
            level = "info" if state == PLANNED else "warn" if event.level == "info" else event.level
            self._session.watch.events.add(key, replace(event, state=state, level=level))

    async def settled(self) -> None:
        """Wait until what goes on is done; the next tick tells of it."""
        going_on = [each for each in (self._running, *self._whys.values(), *self._closing) if each is not None]
        if going_on:
            await asyncio.wait(going_on)

    async def close(self, now: float) -> None:
        """Let the work end, and keep all that is known."""
        for task in self._whys.values():
            task.cancel()
        await self.settled()
        try:
            if self._running is not None:
                self._take(self._running, now)
            if self._begun and now >= self._again_at:
                self._saves += await asyncio.to_thread(self._work.finish)
        except Exception:  # noqa: BLE001 - the engine's boundary: what is known is stored from minute to minute
            _log.exception("watching failed")
        self._running = None
        self._begun = False  # a tick that comes after it begins nothing
        await asyncio.to_thread(self._work.close)
        if self._comparing is not None:
            await self._comparing.close()

    def _go_on(self, now: float) -> None:
        session = self._session
        summary = session.summary
        if summary.status or not summary.closed:
            return
        told = {name: each.complete_until for name, each in summary.accounts.items() if each.complete_until}
        wishes = (*self._wishes, *(each for each in summary.wishes if each not in self._heard))
        choices = session.choosing.choices
        unread = unread_sources(session, now)
        asked = (summary.closed, told, choices, wishes, unread)
        if asked == self._asked and not self._behind:
            return
        self._asked = asked
        self._wishes, self._passed, self._heard = [], wishes, [*self._heard, *summary.wishes]
        settings = session.pricing.settings
        rule = rule_of(settings)
        sources = frozenset(session.roster.every())
        request_usd = None if settings.alert.request_usd is None else float(settings.alert.request_usd)
        work = Asked(
            now,
            summary.closed,
            told,
            choices,
            sources,
            rule,
            settings.zone,
            wishes,
            session.pricing.prices,
            request_usd,
            _logs(session.roster),
            unread,
        )
        self._running = asyncio.create_task(asyncio.to_thread(self._work.advance, work, WORK_SECONDS))

    def _take(self, task: asyncio.Task[Done], now: float) -> None:
        try:
            done = task.result()
        except Unreadable as error:
            _log.warning("%s", error)
            return
        self._failures, self._session.watch.notice = 0, ""
        self._behind, self._passed = done.behind, ()
        for step in _last_of_each(done.steps):
            self._tell(step, now)
        for news in done.news:
            self._session.watch.events.add(*news_event(news, self._session.summary.names))
        for request in done.requests:
            self._session.watch.events.add(*request_event(request, self._session.summary.names))
        self._saves += done.saves

    def _stop(self, error: Exception, now: float) -> None:
        """Let go of the work, say so, and have it begun again later from what is stored."""
        self._again_at = now + min(_AGAIN_MOST_SECONDS, _AGAIN_SECONDS * 2**self._failures)
        self._failures += 1
        again = datetime.fromtimestamp(self._again_at, self._session.pricing.settings.zone)
        self._session.watch.notice = (
            f"incidents are not looked for: internal error: {type(error).__name__}; details in the log;"
            f" tried again at {again:%H:%M}"
        )
        closing = asyncio.create_task(asyncio.to_thread(self._work.close))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)
        self._work = Work(self._session.store.uri)
        self._wishes, self._passed = [*self._passed, *self._wishes], ()
        self._asked, self._behind = None, False

    def _tell(self, step: Step, now: float) -> None:
        fault, events = step.fault, self._session.watch.events
        before = events.find(fault.key)
        settings, names = self._session.pricing.settings, self._session.summary.names
        events.add(fault.key, incident_event(fault, now, settings.zone, names, before.why if before else None))
        if fault.until is not None or now - self._why_at.get(fault.key, 0.0) >= WHY_SECONDS:
            self._why_at[fault.key] = now
            self._whys[fault.key] = asyncio.create_task(self._explain(fault))

    async def _explain(self, fault: Fault) -> None:
        """Put into an incident's event what was found out about it so far, or over all of its time."""
        from infertop.commands.why import Comparing
        from infertop.views.why_incident import beyond_usd, seen_in

        if self._comparing is None:
            self._comparing = Comparing(self._session)
        events = self._session.watch.events
        if (event := events.find(fault.key)) is None:
            return
        until = max(fault.until or float(self._session.summary.closed), fault.since + _MINUTE)
        scope = tuple(event.scope.items())
        beyond = beyond_usd(fault)
        why = await self._comparing.fault(fault.lead.metric, scope, fault.since, until, beyond)
        if wider := seen_in(fault, why):
            scope = tuple(shown_scope(wider, self._session.summary.names).items())
            why = await self._comparing.fault(fault.lead.metric, scope, fault.since, until, beyond)
        if (event := events.find(fault.key)) is not None:
            events.add(fault.key, replace(event, why=why, cause=why.sentence))
        self._whys.pop(fault.key, None)
        if fault.until is not None:
            self._why_at.pop(fault.key, None)


def _logs(roster: Roster) -> frozenset[str]:
    """Return the sources that read agents' logs: those tell all that was used, whenever it was."""
    kinds = ((name, KINDS.get(config.kind)) for name, config in roster.configs.items())
    return frozenset(name for name, kind in kinds if kind is not None and kind.folders is not None)


def acknowledge(session: Session, key: str, state: str) -> str:
    """Let an incident be acknowledged, planned or open again; return what came of that as a sentence."""
    event = session.watch.events.find(key)
    if state not in STATES:
        return f"an incident is {', '.join(STATES)}"
    if event is None or event.kind != KIND or event.until is not None:
        return "that incident is over"
    now = session.clock.now()
    if session.watching is not None:
        session.watching.wish(key, state, now)
        return f"{_short(event)}: {STATES[state]}"
    if session.store.path is None:
        return "nobody records: nothing can be kept of that"
    task = asyncio.create_task(asyncio.to_thread(_leave, str(uri_of(session.store.path, write=True)), key, state, now))
    session.keep(task)
    return f"{_short(event)}: {STATES[state]}, as soon as the recorder hears of it"


def _leave(where: str, key: str, state: str, now: float) -> None:
    connection = None
    try:
        connection = connect(where)
        write_wish(connection, Wish(key, state, now))
    except sqlite3.Error as error:
        _log.warning("the recorder could not be told: %s", error)
    finally:
        if connection is not None:
            connection.close()


def _short(event: Event) -> str:
    metric = METRICS.get(event.metric)
    return f"{subject(event.scope)} {metric.words if metric else event.metric}"


def _last_of_each(steps: Iterable[Step]) -> Iterable[Step]:
    """Return the last step of each fault: what it is by now."""
    return {step.fault.key: step for step in steps}.values()
