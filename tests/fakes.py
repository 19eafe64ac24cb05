"""Stand-ins for time and for meters, shared by the tests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace

from infertop.engine.collector import SourceConfig
from infertop.readings.model import Batch, Series, Value

START = 1_790_000_000.0


class FakeClock:
    """A clock that stands still until `advance` moves it, and with it the timers of the running event loop.

    `asyncio.timeout`, `asyncio.sleep` and `loop.call_later` follow it from the first time that it is advanced or
    waited on, so that a test of a deadline needs no time. Work of threads and sockets is not waited for.
    """

    def __init__(self, now: float = START) -> None:
        self._now = now
        self._loop: asyncio.AbstractEventLoop | None = None

    def now(self) -> float:
        return self._now

    def jump(self, seconds: float) -> None:
        """Let time pass at once, as for a machine that was suspended; timers see it when they are next looked at."""
        self._now += seconds

    async def sleep_until(self, ts: float) -> None:
        self._attach()
        while (left := ts - self._now) > 0:  # noqa: ASYNC110 - a clock is what the others wait on
            await asyncio.sleep(left)

    async def advance(self, seconds: float) -> None:
        """Let time pass timer by timer; after each, everything runs that can run."""
        self._attach()
        end = self._now + seconds
        await self.settle()
        while (due := self._next_timer()) is not None and due <= end:
            self._now = max(self._now, due)
            await self.settle()
        self._now = max(self._now, end)
        await self.settle()

    async def settle(self) -> None:
        """Return once nothing in the loop can run without time, threads or sockets."""
        loop = self._attach()
        await asyncio.sleep(0)
        while loop._ready or ((due := self._next_timer()) is not None and due <= self._now):  # noqa: ASYNC110
            await asyncio.sleep(0)

    def _attach(self) -> asyncio.AbstractEventLoop:
        loop = asyncio.get_running_loop()
        if self._loop is not loop:
            self._loop = loop
            offset = loop.time() - self._now
            self._offset = offset
            loop._clock_resolution = 1e-6
            loop.time = lambda: self._now + offset
        return loop

    def _next_timer(self) -> float | None:
        due = [timer._when for timer in self._loop._scheduled if not timer._cancelled]
        return min(due) - self._offset if due else None


Step = Batch | Exception | Callable[[float], Batch | Awaitable[Batch]]


class ScriptedCollector:
    """A collector that does what its script says, poll by poll; the last step is repeated.

    A step is a Batch (stamped anew), an exception to raise, or a function of the poll's time, which may be a coroutine
    function. `polled` has the time of each poll's start, `overlapped` is True where one began before another ended.
    """

    def __init__(
        self,
        name: str = "fake",
        script: Iterable[Step] = (),
        *,
        kind: str = "fake",
        interval: float = 1.0,
        url: str = "",
    ) -> None:
        self.kind = kind
        self.config = SourceConfig(kind=kind, name=name, url=url, interval_seconds=interval)
        self.script = list(script) or [batch_of(name, {})]
        self.polled: list[float] = []
        self.overlapped = False
        self.closed = False
        self._running = 0

    async def collect(self, ts: float) -> Batch:
        step = self.script[min(len(self.polled), len(self.script) - 1)]
        self.polled.append(ts)
        self.overlapped = self.overlapped or self._running > 0
        self._running += 1
        try:
            return await self._do(step, ts)
        finally:
            self._running -= 1

    async def _do(self, step: Step, ts: float) -> Batch:
        if isinstance(step, Exception):
            raise step
        if isinstance(step, Batch):
            return replace(step, ts=ts)
        said = step(ts)
        return said if isinstance(said, Batch) else await said

    async def close(self) -> None:
        self.closed = True


class ListSink:
    """Keeps what the engine hands on."""

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.healths: list[object] = []

    def apply(self, batch: Batch) -> None:
        self.batches.append(batch)

    def apply_health(self, health: object) -> None:
        self.healths.append(health)


def batch_of(source: str, values: Mapping[Series, Value], ts: float = START, started: float | None = None) -> Batch:
    """Make a batch from a mapping of series to values."""
    return Batch(source, ts, tuple(values), tuple(values.values()), started)
