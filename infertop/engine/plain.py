"""HTTP/1.1 over plain connections that stay open, for httpx: what reading a metrics page every second needs.

httpx's own transport takes three times the CPU for a page (benchmarks/plain.py), and polling is most of what infertop
costs. This one stands in its place where there is no TLS; deadlines, sizes, encodings and keys are guarded by `Http` as
ever. Wire format: RFC 9112. What is not HTTP, or breaks off, raises httpx.RemoteProtocolError; an OSError while
connecting is passed on as it is.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator

import httpx

# The longest head, and so the longest line of one: what is beyond 64 KiB is refused with a better sentence by `Http`.
_HEAD_BYTES = 100 * 1024
_PIECE_BYTES = 64 * 1024
_IDLE = 2  # connections kept open
_ADDRESS_SECONDS = 0.25  # until the next of a host's addresses is tried as well (RFC 8305)
_BREATH = 256  # chunks, until others may run: a body can be all chunks of one byte
_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-5]\d\d)(?: [^\r\n]*)?\r?\n")
_FIELD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\r\n\0]*?)[ \t]*\r?\n")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,15})[ \t]*(?:;[^\r\n]*)?\r?\n")

Headers = list[tuple[bytes, bytes]]


class PlainTransport(httpx.AsyncBaseTransport):
    """Asks one origin over http. A request under way has its connection for itself; idle ones are used again."""

    def __init__(self) -> None:
        self._idle: list[_Connection] = []
        self._all: set[_Connection] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request and return the answer once its head is there; its body is read by iterating over it."""
        connection = await self._connection(request.url)
        try:
            await connection.send(request)
            status, headers, keep = await connection.head()
            body = _Body(self, connection, _length(status, headers), keep)
        except BaseException:
            self.drop(connection)
            raise
        return httpx.Response(status, headers=headers, stream=body)

    async def aclose(self) -> None:
        """Close all connections, those under way too."""
        for connection in tuple(self._all):
            self.drop(connection)

    def keep(self, connection: _Connection) -> None:
        """Take back a connection that can be used again."""
        if len(self._idle) < _IDLE and connection in self._all:
            self._idle.append(connection)
        else:
            self.drop(connection)

    def drop(self, connection: _Connection) -> None:
        """Close a connection."""
        self._all.discard(connection)
        connection.close()

    async def _connection(self, url: httpx.URL) -> _Connection:
        while self._idle:
            connection = self._idle.pop()
            if connection.open:
                return connection
            self.drop(connection)
        host, port = url.raw_host.decode("ascii"), url.port or 80
        reader, writer = await asyncio.open_connection(
            host, port, limit=_HEAD_BYTES, happy_eyeballs_delay=_ADDRESS_SECONDS
        )
        connection = _Connection(reader, writer)
        self._all.add(connection)
        return connection


class _Connection:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def open(self) -> bool:
        return not self._reader.at_eof() and not self._writer.is_closing()

    def close(self) -> None:
        self._writer.close()

    async def send(self, request: httpx.Request) -> None:
        fields = b"".join(b"%b: %b\r\n" % field for field in request.headers.raw)
        first = b"%b %b HTTP/1.1\r\n" % (request.method.encode("ascii"), request.url.raw_path)
        try:
            self._writer.write(first + fields + b"\r\n" + request.content)
            await self._writer.drain()
        except OSError as error:
            raise httpx.WriteError(str(error)) from error

    async def head(self) -> tuple[int, Headers, bool]:
        """Return status and headers of the answer, interim ones skipped, and whether the connection stays open."""
        while True:
            status, headers, keep = await self._head()
            if status == 101:
                raise httpx.RemoteProtocolError("another protocol, which nobody asked for")
            if status >= 200:
                return status, headers, keep

    async def _head(self) -> tuple[int, Headers, bool]:
        first = _STATUS.fullmatch(await self.line())
        if first is None:
            raise httpx.RemoteProtocolError("no status line")
        headers: Headers = []
        size = 0
        while (line := await self.line()) not in (b"\r\n", b"\n"):
            field = _FIELD.fullmatch(line)
            size += len(line)
            if field is None or size > _HEAD_BYTES:
                raise httpx.RemoteProtocolError("no header, or too many")
            headers.append((field[1], field[2]))
        said = _tokens(headers, b"connection")
        return int(first[2]), headers, b"close" not in said and (first[1] == b"1" or b"keep-alive" in said)

    async def line(self) -> bytes:
        try:
            return await self._reader.readuntil(b"\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise httpx.RemoteProtocolError("broken off, or an endless line") from error
        except OSError as error:
            raise httpx.ReadError(str(error)) from error

    async def piece(self, most: int) -> bytes:
        """Return some bytes, none at the connection's end."""
        try:
            return await self._reader.read(min(most, _PIECE_BYTES))
        except OSError as error:
            raise httpx.ReadError(str(error)) from error


class _Body(httpx.AsyncByteStream):
    """The body of one answer: `length` bytes, until the connection's end (None), or in chunks (-1)."""

    def __init__(self, transport: PlainTransport, connection: _Connection, length: int | None, keep: bool) -> None:
        self._transport = transport
        self._connection = connection
        self._length = length
        self._keep = keep and length is not None
        self._complete = length == 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        if self._length is None:
            while piece := await self._connection.piece(_PIECE_BYTES):
                yield piece
        else:
            async for piece in self._chunks() if self._length < 0 else self._exactly(self._length):
                yield piece
        self._complete = True

    async def aclose(self) -> None:
        """Give the connection back, or close it where something of the answer is still to come."""
        if self._complete and self._keep:
            self._transport.keep(self._connection)
        else:
            self._transport.drop(self._connection)

    async def _exactly(self, length: int) -> AsyncIterator[bytes]:
        while length:
            piece = await self._connection.piece(length)
            if not piece:
                raise httpx.RemoteProtocolError("a body that breaks off")
            length -= len(piece)
            yield piece

    async def _chunks(self) -> AsyncIterator[bytes]:
        count = 0
        while size := _chunk_size(await self._connection.line()):
            async for piece in self._exactly(size):
                yield piece
            if await self._connection.line() not in (b"\r\n", b"\n"):
                raise httpx.RemoteProtocolError("a chunk that is longer than it said")
            count += 1
            if count % _BREATH == 0:
                await asyncio.sleep(0)
        while await self._connection.line() not in (b"\r\n", b"\n"):
            pass


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
