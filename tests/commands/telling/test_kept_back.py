"""Nothing is told while it cannot be noted that it was: whoever records next would tell it again."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.alerts.hooks import hooked
from tests.commands.telling.world import Begin, World, to


async def test_a_history_in_memory_tells_nobody_and_says_what_to_do() -> None:
    with hooked() as hook:
        world = World(Path("/proc/infertop/a.db"), to(hook))
        world.tell()
        await world.tick(60)
        (notice,) = world.telling.notices
        await world.end()
    assert hook.told == []
    assert notice.startswith("alerts are told to nobody while the history is kept in memory: ")
    assert notice.endswith("start again once it can be written, or with another --db")


async def test_what_happens_while_nothing_can_be_written_is_told_once_when_it_can(begin: Begin) -> None:
    with hooked() as hook:
        world = begin(to(hook))
        with closing(sqlite3.connect(world.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            world.tell()
            assert not await asyncio.to_thread(world.recorder.flush)
            world.telling.tick(world.alert, world.now)
            assert world.telling._tasks.keys() <= {"webhook"}
            await asyncio.gather(*world.telling._tasks.values())
            (notice,) = world.telling.notices
            other.execute("ROLLBACK")
        assert hook.told == []
        assert notice.startswith("alerts wait until the history can be written: ")
        await world.tick(60)
        await world.end()
        again = begin(to(hook))
        again.tell()
        await again.tick(60)
    assert [each.body["status"] for each in hook.told] == ["firing"]
    assert again.telling.notices == ()


async def test_what_could_not_be_noted_at_the_last_moment_is_not_sent(begin: Begin) -> None:
    with hooked() as hook:
        world = begin(to(hook))
        world.tell()
        assert await asyncio.to_thread(world.recorder.flush)
        with closing(sqlite3.connect(world.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            world.telling.tick(world.alert, world.now)
            await asyncio.gather(*world.telling._tasks.values())
            other.execute("ROLLBACK")
        assert hook.told == []
        await world.tick(60)
    assert len(hook.told) == 1
