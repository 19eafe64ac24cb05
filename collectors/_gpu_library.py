"""A vendor's library that reads this machine's GPUs: it has one thread, because a sick GPU can block for seconds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import Protocol

from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.engine.worker import Stuck, Worker
from infertop.readings.model import Batch, Series

Row = tuple[Series, float]
series = lru_cache(maxsize=16384)(Series.of)


def process_rows(
    gpu: str, pid: int, named: Mapping[str, str], memory: float | None, utilization: float | None = None
) -> Iterator[Row]:
    """Yield the readings of one process on `gpu`: bytes and the share of SM time, as far as they are known."""
    labels = {"gpu": gpu, "pid": str(pid)}
    yield series("gpu_process_info", **labels, **named), 1.0
    if memory is not None:
        yield series("gpu_process_memory_bytes", **labels), memory
    if utilization is not None:
        yield series("gpu_process_utilization", **labels), utilization


@dataclass(slots=True)
class Reading:
    """One reading of all GPUs, and a sentence about those that could not be read, if any."""

    rows: list[Row] = field(default_factory=list)
    note: str = ""


class Session(Protocol):
    """The library between its initialisation and its shutdown; `at` says what is being read just now."""

    at: str

    def read(self, ts: float) -> Reading:
        """Return what all GPUs say; raise `Unavailable` where none does. It blocks."""
        ...

    def close(self) -> None:
        """Shut the library down, as far as it still answers. It blocks."""
        ...


class GpuLibrary:
    """Reads all GPUs of this machine; a GPU or a part of one is known by its UUID."""

    kind = ""

    def __init__(self, config: SourceConfig, deadline: float) -> None:
        self.config = config
        self._deadline = deadline
        self._worker = Worker(self.kind)
        self._session: Session | None = None
        self._series: tuple[Series, ...] = ()
        self._answered = False

    async def collect(self, ts: float) -> Batch:
        """Read every GPU once; raise `Unavailable` where there is none or the library does not answer in time."""
        try:
            reading = await self._worker.call(partial(self._read, ts), self._deadline)
        except Stuck as stuck:
            at = self._session.at if self._session else ""
            woken = self._answered or at.startswith("GPU")
            raise Unavailable(self.waiting(stuck.seconds, at, woken), state=State.STALE) from None
        self._answered = True
        found = tuple(row[0] for row in reading.rows)
        if found != self._series:
            self._series = found
        values = tuple(row[1] for row in reading.rows)
        return Batch(self.config.name, ts, self._series, values, notes=(reading.note,) if reading.note else ())

    async def close(self) -> None:
        """Shut the library down, unless it hangs."""
        if self._session is not None:
            try:
                await self._worker.call(self._session.close, self._deadline)
            except Stuck:
                return
        self._worker.close()

    def open(self) -> Session:
        """Load the library; raise `Unavailable` where it cannot be. It is called in the thread, at the first poll."""
        raise NotImplementedError

    def waiting(self, seconds: float, at: str, woken: bool) -> str:
        """Return the sentence for a call that is not back after `seconds`; `woken`: a GPU has answered or was asked."""
        raise NotImplementedError

    def _read(self, ts: float) -> Reading:
        if self._session is None:
            self._session = self.open()
        return self._session.read(ts)
