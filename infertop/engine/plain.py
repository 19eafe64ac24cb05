"""HTTP/1.1 over plain connections that stay open, for httpx: what reading a metrics page every second needs.

httpx's own transport takes several times the CPU for a page (benchmarks/plain.py), and polling is most of what infertop
costs. This one stands in its place where there is no TLS; deadlines, sizes, encodings and keys are guarded by `Http` as
ever. Wire format: RFC 9112. What is not HTTP, or breaks off, raises httpx.RemoteProtocolError; an OSError while
connecting is passed on as it is.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx

from infertop.engine.wire import LINE_BYTES, Wire, connect

_PIECE_BYTES = 64 * 1024
_IDLE = 2  # connections kept open
_ADDRESS_SECONDS = 0.25  # until the next of a host's addresses is tried as well (RFC 8305)
_BREATH = 256  # chunks, until others may run: a body can be all chunks of one byte
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5]\d\d)(?: [^\r\n]*)?\r?\n")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*\r?\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Answer:
    """An answer whose head is there. `body` is read by iterating over it, or at once, and has to be closed."""

    status: int
    headers: Headers
    body: Body


class PlainTransport(httpx.AsyncBaseTransport):
    """Asks one origin over http. A request under way has its connection for itself; idle ones are used again."""

    def __init__(self) -> None:
        self._idle: list[Wire] = []
        self._all: set[Wire] = set()
        self._sent: tuple[httpx.Request, bytes] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the answer once its head is there; its body is read by iterating over it."""
        answer = await self.answer(request)
        return httpx.Response(answer.status, headers=answer.headers, stream=answer.body)

    async def answer(self, request: httpx.Request) -> Answer:
        """Send a request and return the answer once its head is there, without what httpx makes of it."""
        wire = await self._wire(request.url)
        try:
            wire.send(self._written(request))
            status, headers, keep = await _head(wire)
            return Answer(status, headers, Body(self, wire, _length(status, headers), keep))
        except BaseException:
            self.drop(wire)
            raise

    async def aclose(self) -> None:
        """Close all connections, those under way too."""
        for wire in tuple(self._all):
            self.drop(wire)

    def keep(self, wire: Wire) -> None:
        """Take back a connection that can be used again."""
        if len(self._idle) < _IDLE and wire in self._all:
            self._idle.append(wire)
        else:
            self.drop(wire)

    def drop(self, wire: Wire) -> None:
        """Close a connection."""
        self._all.discard(wire)
        wire.close()

    async def _wire(self, url: httpx.URL) -> Wire:
        while self._idle:
            wire = self._idle.pop()
            if wire.open:
                return wire
            self.drop(wire)
        wire = await connect(url.raw_host.decode("ascii"), url.port or 80, _ADDRESS_SECONDS)
        self._all.add(wire)
        return wire

    def _written(self, request: httpx.Request) -> bytes:
        """Return a request as it is sent; a meter's is the same every second."""
        if self._sent is None or self._sent[0] is not request:
            first = b"%b %b HTTP/1.1\r\n" % (request.method.encode("ascii"), request.url.raw_path)
            fields = b"".join(b"%b: %b\r\n" % field for field in request.headers.raw)
            self._sent = (request, first + fields + b"\r\n" + request.content)
        return self._sent[1]


class Body(httpx.AsyncByteStream):
    """The body of one answer: `length` bytes, until the connection's end (None), or in chunks (-1)."""

    def __init__(self, transport: PlainTransport, wire: Wire, length: int | None, keep: bool) -> None:
        self._transport = transport
        self._wire = wire
        self._length = length
        self._keep = keep and length is not None
        self._complete = length == 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._length is None:
            while piece := await self._wire.piece(_PIECE_BYTES):
                yield piece
        else:
            async for piece in self._chunks() if self._length < 0 else self._exactly(self._length):
                yield piece
        self._complete = True

    async def whole(self, most: int) -> bytes | None:
        """Return all of it at once, None where its length is not said or more than `most`: then nothing was read."""
        if self._length is None or not 0 <= self._length <= most:
            return None
        body = await self._wire.exactly(self._length)
        if len(body) < self._length:
            raise httpx.RemoteProtocolError("a body that breaks off")
        self._complete = True
        return body

    async def aclose(self) -> None:
        """Give the connection back, or close it where something of the answer is still to come."""
        if self._complete and self._keep:
            self._transport.keep(self._wire)
        else:
            self._transport.drop(self._wire)

    async def _exactly(self, length: int) -> AsyncIterator[bytes]:
        while length:
            piece = await self._wire.piece(min(length, _PIECE_BYTES))
            if not piece:
                raise httpx.RemoteProtocolError("a body that breaks off")
            length -= len(piece)
            yield piece

    async def _chunks(self) -> AsyncIterator[bytes]:
        count = 0
        while size := _chunk_size(await self._wire.line()):
            async for piece in self._exactly(size):
                yield piece
            if await self._wire.line() not in (b"\r\n", b"\n"):
                raise httpx.RemoteProtocolError("a chunk that is longer than it said")
            count += 1
            if count % _BREATH == 0:
                await asyncio.sleep(0)
        while await self._wire.line() not in (b"\r\n", b"\n"):
            pass


async def _head(wire: Wire) -> tuple[int, Headers, bool]:
    """Return status and headers of the answer, interim ones skipped, and whether the connection stays open."""
    while True:
        status, headers, keep = await _one_head(wire)
        if status == 101:
            raise httpx.RemoteProtocolError("another protocol, which nobody asked for")
        if status >= 200:
            return status, headers, keep


async def _one_head(wire: Wire) -> tuple[int, Headers, bool]:
    first = _STATUS.fullmatch(await wire.line())
    if first is None:
        raise httpx.RemoteProtocolError("no status line")
    headers: Headers = []
    size = 0
    while (line := await wire.line()) not in (b"\r\n", b"\n"):
        field = _FIELD.fullmatch(line)
        size += len(line)
        if field is None or size > LINE_BYTES:
            raise httpx.RemoteProtocolError("no header, or too many")
        headers.append((field[1], field[2]))
    said = _tokens(headers, b"connection")
    return int(first[2]), headers, b"close" not in said and (first[1] == b"1" or b"keep-alive" in said)


def _length(status: int, headers: Headers) -> int | None:
    if status in (204, 304):
        return 0
    codings = _tokens(headers, b"transfer-encoding")
    if codings:
        if codings != [b"chunked"]:
            raise httpx.RemoteProtocolError("a transfer encoding that nobody asked for")
        return -1
    lengths = set(_tokens(headers, b"content-length"))
    if not lengths:
        return None
    length = lengths.pop()
    if lengths or not length.isdigit() or len(length) > 18:
        raise httpx.RemoteProtocolError("no length that can be meant")
    return int(length)


def _tokens(headers: Headers, name: bytes) -> list[bytes]:
    return [token.strip().lower() for key, value in headers if key.lower() == name for token in value.split(b",")]


def _chunk_size(line: bytes) -> int:
    found = _CHUNK.fullmatch(line)
    if found is None:
        raise httpx.RemoteProtocolError("no chunk")
    return int(found[1], 16)
