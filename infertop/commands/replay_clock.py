"""Replayed time: it runs at some speed, stops where the readings end, and goes where the person wants it."""

from __future__ import annotations

import asyncio

from infertop.engine.clock import Clock

SPEEDS = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0, 5000.0, 10_000.0)
_LOOK_SECONDS = 0.05


class ReplayClock:
    """A clock that is `speed` times as fast as `base`. `limit` is up to where time is known: it waits there.

    Within one way forward `now` never goes back; `go` begins another one.
    """

    def __init__(self, base: Clock, at: float, speed: float = 1.0) -> None:
        self._base = base
        self._from, self._at = base.now(), at
        self._speed = speed
        self.limit = at
        self.held = False

    @property
    def speed(self) -> float:
        """How many seconds pass in one."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        self._settle()
        self._speed = speed

    def now(self) -> float:
        """Return the replayed time, epoch seconds."""
        real = self._base.now()
        ahead = self._at + (0.0 if self.held else (real - self._from) * self._speed)
        if ahead >= self.limit:
            # It goes on from here once more is known: what it waited is not made up for.
            self._from, self._at = real, max(self._at, self.limit)
            return self._at
        return ahead

    async def sleep_until(self, ts: float) -> None:
        """Return once `now()` has reached `ts`."""
        while self.now() < ts:  # noqa: ASYNC110 - a clock is what the others wait on
            await asyncio.sleep(_LOOK_SECONDS)

    def hold(self, held: bool) -> None:
        """Stop time, or let it go on."""
        self._settle()
        self.held = held

    def go(self, ts: float) -> None:
        """Begin anew at `ts`, of which nothing after it is known yet."""
        self._from, self._at = self._base.now(), ts
        self.limit = ts

    def _settle(self) -> None:
        now = self.now()
        self._from, self._at = self._base.now(), now


def next_speed(speed: float, step: int) -> float:
    """Return the next faster (`step` above 0) or slower speed."""
    further = [each for each in SPEEDS if (each > speed * 1.01 if step > 0 else each < speed * 0.99)]
    return ((further[:1] if step > 0 else further[-1:]) or [speed])[0]
