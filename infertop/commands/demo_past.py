"""The hour before the demo began, told in a second or two: its periods and history are as true as its present."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from infertop.commands import demo
from infertop.views.shapes import Event

if TYPE_CHECKING:
    from infertop.commands.session import Session


async def load(session: Session) -> None:
    """Let the session record what the demo's sources would have said, minute by minute."""
    assert session.recording is not None
    sources = demo.collectors(session.interval)
    minute = 0.0
    for step in demo.steps(session.clock.now()):
        session.recorder_time.past = step
        for source in sources:
            session.hub.apply(await source.collect(step))
        if step // 60 != minute:
            minute = step // 60
            await asyncio.to_thread(session.recording.recorder.flush)
            await session.tick()
    session.recorder_time.past = None
    now = session.clock.now()
    session.watch.events.remember("demo", Event(now, "info", "demo", demo.NOTICE, until=now))
