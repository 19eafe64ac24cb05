"""An account with a provider, in memory: what was used minute by minute and what it was billed, with every fault.

`tests/provider_faces.py` shows it as OpenAI or Anthropic would; `transport` and `serve` are ways to ask it.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple, Protocol
from urllib.parse import parse_qsl, urlsplit

import httpx

MINUTE, HOUR, DAY = 60, 3600, 86_400
CLASSES = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")
# 1e-9 USD for a token of each class, so that every sum is exact.
NANO = {"input": 2500, "cache_read": 250, "cache_write_5m": 3000, "cache_write_1h": 5000, "output": 10_000}


class Group(NamedTuple):
    """Who used what, and how."""

    model: str = "gpt-4o"
    key: str = "key_a"
    project: str = "proj_a"
    user: str = "user_a"
    tier: str = ""
    batch: bool = False
    family: str = "completions"


Items = Sequence[tuple[str, str]]


class Answer(NamedTuple):
    """An HTTP answer."""

    status: int
    body: Any
    headers: Mapping[str, str] = {}


class Asked(NamedTuple):
    """A request, as it was."""

    path: str
    items: tuple[tuple[str, str], ...]

    @property
    def params(self) -> dict[str, str]:
        """The parameters, the last of each name."""
        return dict(self.items)


Fault = Callable[[Asked], Answer | None]
"""Answers in the place of the account, or lets it answer; it may raise what a connection raises."""


Content = dict[Group, Counter[str]]


class Face(Protocol):
    """How an account is shown."""

    def refuses(self, headers: Mapping[str, str]) -> bool:
        """Say whether the key is wrong."""
        ...

    def breach(self, asked: Asked) -> str:
        """Return what a request does that the contract does not allow."""
        ...

    def answer(self, world: World, asked: Asked) -> Answer:
        """Answer a good request."""
        ...


@dataclass(frozen=True)
class Billed:
    """What a day was billed for one thing; `item` is what the provider calls it."""

    usd: Decimal
    model: str | None = None
    resource: str | None = None
    key: str | None = None
    project: str | None = None
    item: str | None = None


@dataclass
class World:
    """An account. `use` and `restate` change what is known; `now` is the provider's own time."""

    face: Face
    now: float
    page_buckets: int = 1000
    uses: dict[tuple[int, Group], Counter[str]] = field(default_factory=dict)
    bills: dict[int, list[Billed]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    mangle: Callable[[Asked, Any], Any] = lambda _asked, page: page
    asked: list[Asked] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)

    def use(self, ts: float, group: Group = Group(), **counts: int) -> None:  # noqa: B008 - a tuple
        """Use something at a time, besides what was used then already."""
        self.uses.setdefault((int(ts // MINUTE * MINUTE), group), Counter()).update(counts)

    def restate(self, ts: float, group: Group = Group(), **counts: int) -> None:  # noqa: B008 - a tuple
        """Tell otherwise what a group used in a minute; with no counts it used nothing."""
        self.uses.pop((int(ts // MINUTE * MINUTE), group), None)
        if counts:
            self.use(ts, group, **counts)

    def buckets(
        self, start: int, end: int, width: int, family: str
    ) -> Iterator[tuple[int, int, dict[Group, Counter[str]]]]:
        """Iterate over buckets of a span, empty ones too; the first may be cut by the start of the span."""
        while start < min(end, self.now):
            until = min((start // width + 1) * width, end)
            found: Content = {}
            for (minute, group), counts in self.uses.items():
                if start <= minute < until and group.family == family:
                    found.setdefault(group, Counter()).update(counts)
            yield start, until, found
            start = until

    def truth(self, since: float = 0.0) -> Counter[tuple[str, str, str, str]]:
        """What was used: tokens (and requests) by (model, key, project, class)."""
        found: Counter[tuple[str, str, str, str]] = Counter()
        for (minute, group), counts in self.uses.items():
            if minute >= since:
                for name, amount in counts.items():
                    found[group.model, group.key, group.project, name] += amount
        return +found

    def usd_nano(self, since: float = 0.0, until: float = 1e12) -> int:
        """What was used between two times, in 1e-9 USD at the prices of NANO."""
        return sum(
            NANO.get(name, 0) * amount
            for (minute, _), counts in self.uses.items()
            if since <= minute < until
            for name, amount in counts.items()
        )

    def bill(self, day: float, factor: str = "1") -> None:
        """Bill a day for what was used in it, each group and class, times a factor."""
        begin = int(day // DAY) * DAY
        cost: Counter[tuple[str, str, str, str]] = Counter()
        for (minute, group), counts in self.uses.items():
            if begin <= minute < begin + DAY:
                for name, amount in counts.items():
                    cost[group.model, name, group.key, group.project] += NANO.get(name, 0) * amount
        self.bills[begin] = [
            Billed(Decimal(nano) / 10**9 * Decimal(factor), *who) for who, nano in sorted(cost.items()) if nano
        ]

    def respond(self, path: str, items: Items, headers: Mapping[str, str]) -> Answer:
        """Answer a request as the provider would, or as a fault does."""
        asked = Asked(path, tuple(items))
        self.asked.append(asked)
        if self.face.refuses(headers):
            return error(401, "Incorrect API key provided: sk-ad***123")
        breach = self.face.breach(asked)
        if breach:
            self.breaches.append(breach)
            return error(400, breach)
        for fault in list(self.faults):
            answer = fault(asked)
            if answer is not None:
                return answer
        answer = self.face.answer(self, asked)
        return answer._replace(body=self.mangle(asked, answer.body)) if answer.status == 200 else answer

    def transport(self) -> httpx.MockTransport:
        """A way to ask it that opens no connection."""

        def handle(request: httpx.Request) -> httpx.Response:
            url = request.url
            answer = self.respond(url.path, parse_qsl(url.query.decode(), keep_blank_values=True), request.headers)
            return httpx.Response(answer.status, headers=dict(answer.headers), **_content(answer.body))

        return httpx.MockTransport(handle)

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        """Serve it on this machine, and give its URL."""
        server = await asyncio.start_server(self._connected, "127.0.0.1", 0)
        async with server:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, httpx.HTTPError, asyncio.CancelledError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                url = urlsplit(head[0].split(" ")[1])
                headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:])}
                answer = self.respond(url.path, parse_qsl(url.query, keep_blank_values=True), headers)
                body = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
                said = {"Content-Type": "application/json", **answer.headers, "Content-Length": str(len(body))}
                lines = "".join(f"{name}: {value}\r\n" for name, value in said.items())
                writer.write(f"HTTP/1.1 {answer.status} X\r\n{lines}\r\n".encode("latin-1") + body)
                await writer.drain()
        writer.close()


def error(status: int, message: str, **headers: str) -> Answer:
    """An error as both providers tell it."""
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"error": {"message": message, "type": "error"}}, said)


def _content(body: Any) -> dict[str, Any]:
    return {"content": body} if isinstance(body, bytes) else {"json": body}
