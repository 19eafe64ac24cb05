"""Agents that write logs, and infertop that reads them into a ledger, stops and begins again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from collectors import KINDS
from infertop.engine.clock import SystemClock
from infertop.engine.collector import SourceConfig
from infertop.history.bookmarks import read_bookmarks
from infertop.history.statements import Page, statements_between
from infertop.readings.model import Batch, Statement
from tests.history.stating import Books

SAMPLES = Path(__file__).parents[1] / "payloads" / "agent_logs"
NOW = 1_790_000_000.0


class Reading:
    """One kind's collector over a folder, its statements stored; `restart` begins anew with what is stored."""

    def __init__(self, kind: str, folder: Path) -> None:
        self.kind = kind
        self.folder = folder
        self.books = Books()
        self.now = NOW
        self.polls: list[Batch] = []
        self.restart()

    def restart(self, bookmarks: Mapping[str, str] | None = None) -> None:
        config = SourceConfig(self.kind, self.kind, options={"folders": [str(self.folder)]})
        self.collector: Any = KINDS[self.kind].make(config, None, SystemClock())
        known = read_bookmarks(self.books.connection).get(self.kind, {}) if bookmarks is None else bookmarks
        self.collector.resume(known)

    async def poll(self) -> Batch:
        """Read once, and keep what came."""
        self.now += 5
        batch: Batch = await self.collector.collect(self.now)
        self.polls.append(batch)
        self.books.take(Page.of(batch))
        return batch

    async def read(self) -> list[Statement]:
        """Read until nothing is new, and return what stands."""
        while (await self.poll()).bookmarks:
            pass
        return self.standing()

    def standing(self) -> list[Statement]:
        return list(statements_between(self.books.connection, self.kind, 0, 1e12))

    def keys(self) -> list[str]:
        """The keys of what stands."""
        return [each.key for each in self.standing()]

    def tokens(self) -> dict[str, int]:
        """Every token of the ledger, by class."""
        found: dict[str, int] = {}
        for row in self.books.lines():
            found[row[5]] = found.get(row[5], 0) + row[7]
        return found


def message(
    number: int, output: int = 10, *, session: str = "s1", at: float = 0.0, request: str | None = "", **more: Any
) -> dict[str, Any]:
    """A line of Claude Code's about an answer; its time is `at` seconds into the number's own minute."""
    usage = {"input_tokens": 3, "cache_creation_input_tokens": 5, "cache_read_input_tokens": 7, "output_tokens": output}
    line = {
        "type": "assistant",
        "timestamp": f"2026-03-11T{number // 60 % 24:02}:{number % 60:02}:{at:06.3f}Z",
        "sessionId": session,
        "requestId": f"req_{number}" if request == "" else request,
        "cwd": "/repo",
        "message": {
            "id": f"msg_{number}",
            "model": "claude-opus-4-6",
            "content": [{"type": "text", "text": 'CANARY "usage" said'}],
            "usage": usage,
        },
    }
    line |= more
    return {name: value for name, value in line.items() if value is not None}


def add(path: Path, *lines: Mapping[str, Any] | str) -> None:
    """Append lines to a log."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        for line in lines:
            file.write((line if isinstance(line, str) else json.dumps(line, separators=(",", ":"))) + "\n")
