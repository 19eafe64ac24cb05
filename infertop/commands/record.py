"""`infertop record [--for SECONDS]`: collect without a screen until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress

from infertop.commands.at_work import at_work
from infertop.commands.recalling import Recalling
from infertop.commands.session import Session
from infertop.commands.setup import Setup, setup_or_status
from infertop.history.open import Mode
from infertop.readings.safe import safe

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TICK_SECONDS = 1.0
_PASSING_SECONDS = 12.0
_AGAIN_SECONDS = 0.5
_RECALL_SECONDS = 30.0
_MOST_NAMED = 5


def run(options: Namespace) -> int:
    """Record, and return 0 when the time is over or a signal came."""
    setup = setup_or_status(options)
    if isinstance(setup, int):
        return setup
    return asyncio.run(record(setup, options.seconds))


async def record(setup: Setup, seconds: float | None) -> int:
    """Record for `seconds` from the first poll on, or until a signal; return the exit status."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in _SIGNALS:
        loop.add_signal_handler(number, stop.set)
    session = await _open(setup, stop)
    teller = Teller(session)
    teller.tell()
    if session.store.mode in (Mode.VIEWER, Mode.READ_ONLY):
        if session.store.mode is Mode.VIEWER:
            say(f"{session.store.place} is written by process {session.store.writer_pid or 'unknown'}")
        say("nothing was recorded")
        await session.close()
        return 1
    say(recorded(session))
    async with at_work(session):
        await _until(session, stop, seconds, teller)
        if session.recalling is not None and not stop.is_set():
            await _recalled(session.recalling, stop)
        await _caught_up(session, stop, teller)
    if session.recorder is not None and session.recorder.summary.status:
        say(session.recorder.summary.status)
        return 1
    return 0


async def _open(setup: Setup, stop: asyncio.Event) -> Session:
    """Open the session; where somebody writes the database, wait as long as `infertop --once` may take."""
    until = setup.clock.now() + _PASSING_SECONDS
    session = await Session.open(setup)
    if session.store.mode is Mode.VIEWER:
        say(f"{session.store.place} is written by process {session.store.writer_pid or 'unknown'}: waiting a moment")
    while session.store.mode is Mode.VIEWER and setup.clock.now() < until and not stop.is_set():
        await session.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(_AGAIN_SECONDS):
                await stop.wait()
        session = await Session.open(setup)
    return session


async def _until(session: Session, stop: asyncio.Event, seconds: float | None, teller: Teller) -> None:
    while not stop.is_set():
        began, now = session.hub.first_poll, session.clock.now()
        if seconds is not None and began is not None and now - began >= seconds:
            return
        left = _TICK_SECONDS if seconds is None or began is None else min(_TICK_SECONDS, began + seconds - now)
        try:
            async with asyncio.timeout(max(left, 0.0)):
                await stop.wait()
        except TimeoutError:
            await session.tick()
        teller.tell()


async def _recalled(recalling: Recalling, stop: asyncio.Event) -> None:
    """Let what is being read back come to its end, for a while and as long as no signal comes."""
    waits = [asyncio.create_task(recalling.wait(_RECALL_SECONDS)), asyncio.create_task(stop.wait())]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for each in waits:
        each.cancel()


async def _caught_up(session: Session, stop: asyncio.Event, teller: Teller) -> None:
    """Let sources that have more to tell tell it, for a while and as long as no signal comes."""
    until = session.clock.now() + _RECALL_SECONDS
    while session.hub.behind and session.clock.now() < until and not stop.is_set():
        with suppress(TimeoutError):
            async with asyncio.timeout(_TICK_SECONDS):
                await stop.wait()
        await session.tick()
        teller.tell()


class Teller:
    """Says what is new among the notices of a session and its sources, and when its history is written again."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._read = frozenset(session.roster.every())
        self._told: tuple[str, ...] = ()
        self._paused = False

    def tell(self) -> None:
        """Say what is new since the last time."""
        notices, paused = self._session.notices, bool(self._session.summary.status)
        for notice in notices:
            if notice not in self._told:
                say(notice)
        if self._paused and not paused:
            say("the history is written again")
        self._told, self._paused = notices, paused
        if new := self._session.roster.every().keys() - self._read:
            self._read |= new
            say(f"reading {_some(sorted(new))} too")


def recorded(session: Session) -> str:
    """Return what is recorded from the start, and where; what is found later is said when it is."""
    names = sorted(session.roster.every())
    more = ", and what is found on this machine" if session.finding is not None else ""
    return f"recording {_some(names) or 'nothing yet'}{more} into {session.store.place}"


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED} more sources" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more


def say(sentence: str) -> None:
    """Tell the person who started this, on stderr."""
    print(f"infertop: {safe(sentence, 1000)}", file=sys.stderr, flush=True)
