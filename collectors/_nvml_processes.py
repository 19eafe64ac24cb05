"""Which processes are on a GPU, how much memory each holds, and how much each computed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pynvml as nvml

from collectors._gpu_library import Row, process_rows
from collectors._nvml_fields import Handle, ask
from collectors._process_names import Names

_LISTS = (
    (nvml.nvmlDeviceGetComputeRunningProcesses_v3, nvml.nvmlDeviceGetComputeRunningProcesses_v2),
    (nvml.nvmlDeviceGetGraphicsRunningProcesses_v3, nvml.nvmlDeviceGetGraphicsRunningProcesses_v2),
    (nvml.nvmlDeviceGetMPSComputeRunningProcesses_v3, nvml.nvmlDeviceGetMPSComputeRunningProcesses_v2),
)
_LEAST_WINDOW_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Held:
    """A process on a GPU: its memory in bytes (None: not told), and the MIG instance that it is on."""

    pid: int
    memory: float | None
    gpu_instance: int
    compute_instance: int


def running(handle: Handle) -> dict[int, Held] | None:
    """Return the processes of a GPU or an instance by pid, None where it does not tell.

    A process that computes and draws is in two lists, with the same memory in both: the greater counts, not the sum.
    """
    merged: dict[int, Held] = {}
    answered = False
    for newer, older in _LISTS:
        listed = ask(newer, handle)
        if listed is None:
            listed = ask(older, handle)
        if listed is None:
            continue
        answered = True
        for each in listed:
            held = Held(each.pid, each.usedGpuMemory, each.gpuInstanceId, each.computeInstanceId)
            known = merged.get(held.pid)
            if known is None or (held.memory or 0) > (known.memory or 0):
                merged[held.pid] = held
    return merged if answered else None


@dataclass(slots=True)
class Utilization:
    """The SM time of each process on one GPU, averaged over the driver's samples since the last look.

    A look goes back at least two seconds: the driver's sample period is up to one, and a look between two samples
    must not read as idle.
    """

    looked: float | None = None

    def read(self, handle: Handle, ts: float, worked: bool) -> dict[int, float] | None:
        """Return the ratio by pid at `ts`, None where the GPU does not measure it.

        The driver writes a sample for each process that did anything in a sample period and none for the others, so
        a process without a sample did nothing: a measured 0. Unless the GPU `worked` and no process has a sample:
        then the samples are missing, and nothing is known.
        """
        since = ts - _LEAST_WINDOW_SECONDS if self.looked is None else min(self.looked, ts - _LEAST_WINDOW_SECONDS)
        self.looked = ts
        try:
            samples = nvml.nvmlDeviceGetProcessUtilization(handle, max(0, int(since * 1e6)))
        except nvml.NVMLError as problem:
            # With no samples drivers answer NOT_FOUND, some SUCCESS and a size of 0, which the bindings raise as well.
            if problem.value not in (nvml.NVML_ERROR_NOT_FOUND, nvml.NVML_SUCCESS):
                return None
            samples = []
        percents: dict[int, list[int]] = {}
        for sample in samples:
            # Some drivers hand over slots that were never filled.
            if sample.timeStamp > since * 1e6 and sample.smUtil <= 100:
                percents.setdefault(sample.pid, []).append(sample.smUtil)
        if worked and not percents:
            return None
        return {pid: sum(each) / len(each) / 100 for pid, each in percents.items()}


def processes(gpu: str, held: dict[int, Held], utilization: dict[int, float] | None, names: Names) -> Iterator[Row]:
    """Yield the readings of the processes on `gpu`, in the order of their pids."""
    for pid in sorted(held):
        memory = held[pid].memory
        share = None if utilization is None else utilization.get(pid, 0.0)
        yield from process_rows(gpu, pid, names.of(pid), None if memory is None else float(memory), share)
