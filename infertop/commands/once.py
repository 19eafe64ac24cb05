"""`infertop --once [--json]`: one reading, then exit, within ten seconds with what there is."""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import Namespace
from contextlib import suppress

from infertop.commands.budget_exit import standing_of
from infertop.commands.session import Session
from infertop.commands.setup import Setup, setup_or_status
from infertop.views.once import reading
from infertop.views.overview import overview
from infertop.views.plain import plain
from infertop.views.shapes import Overview

FIND_SECONDS = 3.0
POLL_SECONDS = 2.0
MOST_SECONDS = 9.0
PLAN_SECONDS = 2.0


def run(options: Namespace) -> int:
    """Print one reading; with --budget-exit the status is that of the budgets in it."""
    setup = setup_or_status(options)
    if isinstance(setup, int):
        return setup
    view = asyncio.run(read(setup))
    for notice in view.notices:
        print(f"infertop: {notice}", file=sys.stderr)
    if options.json:
        print(json.dumps(reading(view), allow_nan=False))
    else:
        sys.stdout.write(plain(view))
    if not options.budget_exit:
        return 0
    stands = standing_of(view.budgets)
    for sentence in stands.sentences:
        print(f"infertop: {sentence}", file=sys.stderr)
    return stands.status


async def read(setup: Setup) -> Overview:
    """Poll the meters twice, an interval apart, and return the view."""
    session = await Session.open(setup)
    try:
        if setup.demo:
            await session.load_demo_past()
        with suppress(TimeoutError):
            async with asyncio.timeout(MOST_SECONDS):
                await _twice(session)
        for _ in range(2):  # who counts what is known when the history has what was polled
            if session.recorder is not None:
                await asyncio.to_thread(session.recorder.flush, 1.0)
            await session.tick()
        if session.recorder is not None:
            await asyncio.to_thread(session.recorder.flush, 1.0)
        with suppress(TimeoutError):
            async with asyncio.timeout(PLAN_SECONDS):
                await session.plans.make(session.clock.now())
        return overview(session.facts())
    finally:
        await session.close()


async def _twice(session: Session) -> None:
    """Poll, look for engines and poll what was found, then poll what answered once more; beside a recorder, nothing."""
    if session.viewing is not None:
        return
    clock, interval = session.clock, session.interval
    before = set(session.polling.names) - session.roster.afar.names
    await session.polling.poll_once_all(POLL_SECONDS)
    await session.look(FIND_SECONDS)
    await session.polling.poll_once_all(POLL_SECONDS, set(session.polling.names) - before)
    await clock.sleep_until(clock.now() + min(interval, MOST_SECONDS - 2 * POLL_SECONDS))
    # What did not answer would only hold up the others, until they are stale.
    answered = {each.source for each in session.state.healths() if each.good_ts is not None}
    await session.polling.poll_once_all(POLL_SECONDS, answered)
