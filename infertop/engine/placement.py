"""Which source holds which GPU: joins NVML's processes, the process tree and the sources into `placement_*` series.

A source's processes are the server on its port and all that descend from it (engine cores, tensor-parallel workers,
Python stubs). A process that leads to no source stays unattributed: its memory is held by nobody that is known. A
source without any process is on the GPUs that its [[source]] names, or that it names itself (Triton).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from infertop.engine.attribution import Holder, attribute
from infertop.engine.collector import Collector
from infertop.engine.machine import Machine
from infertop.engine.pattern import Pattern, Patterns
from infertop.engine.processes import Scan
from infertop.engine.worker import Stuck, Worker
from infertop.readings.model import Batch, Series

__all__ = ["Holder", "Placed", "Placement", "gpu_processes", "named_gpus"]

_DEADLINE_SECONDS = 2.0
_AGAIN_SECONDS = 10.0
_LEAST_PREFIX = 8
_GPU_TIME = "compute_seconds_total"

Extra = list[tuple[Series, float]]


@dataclass(slots=True)
class _Use:
    """What one process takes of a GPU: bytes and a ratio, None where not known."""

    memory: float | None = None
    utilization: float | None = None


@dataclass(slots=True)
class _Gpu:
    """A GPU as a batch tells it."""

    index: str = ""
    used: float | None = None
    processes: dict[int, _Use] = field(default_factory=dict)


class Placement:
    """Adds to each NVML batch who holds which GPU.

    Processes are looked up, in a thread, when those on the GPUs or the sources change, and every ten seconds while
    some process belongs to nobody: its server may not have opened its port yet.
    """

    def __init__(self, patterns: Sequence[Pattern], look: Callable[[], Scan] | None = None) -> None:
        self._patterns = Patterns(patterns)
        self._scan = look or Machine().scan
        self._worker = Worker("placement")
        self._asked: tuple[frozenset[int], tuple[Holder, ...]] | None = None
        self._asked_ts = 0.0
        self._owners: dict[int, str] = {}
        self._before: tuple[tuple[Series, ...], tuple[Series, ...]] = ((), ())
        self._series: tuple[Series, ...] = ()

    async def join(self, batch: Batch, holders: Sequence[Holder]) -> Batch:
        """Return `batch` with its placement; its `series` is the same object as before while the shape is."""
        gpus = _gpus(batch)
        pids = frozenset(pid for gpu in gpus.values() for pid in gpu.processes)
        await self._look_up(pids, tuple(holders), batch.ts)
        extra: Extra = []
        found = set(self._owners.values())
        sure = [each if each.gpus or each.source in found else replace(each, gpus=each.named) for each in holders]
        for uuid, gpu in gpus.items():
            extra += _held(uuid, gpu, self._owners, _told(uuid, gpu, sure))
        series = tuple(each for each, _ in extra)
        if self._before[0] is not batch.series or self._before[1] != series:
            self._before, self._series = (batch.series, series), batch.series + series
        return replace(batch, series=self._series, values=batch.values + tuple(value for _, value in extra))

    def close(self) -> None:
        """Let the thread end."""
        self._worker.close()

    async def _look_up(self, pids: frozenset[int], holders: tuple[Holder, ...], ts: float) -> None:
        asked = (pids, holders)
        complete = pids <= self._owners.keys()
        if asked == self._asked and (complete or ts - self._asked_ts < _AGAIN_SECONDS):
            return
        self._asked, self._asked_ts = asked, ts
        if not pids or not holders:
            self._owners = {}
            return
        try:
            self._owners = await self._worker.call(partial(self._attribute, pids, holders), _DEADLINE_SECONDS)
        except Stuck:
            # What was known of the processes that are still there stays; the rest is asked again later.
            self._owners = {pid: source for pid, source in self._owners.items() if pid in pids}

    def _attribute(self, pids: frozenset[int], holders: tuple[Holder, ...]) -> dict[int, str]:
        return attribute(self._scan(), pids, holders, self._patterns)


class Placed:
    """The NVML collector with placement: what it collects says who holds which GPU.

    `holders` is asked at each poll for the sources that run now.
    """

    def __init__(self, gpus: Collector, placement: Placement, holders: Callable[[], Sequence[Holder]]) -> None:
        self.kind = gpus.kind
        self.config = gpus.config
        self._gpus = gpus
        self._placement = placement
        self._holders = holders

    async def collect(self, ts: float) -> Batch:
        """Read the GPUs and add their placement; raise `Unavailable` as the collector does."""
        return await self._placement.join(await self._gpus.collect(ts), self._holders())

    async def close(self) -> None:
        """Close the collector and let the thread end."""
        self._placement.close()
        await self._gpus.close()


def gpu_processes(*batches: Batch) -> dict[int, tuple[str, ...]]:
    """Return the UUIDs of the GPUs that each process in these batches is on."""
    found: dict[int, tuple[str, ...]] = {}
    for uuid, gpu in (each for batch in batches for each in _gpus(batch).items()):
        for pid in gpu.processes:
            found[pid] = (*found.get(pid, ()), uuid)
    return found


def named_gpus(series: Iterable[Series]) -> tuple[str, ...]:
    """Return the UUIDs of the GPUs for which an engine's series give its GPU time."""
    return tuple(sorted({gpu for each in series if each.metric == _GPU_TIME and (gpu := each.label("gpu"))}))


def _gpus(batch: Batch) -> dict[str, _Gpu]:
    gpus: dict[str, _Gpu] = {}
    for series, value in zip(batch.series, batch.values, strict=True):
        uuid = series.label("gpu")
        if uuid is None or not isinstance(value, float):
            continue
        gpu = gpus.setdefault(uuid, _Gpu())
        if series.metric == "gpu_info":
            gpu.index = series.label("index") or ""
        elif series.metric == "gpu_memory_used_bytes":
            gpu.used = value
        elif series.metric.startswith("gpu_process_") and (pid := series.label("pid") or "").isdecimal():
            use = gpu.processes.setdefault(int(pid), _Use())
            if series.metric == "gpu_process_memory_bytes":
                use.memory = value
            elif series.metric == "gpu_process_utilization":
                use.utilization = value
    return gpus


def _told(uuid: str, gpu: _Gpu, holders: Sequence[Holder]) -> dict[str, bool]:
    """Return, for each source whose configuration names its GPUs, whether this one is among them."""
    return {
        holder.source: any(_names(said, uuid, gpu.index) for said in holder.gpus) for holder in holders if holder.gpus
    }


def _names(said: str, uuid: str, index: str) -> bool:
    beginning = said.rstrip("…")
    return said in (index, uuid) or (len(beginning) >= _LEAST_PREFIX and uuid.startswith(beginning))


def _held(uuid: str, gpu: _Gpu, owners: Mapping[int, str], told: Mapping[str, bool]) -> Extra:
    """Return who holds one GPU. Sources that are told to hold it share what belongs to nobody else on it."""
    by_source: dict[str, list[_Use]] = {source: [] for source, here in told.items() if here}
    sharers = len(by_source)
    loose: list[_Use] = []
    for pid, use in gpu.processes.items():
        source = owners.get(pid)
        if source is None or told.get(source) is False:
            loose.append(use)
        else:
            by_source.setdefault(source, []).append(use)
    rows: Extra = []
    for source in sorted(by_source):
        own = by_source[source]
        if told.get(source):
            number = len(own) + len(loose) / sharers
            memory = _shared([use.memory for use in own], [use.memory for use in loose], sharers)
            load = _shared([use.utilization for use in own], [use.utilization for use in loose], sharers)
            if memory is None and gpu.used is not None:
                others = [use for other, uses in by_source.items() if not told.get(other) for use in uses]
                memory = max(0.0, gpu.used - sum(use.memory or 0.0 for use in others)) / sharers
        else:
            number, memory, load = len(own), _sum([use.memory for use in own]), _sum([use.utilization for use in own])
        rows += _rows(uuid, source, number, memory, load)
    return rows


def _rows(uuid: str, source: str, processes: float, memory: float | None, utilization: float | None) -> Extra:
    rows: Extra = [(Series.of("placement_processes", gpu=uuid, holder=source), float(processes))]
    if memory is not None:
        rows.append((Series.of("placement_memory_bytes", gpu=uuid, holder=source), memory))
    if utilization is not None:
        rows.append((Series.of("placement_utilization", gpu=uuid, holder=source), min(1.0, utilization)))
    return rows


def _sum(values: Sequence[float | None]) -> float | None:
    """Return the sum, None where a part is not known."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _shared(own: Sequence[float | None], loose: Sequence[float | None], sharers: int) -> float | None:
    """Return a source's own part and its share of what belongs to nobody, None where there is neither."""
    mine, rest = _sum(own), _sum(loose)
    if mine is None or rest is None or not (own or loose):
        return None
    return mine + rest / sharers
