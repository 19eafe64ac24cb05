"""A session that works without a screen: what goes on beside whoever waits for its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from infertop.commands.session import Session


@asynccontextmanager
async def at_work(session: Session) -> AsyncIterator[None]:
    """Poll, remember, read back and look for engines meanwhile; at the end the session is closed, whatever came."""
    work = [session.polling.run(), session.remember(), session.recall()]
    if session.finding is not None:
        work.append(session.finding.run())
    running = [asyncio.create_task(each) for each in work]
    try:
        yield
    finally:
        await session.close()
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
