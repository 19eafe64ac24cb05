"""One plain connection: the bytes that came in, taken line by line or by number, and never more than a bound of them.

asyncio's streams hand every piece over twice more and wake a reader more often; at 200 pages a second that was a
quarter of what a page cost.
"""

from __future__ import annotations

import asyncio
import threading
from typing import cast

import httpx

# The longest line: what is beyond 64 KiB is refused with a better sentence by `Http`.
LINE_BYTES = 100 * 1024
# What may wait to be taken, unless more was asked for.
_MOST_WAITING = 2 * LINE_BYTES
_READ_BYTES = 128 * 1024


class _Shared(threading.local):
    """What is read into: one buffer for all connections of a thread, because each takes out at once what came.

    A buffer of its own for each piece would leave holes between what is kept for long: 30 MB with 200 targets.
    """

    def __init__(self) -> None:
        self.buffer = memoryview(bytearray(_READ_BYTES))


_shared = _Shared()


class Wire(asyncio.BufferedProtocol):
    """A connection that one request at a time has for itself; what fails raises an httpx.TransportError."""

    def __init__(self) -> None:
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._needed = 1
        self._waiter: asyncio.Future[None] | None = None
        self._ended = False
        self._paused = False
        self._error: Exception | None = None

    @property
    def open(self) -> bool:
        """Whether another request may be sent; what came without being asked for is no answer to the next."""
        transport = self._transport
        return not (transport is None or transport.is_closing() or self._ended or self._buffer)

    def close(self) -> None:
        """Let go of the connection."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)

    def get_buffer(self, sizehint: int) -> memoryview:
        """Return where to put what comes."""
        return _shared.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Keep what came, and wake who waits for as much."""
        self._buffer += _shared.buffer[:nbytes]
        size = len(self._buffer)
        if size >= self._needed:
            self._wake()
        if size > max(_MOST_WAITING, self._needed) and self._transport is not None:
            self._paused = True
            self._transport.pause_reading()

    def eof_received(self) -> None:
        """Take that nothing more comes."""
        self._ended = True
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take that the connection is gone, and why."""
        self._ended, self._error = True, exc
        self._wake()

    def send(self, data: bytes) -> None:
        """Send a request; that it could not be sent shows where the answer is awaited."""
        if self._transport is None or self._transport.is_closing():
            raise httpx.WriteError("the connection is closed")
        self._transport.write(data)

    async def line(self) -> bytes:
        """Return the next line with its line feed."""
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > LINE_BYTES or not await self._more(searched + 1):
                raise httpx.RemoteProtocolError("broken off, or an endless line")
        if end >= LINE_BYTES:
            raise httpx.RemoteProtocolError("an endless line")
        return self._take(end + 1)

    async def piece(self, most: int) -> bytes:
        """Return some bytes, none at the connection's end."""
        if not self._buffer:
            await self._more(1)
        return self._take(most)

    async def exactly(self, size: int) -> bytes:
        """Return so many bytes, in one piece; fewer where the connection ends before."""
        while len(self._buffer) < size and await self._more(size):
            pass
        return self._take(size)

    def _take(self, size: int) -> bytes:
        buffer = self._buffer
        if size >= len(buffer):
            self._buffer = bytearray()
            return bytes(buffer)
        taken = bytes(memoryview(buffer)[:size])
        del buffer[:size]
        return taken

    async def _more(self, needed: int) -> bool:
        """Wait until `needed` bytes are there or the connection ends; return False where nothing new came."""
        if self._ended:
            return self._nothing()
        self._needed = needed
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()
        before = len(self._buffer)
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter, self._needed = None, 1
        return len(self._buffer) > before or self._nothing()

    def _nothing(self) -> bool:
        if self._error is not None:
            raise httpx.ReadError(str(self._error)) from self._error
        return False

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


async def connect(host: str, port: int, address_seconds: float) -> Wire:
    """Connect; an OSError is passed on as it is. After `address_seconds` a host's next address is tried as well."""
    _, wire = await asyncio.get_running_loop().create_connection(Wire, host, port, happy_eyeballs_delay=address_seconds)
    return wire
