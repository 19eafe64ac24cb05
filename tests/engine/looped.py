"""Polling loops on a clock that stands still, and collectors that hang or take their time."""

import asyncio
from random import Random

from infertop.engine.run import Polling
from infertop.readings.model import Batch
from tests.fakes import FakeClock, ListSink

OK = Batch("fake", 0.0, (), ())


async def hang(ts):
    await asyncio.Event().wait()


def taking(clock, seconds):
    async def poll(ts):
        await clock.sleep_until(ts + seconds)
        return Batch("fake", ts, (), ())

    return poll


class Rig:
    """A Polling on a clock that stands still, and what it hands on."""

    def __init__(self, *collectors, seed=1):
        self.clock, self.sink = FakeClock(), ListSink()
        self.polling = Polling(self.clock, self.sink, random=Random(seed))
        for each in collectors:
            self.polling.add(each)

    async def __aenter__(self):
        self.task = asyncio.create_task(self.polling.run())
        return self

    async def __aexit__(self, *_):
        closing = asyncio.create_task(self.polling.close())
        while not closing.done():
            await self.clock.advance(0.5)
        await closing
        await asyncio.wait_for(self.task, 1)

    def health(self, name="fake"):
        return [each for each in self.sink.healths if each.source == name][-1]


def gaps(collector):
    return [later - earlier for earlier, later in zip(collector.polled, collector.polled[1:], strict=False)]
