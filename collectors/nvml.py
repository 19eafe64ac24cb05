"""NVIDIA GPUs through NVML: load, memory, power, energy, clocks, processes, MIG instances.

The library is loaded at the first poll and used from one thread, because a sick GPU can block a call for seconds.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from collectors.kind import Kind
from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.engine.worker import Stuck, Worker
from infertop.readings.model import Batch, Series

if TYPE_CHECKING:
    from collectors._nvml_session import Reading, Session

_DEADLINE_SECONDS = 3.0


class Nvml:
    """Reads all GPUs of this machine; a GPU or MIG instance is known by its UUID."""

    kind = "nvml"

    def __init__(self, config: SourceConfig, deadline: float = _DEADLINE_SECONDS) -> None:
        self.config = config
        self._deadline = deadline
        self._worker = Worker("nvml")
        self._session: Session | None = None
        self._series: tuple[Series, ...] = ()
        self._answered = False

    async def collect(self, ts: float) -> Batch:
        """Read every GPU once; raise `Unavailable` where there is none or NVML does not answer in time."""
        try:
            reading = await self._worker.call(partial(self._read, ts), self._deadline)
        except Stuck as stuck:
            raise Unavailable(self._waiting(stuck.seconds), state=State.STALE) from None
        self._answered = True
        series = tuple(row[0] for row in reading.rows)
        if series != self._series:
            self._series = series
        values = tuple(row[1] for row in reading.rows)
        return Batch(self.config.name, ts, self._series, values, notes=(reading.note,) if reading.note else ())

    async def close(self) -> None:
        """Shut NVML down, unless it hangs."""
        if self._session is not None:
            try:
                await self._worker.call(self._session.close, self._deadline)
            except Stuck:
                return
        self._worker.close()

    def _read(self, ts: float) -> Reading:
        from collectors._nvml_session import Session

        if self._session is None:
            self._session = Session()
        return self._session.read(ts)

    def _waiting(self, seconds: float) -> str:
        at = self._session.at if self._session else ""
        if self._answered or at.startswith("GPU"):
            return f"NVML has not answered for {seconds:.0f} s ({at}): see `nvidia-smi` and `dmesg`"
        return (
            f"NVML has not answered for {seconds:.0f} s: its start is slow without persistence mode (nvidia-smi -pm 1)"
        )


KIND = Kind(
    name="nvml",
    help="NVIDIA GPUs of this machine: load, memory, power, energy, processes",
    make=lambda config, _http, _clock: Nvml(config),
)
