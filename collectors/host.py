"""This machine: its processors and memory, and what infertop itself takes of them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from collectors.kind import Kind
from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.engine.worker import Stuck, Worker
from infertop.readings.model import Batch, Series

if TYPE_CHECKING:
    import psutil

_DEADLINE_SECONDS = 3.0
_WAITING = ("iowait", "idle")
# Linux counts the time of guests in `user` and `nice` as well.
_COUNTED_TWICE = ("guest", "guest_nice")


class Host:
    """Reads the machine through psutil. CPU shares are between two polls, so the first poll has none."""

    kind = "host"

    def __init__(self, config: SourceConfig) -> None:
        self.config = config
        self._worker = Worker("host")
        self._own: psutil.Process | None = None
        self._before: tuple[float, float, float, float] | None = None
        self._series: tuple[Series, ...] = ()

    async def collect(self, ts: float) -> Batch:
        """Read once; raise `Unavailable` where the system does not answer in time or does not let itself be read."""
        try:
            values = await self._worker.call(partial(self._read, ts), _DEADLINE_SECONDS)
        except Stuck as stuck:
            raise Unavailable(f"the system has not answered for {stuck.seconds:.0f} s", state=State.STALE) from None
        except OSError as problem:
            raise Unavailable(f"processor and memory use cannot be read: {problem.strerror or 'refused'}") from None
        series = tuple(Series(metric) for metric in values)
        if series != self._series:
            self._series = series
        return Batch(self.config.name, ts, self._series, tuple(values.values()))

    async def close(self) -> None:
        """Let the thread end."""
        self._worker.close()

    def _read(self, ts: float) -> dict[str, float]:
        import psutil

        if self._own is None:
            self._own = psutil.Process()
        memory = psutil.virtual_memory()
        values = {
            "host_memory_used_bytes": float(memory.total - memory.available),
            "host_memory_total_bytes": float(memory.total),
            "host_process_memory_bytes": float(self._own.memory_info().rss),
        }
        own = self._own.cpu_times()
        now = (ts, *_cpu_seconds(psutil.cpu_times()._asdict()), float(own.user + own.system))
        if self._before is not None:
            values |= _shares(self._before, now)
        self._before = now
        return values


def _cpu_seconds(times: dict[str, float]) -> tuple[float, float]:
    """Return the seconds of all processors together, and those in which they worked."""
    whole = sum(times.values()) - sum(times.get(name, 0.0) for name in _COUNTED_TWICE)
    return whole, whole - sum(times.get(name, 0.0) for name in _WAITING)


def _shares(before: tuple[float, ...], now: tuple[float, ...]) -> dict[str, float]:
    seconds, whole, busy, own = (after - earlier for earlier, after in zip(before, now, strict=True))
    shares: dict[str, float] = {}
    if whole > 0:
        shares["host_cpu_utilization"] = min(1.0, max(0.0, busy / whole))
    if seconds > 0:
        shares["host_process_cpu_ratio"] = max(0.0, own / seconds)
    return shares


KIND = Kind(
    name="host",
    help="this machine's processors and memory, and what infertop itself takes of them",
    make=lambda config, _http, _clock: Host(config),
)
