"""Servers that behave as a test says, on a port of 127.0.0.1 that the system chooses."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from infertop.engine.collector import Unavailable
from infertop.engine.http import Http

Answer = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Answers the n-th request with the n-th answer (the last is repeated), and keeps the requests' heads."""

    def __init__(self, answers: tuple[Answer, ...]) -> None:
        self.answers = answers
        self.requests: list[bytes] = []
        self.connections = 0
        self.asked = asyncio.Event()
        self.port = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def where(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._tasks.add(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while not writer.is_closing():
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                self.asked.set()
                answer = self.answers[min(len(self.requests), len(self.answers)) - 1]
                if isinstance(answer, bytes):
                    writer.write(answer)
                    await writer.drain()
                else:
                    await answer(writer)
        writer.close()

    def stop(self) -> None:
        for task in self._tasks:
            task.cancel()


@contextlib.asynccontextmanager
async def serve(*answers: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Server]:
    """Serve `answers` while the block runs."""
    server = Server(answers)
    listener = await asyncio.start_server(server.talk, "127.0.0.1", 0, ssl=tls)
    server.port = listener.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listener.close()
        server.stop()
        await asyncio.sleep(0)


def answer(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """Make a well-formed answer; header names are written with `_` for `-`."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def then_close(data: bytes) -> Answer:
    """Send `data` and cut the connection."""

    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await writer.drain()
        writer.close()

    return act


def then_hang(data: bytes = b"") -> Answer:
    """Send `data` and then nothing more."""

    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        await asyncio.Event().wait()

    return act


def forever(start: bytes, piece: bytes, seconds_between: float = 0.0) -> Answer:
    """Send `start`, then `piece` again and again."""

    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        while True:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(seconds_between)

    return act


async def refused(http: Http, path: str = "/metrics") -> Unavailable:
    """Ask and return why it was refused."""
    with pytest.raises(Unavailable) as caught:
        await http.get(path)
    await http.close()
    return caught.value


def mocked(handler: Callable[[httpx.Request], httpx.Response], url: str = "https://api.example.com/v1", **more) -> Http:
    """Make a connection that `handler` answers."""
    return Http(url, transport=httpx.MockTransport(handler), **more)
