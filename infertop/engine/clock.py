"""Time as a parameter: the only module that may ask the system what time it is."""

from __future__ import annotations

import time
from typing import Protocol

_RESYNC_SECONDS = 1.0


class Clock(Protocol):
    """Where time comes from. `now` never goes back within a process."""

    def now(self) -> float:
        """Return seconds since the epoch, UTC."""
        ...

    async def sleep_until(self, ts: float) -> None:
        """Return once `now()` has reached `ts`."""
        ...


class SystemClock:
    """The wall clock, carried forward by the monotonic one.

    A step forward of more than a second (a machine that was suspended, a clock that was set) is followed. A step back
    is not: time goes on from where it was, so that no minute of the ledger is written twice.
    """

    def __init__(self) -> None:
        self._anchor = time.time() - time.monotonic()

    def now(self) -> float:
        """Return seconds since the epoch, UTC."""
        offset = time.time() - time.monotonic()
        if offset - self._anchor > _RESYNC_SECONDS:
            self._anchor = offset
        return time.monotonic() + self._anchor

    async def sleep_until(self, ts: float) -> None:
        """Return once `now()` has reached `ts`."""
        import asyncio  # 20 ms that the commands which never wait do without

        while (left := ts - self.now()) > 0:  # noqa: ASYNC110 - a clock is what the others wait on
            await asyncio.sleep(left)
