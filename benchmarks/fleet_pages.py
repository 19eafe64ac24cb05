"""Two hundred vLLM servers that do not exist: each port serves what a real server said, a page a second.

    python benchmarks/fleet_pages.py TARGETS      prints its ports as JSON and serves until killed

Every target is at another second of the recording, and of one of eight models. Who asks is told apart by what stands
before /metrics; `/begin` forgets what was asked so far, `/asked` says how often each asked, how many times it let more
than one and a half intervals pass (its misses), and the longest that it let pass, as JSON.
"""

from __future__ import annotations

import asyncio
import json
import socket
import sys
import time
from collections import defaultdict
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.machine import Recorded

MODELS, OFFSETS = 8, 25
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\nContent-Length: %d\r\n\r\n"
_NOTHING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class Pages:
    """The answers of all targets, each made once."""

    def __init__(self) -> None:
        self._recorded, self._began = Recorded(), time.monotonic()
        self._model = self._recorded.page(0).split(b'model_name="', 1)[1].split(b'"', 1)[0]
        self._made: dict[tuple[int, int], bytes] = {}

    def answer(self, target: int) -> bytes:
        """Return the whole answer of a target at this second."""
        second = int(time.monotonic() - self._began) + target * 7 % OFFSETS
        key = (second, target % MODELS)
        if key not in self._made:
            body = self._recorded.page(second).replace(self._model, self._model + b"-%d" % key[1])
            self._made[key] = _HEAD % len(body) + body
            self._made.pop((second - OFFSETS - 2, key[1]), None)
        return self._made[key]


class Asked:
    """When each asked each target."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, int], list[float]] = defaultdict(list)

    def note(self, who: str, target: int) -> None:
        """Take that a target was asked now."""
        self._times[who, target].append(time.monotonic())

    def begin(self) -> None:
        """Forget what was before: of each the last time alone."""
        self._times = defaultdict(list, {key: times[-1:] for key, times in self._times.items()})

    def sums(self, interval: float) -> dict[str, list[float]]:
        """Return how often each asked, what it missed, and the longest that it let pass."""
        found: dict[str, list[float]] = {}
        now = time.monotonic()
        for (who, _), times in self._times.items():
            gaps = [after - before for before, after in pairwise(times)]
            left = now - times[-1]  # whoever stopped asking misses ever more
            asked, missed, longest = found.get(who, [0, 0, 0.0])
            missed += sum(round(gap / interval) - 1 for gap in gaps if gap > 1.5 * interval)
            missed += round(left / interval) if left > 1.5 * interval else 0
            found[who] = [asked + len(gaps), missed, max([longest, left, *gaps])]
        return found


class Target(asyncio.Protocol):
    """One connection to one target."""

    def __init__(self, number: int, pages: Pages, asked: Asked) -> None:
        self._number, self._pages, self._asked = number, pages, asked
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer what was asked whole."""
        self._received += data
        while b"\r\n\r\n" in self._received:
            request, _, self._received = self._received.partition(b"\r\n\r\n")
            self._transport.write(self._answer(request.split(b" ", 2)[1].decode()))

    def _answer(self, path: str) -> bytes:
        who, metrics, _ = path.strip("/").partition("/metrics")
        if metrics:
            self._asked.note(who, self._number)
            return self._pages.answer(self._number)
        if path == "/begin":
            self._asked.begin()
        elif not path.startswith("/asked"):
            return _NOTHING  # whoever looks for engines on this machine finds none here
        body = json.dumps(self._asked.sums(float(path.partition("=")[2] or 1))).encode()
        return _HEAD % len(body) + body


async def serve(targets: int) -> None:
    """Serve on a port for each target until killed."""
    loop = asyncio.get_running_loop()
    pages, asked = Pages(), Asked()
    ports = []
    for number in range(targets):
        listening = socket.create_server(("127.0.0.1", 0), backlog=64)
        ports.append(listening.getsockname()[1])
        await loop.create_server(lambda number=number: Target(number, pages, asked), sock=listening)  # type: ignore[misc]
    print(json.dumps({"ports": ports, "bytes": len(pages.answer(0))}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
