"""`infertop exporter`: record as `infertop record` does, or look at whoever records, and serve the figures."""

from __future__ import annotations

import asyncio
import signal
from argparse import Namespace
from contextlib import suppress

from infertop.commands.at_work import at_work
from infertop.commands.exporter_access import Access, shown
from infertop.commands.exporter_page import Pages, is_recorded
from infertop.commands.record import Teller, recorded, say
from infertop.commands.session import Session
from infertop.commands.setup import Setup, complain, setup_or_status
from infertop.commands.sources import WrongUseError
from infertop.engine.serve import Server
from infertop.history.open import Mode

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_TICK_SECONDS = 1.0
PATIENCE_SECONDS = 30.0  # a recorder that is being restarted finds its database free


def run(options: Namespace) -> int:
    """Serve until a signal comes, and return 0; 2 for a wrong option, 1 where the address is taken."""
    setup = setup_or_status(options)
    if isinstance(setup, int):
        return setup
    try:
        access = Access.of(options.listen, options.token_file)
    except WrongUseError as error:
        return complain([str(error)])
    return asyncio.run(export(setup, access))


async def export(setup: Setup, access: Access) -> int:
    """Serve the page until a signal comes; return the exit status."""
    stop = asyncio.Event()
    for number in _SIGNALS:
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    pages = Pages(access)
    server = Server(pages.answer)
    try:
        addresses = await server.listen(access.host, access.port)
    except OSError as error:
        reason = (error.strerror or "it is not possible").lower()
        say(f"{access.host}:{access.port} cannot be listened on: {reason}")
        return 1
    for host, port in addresses:
        say(f"the figures are at {shown(host, port)}")
    try:
        return await _sessions(setup, pages, stop)
    finally:
        await server.close()


async def _sessions(setup: Setup, pages: Pages, stop: asyncio.Event) -> int:
    """Go from session to session: where the recorder that one looked at is gone, the next one records."""
    while not stop.is_set():
        session = await Session.open(setup)
        if session.store.mode is Mode.READ_ONLY:
            Teller(session).tell()
            await session.close()
            return 1
        await pages.follow(session)
        await _one(session, stop)
        await pages.follow(None)
    return 0


async def _one(session: Session, stop: asyncio.Event) -> None:
    """Run one session until it is over."""
    place = session.store.place
    if session.store.mode is Mode.VIEWER:
        say(f"{place} is written by process {session.store.writer_pid or 'unknown'}: its figures are served")
    else:
        say(recorded(session))
    async with at_work(session):
        await _until(session, stop)


async def _until(session: Session, stop: asyncio.Event) -> None:
    """Return at a signal, or when nobody has written for a while what this session only reads."""
    teller = Teller(session)
    written = session.clock.now()
    while not stop.is_set():
        await session.tick()
        teller.tell()
        now = session.clock.now()
        if is_recorded(session) or session.store.mode is not Mode.VIEWER:
            written = now
        elif now - written >= PATIENCE_SECONDS:
            say("the recorder is gone: recording in its place")
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(_TICK_SECONDS):
                await stop.wait()
