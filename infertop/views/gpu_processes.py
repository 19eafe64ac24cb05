"""The processes on each GPU, those that hold most memory first."""

from __future__ import annotations

from infertop.views.meters import Meters
from infertop.views.shapes import ProcessRow

_INFO, _MEMORY, _LOAD = "gpu_process_info", "gpu_process_memory_bytes", "gpu_process_utilization"

OnGpu = tuple[str, str]


def processes_by_gpu(meters: Meters, source: str) -> dict[str, tuple[ProcessRow, ...]]:
    """Return what a meter says of the processes on its GPUs, by UUID."""
    memory, load = _newest(meters, source, _MEMORY), _newest(meters, source, _LOAD)
    found: dict[str, dict[int, ProcessRow]] = {}
    for track in meters.tracks(source, _INFO):
        gpu, pid = track.series.label("gpu") or "", track.series.label("pid") or ""
        if not (pid.isascii() and pid.isdecimal()):
            continue
        found.setdefault(gpu, {})[int(pid)] = ProcessRow(
            pid=int(pid),
            name=track.series.label("name") or "",
            user=track.series.label("user") or "",
            memory_bytes=memory.get((gpu, pid)),
            utilization=load.get((gpu, pid)),
        )
    return {gpu: tuple(sorted(rows.values(), key=_by_memory)) for gpu, rows in found.items()}


def _by_memory(row: ProcessRow) -> tuple[float, int]:
    return -(row.memory_bytes or 0.0), row.pid


def _newest(meters: Meters, source: str, metric: str) -> dict[OnGpu, float]:
    return {
        (track.series.label("gpu") or "", track.series.label("pid") or ""): track.last
        for track in meters.tracks(source, metric)
        if isinstance(track.last, float)
    }
