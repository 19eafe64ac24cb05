"""The lines of a LiteLLM page, followed one by one in bounded memory: by how much each grew since the page before.

A page may have hundreds of thousands of lines, one for each combination of fifteen labels, and LiteLLM may drop the
oldest of them at any time (prometheus_metrics_max_series_per_metric, _ttl_seconds). Sums over a page would fall then,
so each line that is needed is remembered by the hash of its labels, and what it grew by goes to whom it belongs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

from collectors._litellm_workers import Worker, Workers
from infertop.readings.exposition_line import Bad, RawSeries, Read, judge

T = TypeVar("T")

MAX_LINES = 100_000
# No proxy has served so many tokens or dollars: what says so is no count, and must not reach the sums.
_ABSURD = 1e15
_MAX_LINE_BYTES = 64 * 2**10
_HEAD_BYTES = 256
_STARTED = "process_start_time_seconds"
# So many pages may lack a line before it is forgotten: what comes back then counts from 0.
_PATIENCE = 10


@dataclass(slots=True)
class _Line(Generic[T]):
    """A line: whose it is (None: nobody's), its value on the page that it was on last, and which that was."""

    of: T | None
    now: float
    page: int


class Lines(Generic[T]):
    """The lines of `wanted` names; `whose` says to whom a new one belongs, None where it is of no concern.

    `feed` takes a page piece by piece, `grown` ends it. Of the page so far, `found` counts the lines that were wanted,
    `rejected` those that could not be read (`first` is one), `beyond` those beyond the limit; `marked` says that `mark`
    is somewhere on it, and `head` is how it begins.
    """

    def __init__(self, wanted: frozenset[str], mark: bytes, whose: Callable[[RawSeries], T | None]) -> None:
        self._mark = mark
        self._wanted = frozenset(name.encode() for name in {*wanted, _STARTED})
        self._whose = whose
        self._lines: dict[int, _Line[T]] = {}
        self._page = 0
        self._workers = Workers()
        self.begin()

    def begin(self) -> None:
        """Take what follows for a new page; one that was not ended is as if it had not been there."""
        self._page += 1
        self._rest = b""
        self._skipping = False
        self._start: float | None = None
        self.found, self.rejected, self.beyond = 0, 0, 0
        self.first, self.head, self.marked = "", b"", False

    def feed(self, piece: bytes) -> None:
        """Take the next piece of the page."""
        if len(self.head) < _HEAD_BYTES:
            self.head += piece[:_HEAD_BYTES]
        text = self._rest + piece
        self.marked = self.marked or self._mark in text
        lines = text.split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if self._skipping:
                self._skipping = False
            elif line and not line.startswith(b"#"):
                self._take(line)
        if len(self._rest) > _MAX_LINE_BYTES:
            if not self._skipping:
                self._reject("is longer than a line may be", self._rest)
            self._rest, self._skipping = b"", True

    @property
    def whole(self) -> bool:
        """Whether the page so far ends with a line's end."""
        return not self._rest and not self._skipping

    def grown(self, since: float) -> Iterator[tuple[T, float]]:
        """End the page: yield to whom it belongs that a line is there, and by how much it grew.

        The first page of a process that began before `since` is where it begins. A line that is new on a later page
        counts from 0, as all of a process that began later; one that fell counts in full.
        """
        worker = self._workers.of(self._start, since)
        first, worker.fresh = worker.fresh and worker.baseline, False
        worker.page += 1
        for key, line in self._lines.items():
            if line.page != self._page:
                continue
            last = worker.lines.get(key)
            before = 0.0 if last is None or line.now < last[0] else last[0]
            worker.lines[key] = line.now, worker.page
            if line.of is not None:
                yield line.of, 0.0 if first else line.now - before
        self._forget(worker)

    def _forget(self, worker: Worker) -> None:
        """Forget the lines that a process has not had for some pages: what comes back then counts from 0."""
        gone = [key for key, (_, page) in worker.lines.items() if worker.page - page > _PATIENCE]
        for key in gone:
            del worker.lines[key]
        for key in gone if len(self._lines) < MAX_LINES else list(self._lines):
            if not self._workers.has(key):
                self._lines.pop(key, None)

    def _take(self, text: bytes) -> None:
        head, _, value = text.rpartition(b" ")
        if head[-1:] == b"}" and b"} " not in head:
            name = head.partition(b"{")[0]
            if name not in self._wanted:
                return
            line = self._lines.get(hash(head))
            if line is not None:
                try:
                    self._set(line, float(value))
                except ValueError:
                    self._reject("has no number for a value", text)
                return
        self._learn(text)

    def _learn(self, text: bytes) -> None:
        verdict = judge(text, self._wanted)
        if isinstance(verdict, Bad):
            self._reject(verdict.reason, text)
        if not isinstance(verdict, Read):
            return
        if verdict.series.name == _STARTED:
            self._start = verdict.value if math.isfinite(verdict.value) else None
            return
        key = hash(text[: verdict.size])
        line = self._lines.get(key)
        if line is None:
            if len(self._lines) >= MAX_LINES:
                self.beyond += 1
                return
            line = self._lines[key] = _Line(self._whose(verdict.series), 0.0, 0)
        self._set(line, verdict.value)

    def _set(self, line: _Line[T], value: float) -> None:
        if 0 <= value < _ABSURD:
            line.now, line.page = value, self._page
            self.found += 1

    def _reject(self, reason: str, text: bytes) -> None:
        self.rejected += 1
        self.first = self.first or f"a line {reason}: {text[:80].decode('utf-8', 'replace')}"
