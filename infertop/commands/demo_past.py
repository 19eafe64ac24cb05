"""The hours before the demo began, told in a second or two: its periods and history are as true as its present."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from infertop.commands import demo
from infertop.views.shapes import Event

if TYPE_CHECKING:
    from infertop.commands.session import Session


_FLUSH_SECONDS = 600.0


async def load(session: Session) -> None:
    """Let the session record what the demo's sources would have said, minute by minute."""
    assert session.recording is not None
    began = session.recorder_time.began
    sources = demo.collectors(session.interval, began, began - demo.PAST_SECONDS)
    account = sources.pop()
    flushed = 0.0
    for step in demo.steps(began):
        session.recorder_time.past = step
        for source in sources:
            session.hub.apply(await source.collect(step))
        if step // _FLUSH_SECONDS != flushed:
            flushed = step // _FLUSH_SECONDS
            session.hub.apply(await account.collect(step))
            await asyncio.to_thread(session.recording.recorder.flush)
            session.watch.follow(session.summary)
    session.recorder_time.past = None
    session.hub.apply(await account.collect(began))
    await asyncio.to_thread(session.recording.recorder.flush)
    await session.tick()
    session.watch.events.remember("demo", Event(began, "info", "demo", demo.NOTICE, until=began))
