"""Lines from a process that may send anything: none too long, and not more than can be meant."""

from __future__ import annotations

import asyncio
from collections import deque

LONGEST = 64 * 2**10
MOST_BYTES_A_SECOND = 8 * 2**20
_CHUNK = 64 * 2**10


class FloodError(Exception):
    """The other side sends more than anything that was asked of it could be."""


class Lines:
    """The lines of a stream, without their ends; a line beyond `LONGEST` bytes is dropped."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream
        self._ready: deque[str] = deque()
        self._rest = bytearray()
        self._dropping = False
        self._window = (0.0, 0)
        self.ended = False

    async def next(self) -> str | None:
        """Return the next line, None at the end; raise FloodError. Nothing is lost where the caller is cancelled."""
        while not self._ready:
            chunk = await self._stream.read(_CHUNK)
            if not chunk:
                self.ended = True
                return None
            self._count(len(chunk))
            self._take(chunk)
        return self._ready.popleft()

    def _take(self, chunk: bytes) -> None:
        *whole, tail = chunk.split(b"\n")
        for each in whole:
            if not self._dropping and len(self._rest) + len(each) <= LONGEST:
                self._ready.append((bytes(self._rest) + each).rstrip(b"\r").decode("utf-8", "replace"))
            self._rest.clear()
            self._dropping = False
        if self._dropping or len(self._rest) + len(tail) > LONGEST:
            self._rest.clear()
            self._dropping = True
        else:
            self._rest += tail

    def _count(self, size: int) -> None:
        now = asyncio.get_running_loop().time()
        began, taken = self._window
        self._window = (began, taken + size) if now - began < 1.0 else (now, size)
        if self._window[1] > MOST_BYTES_A_SECOND:
            raise FloodError
