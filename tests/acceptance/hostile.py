"""Servers that misbehave, each on a port of its own of 127.0.0.1."""

from __future__ import annotations

import gzip
import random
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
PAGE = b'vllm:generation_tokens_total{model_name="m"} 1\n'
Act = Callable[[socket.socket, threading.Event], None]


def whole(body: bytes, status: str = "200 OK", *headers: str) -> bytes:
    """Make a complete answer."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def says(data: bytes) -> Act:
    """Send `data` and close."""
    return lambda client, _stop: client.sendall(data)


def drips(data: bytes, piece: bytes, seconds: float) -> Act:
    """Send `data`, then `piece` again and again with a pause between, for ever."""

    def act(client: socket.socket, stop: threading.Event) -> None:
        client.sendall(data)
        while not stop.wait(seconds):
            client.sendall(piece)

    return act


def floods(data: bytes, piece: bytes) -> Act:
    """Send `data`, then `piece` without a pause, for ever."""

    def act(client: socket.socket, stop: threading.Event) -> None:
        client.sendall(data)
        while not stop.is_set():
            client.sendall(piece)

    return act


def bomb() -> bytes:
    """Return 256 MB of blanks in a few hundred kilobytes of gzip."""
    body = gzip.compress(b" " * 2**28, 9)
    return whole(body, "200 OK", "Content-Encoding: gzip")


@contextmanager
def serving(act: Act, asked: list[bytes] | None = None) -> Iterator[str]:
    """Treat every client to `act` while the block runs; the heads of their requests go into `asked`."""
    stop = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0), backlog=16)
    listener.settimeout(0.05)

    def treat(client: socket.socket) -> None:
        with client, suppress(OSError):
            client.settimeout(20.0)
            head = client.recv(65536)
            if asked is not None:
                asked.append(head)
            act(client, stop)

    def accept() -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                client, _ = listener.accept()
                threading.Thread(target=treat, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        stop.set()
        thread.join(5)
        listener.close()


@contextmanager
def serving_all(acts: dict[str, Act]) -> Iterator[dict[str, str]]:
    """Start a server for each act; return their URLs by name."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(serving(act)) for name, act in acts.items()}


def closed_port() -> str:
    """Return a URL at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"


_JUNK = ("", "\x00", "<div class='err'>", "\ufeff", "{", "500 Internal Server Error ", "\x1b[31m", "# HELP ")


def garbled(page: str, seed: int) -> str:
    """Return a page half of whose lines are gone or cannot be read; those that can say what they said."""
    chance = random.Random(seed)

    def spoilt(line: str) -> list[str]:
        way = chance.randrange(4)
        if way == 0:
            return []
        if way == 1:
            return [chance.choice(_JUNK[1:]) + line]
        if way == 2:
            return [line[: chance.randrange(line.find(" ") + 1)]]
        return [line.rpartition(" ")[0] + " " + chance.choice(("x1", "1_000", "0x1p3", "1 2 3", "--1"))]

    lines = page.removesuffix("\n").split("\n")
    return "".join(f"{each}\n" for line in lines for each in (spoilt(line) if chance.random() < 0.5 else [line]))
