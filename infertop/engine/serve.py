"""A small HTTP server for one page: GET and HEAD, an answer, the end; every size, time and number has a limit.

It runs on the loop that polls, so nothing in it waits for a peer without a deadline.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus

_METHODS = frozenset({"GET", "HEAD"})
_ONCE = frozenset({"host", "authorization", "content-length"})
_TOKEN = frozenset("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True, slots=True)
class Limits:
    """What a peer may ask of the server: bytes, lines, seconds for the request and for the answer, connections."""

    line_bytes: int = 2048
    head_bytes: int = 8192
    headers: int = 64
    seconds: float = 5.0
    connections: int = 32


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: the path without its query, and the headers by their names in small letters."""

    method: str
    path: str
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Response:
    """What is answered."""

    status: HTTPStatus
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict)


_FAILED = Response(HTTPStatus.INTERNAL_SERVER_ERROR, b"infertop failed to answer; its log says more\n")
Answer = Callable[[Request], Awaitable[Response]]


class Refused(Exception):  # noqa: N818 - it is an answer
    """The request is answered with this status and a sentence."""

    def __init__(self, status: HTTPStatus, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.response = Response(status, f"{sentence}\n".encode(), headers=headers)


class Server:
    """Listens on one address. `listen` raises OSError where it is taken; `answering` makes the answers."""

    def __init__(self, answering: Answer, limits: Limits | None = None) -> None:
        self._answering = answering
        self._limits = limits or Limits()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> list[tuple[str, int]]:
        """Begin to answer, and return the addresses that it is done on."""
        limit = self._limits.head_bytes
        self._server = await asyncio.start_server(self._connected, host, port, limit=limit, backlog=64)
        return [each.getsockname()[:2] for each in self._server.sockets]

    async def close(self) -> None:
        """Let go of the address and of everybody who is connected."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if len(self._tasks) >= self._limits.connections:
            writer.transport.abort()
            return
        task = asyncio.get_running_loop().create_task(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            context = {"message": "a request could not be answered", "exception": error, "task": task}
            asyncio.get_running_loop().call_exception_handler(context)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            try:
                await self._exchange(reader, writer)
                writer.close()
                async with asyncio.timeout(self._limits.seconds):
                    await writer.wait_closed()
            finally:
                writer.transport.abort()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        method = "GET"
        try:
            async with asyncio.timeout(self._limits.seconds):
                request = await self._read(reader)
            method = request.method
            response = await self._answering(request)
        except Refused as refused:
            response = refused.response
        except (TimeoutError, ConnectionError, asyncio.IncompleteReadError):
            raise  # there is nobody to answer
        except Exception:
            await self._send(writer, _FAILED, method)
            raise
        await self._send(writer, response, method)

    async def _send(self, writer: asyncio.StreamWriter, response: Response, method: str) -> None:
        writer.write(_head(response))
        if method != "HEAD":
            writer.write(response.body)
        async with asyncio.timeout(self._limits.seconds):
            await writer.drain()

    async def _read(self, reader: asyncio.StreamReader) -> Request:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.LimitOverrunError:
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request is too long") from None
        first, *lines = head[:-4].decode("latin-1").split("\r\n")
        if len(first) > self._limits.line_bytes:
            raise Refused(HTTPStatus.REQUEST_URI_TOO_LONG, "the address asked for is too long")
        if len(lines) > self._limits.headers:
            raise Refused(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the request has too many headers")
        method, target = _request_line(first)
        headers = _headers(lines)
        return Request(method, target.partition("?")[0], headers)


def _request_line(line: str) -> tuple[str, str]:
    words = line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/"):
        raise Refused(HTTPStatus.BAD_REQUEST, "this is no HTTP request")
    method, target, version = words
    if version not in ("HTTP/1.0", "HTTP/1.1"):
        raise Refused(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "HTTP/1.1 is spoken here")
    if method not in _METHODS:
        raise Refused(HTTPStatus.METHOD_NOT_ALLOWED, "GET and HEAD are answered here", Allow="GET, HEAD")
    if not target.startswith("/") or not all("!" <= ch <= "~" for ch in target):
        raise Refused(HTTPStatus.BAD_REQUEST, "the address asked for is not a path")
    return method, target


def _headers(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.lower()
        if not colon or not name or not _TOKEN.issuperset(name) or any(ch in value for ch in "\r\n\0"):
            raise Refused(HTTPStatus.BAD_REQUEST, "a header cannot be read")
        if name in found and name in _ONCE:
            raise Refused(HTTPStatus.BAD_REQUEST, f"the header {name} is there twice")
        found[name] = f"{found[name]}, {value.strip()}" if name in found else value.strip()
    return found


def _head(response: Response) -> bytes:
    headers = {
        "Content-Type": response.content_type,
        "Content-Length": str(len(response.body)),
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        "Connection": "close",
        **response.headers,
    }
    lines = [f"HTTP/1.1 {response.status.value} {response.status.phrase}", *(f"{k}: {v}" for k, v in headers.items())]
    return "".join(f"{line}\r\n" for line in lines).encode("latin-1") + b"\r\n"
