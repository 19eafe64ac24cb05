"""The NVML library between its initialisation and its shutdown: one reading of all GPUs. Everything here blocks."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pynvml as nvml

from collectors import _nvml_gpm as gpm
from collectors import _nvml_mig as mig
from collectors._gpu_library import Reading, Row, series
from collectors._nvml_fields import Handle, ask, memory_rows, read_fields, read_memory, read_utilization
from collectors._nvml_processes import Utilization, processes, running
from collectors._process_names import Names
from infertop.engine.collector import State, Unavailable
from infertop.readings.safe import safe

_SLOW_SECONDS = 1.0
_REST_SECONDS = 60.0
# A display or a stray kernel does not show in any one process.
_IDLE_LOAD = 0.05

_SENTENCES = {
    nvml.NVML_ERROR_LIBRARY_NOT_FOUND: "NVML library not found: no NVIDIA driver on this machine",
    nvml.NVML_ERROR_DRIVER_NOT_LOADED: "the NVIDIA driver is not loaded: load it with `modprobe nvidia`, or reboot",
    nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: "NVML and the loaded driver differ in version, as after an update: reboot",
    nvml.NVML_ERROR_NO_PERMISSION: "NVML may not be used by this user: access to /dev/nvidiactl is needed",
    nvml.NVML_ERROR_GPU_IS_LOST: "a GPU has fallen off the bus: see `dmesg` for its Xid, then reset it or reboot",
    nvml.NVML_ERROR_RESET_REQUIRED: "a GPU wants a reset: `nvidia-smi --gpu-reset`, or reboot",
    nvml.NVML_ERROR_UNINITIALIZED: "NVML was shut down, as when the driver is loaded anew: it is opened again",
}
_ABSENT = (nvml.NVML_ERROR_LIBRARY_NOT_FOUND, nvml.NVML_ERROR_DRIVER_NOT_LOADED)


@dataclass(slots=True)
class _Known:
    """What is kept of a GPU or an instance between two readings."""

    utilization: Utilization = field(default_factory=Utilization)
    has_gpm: bool = False
    gpm: gpm.Gpm | None = None


@dataclass(slots=True)
class Session:
    """Reads all GPUs. GPUs are looked up anew each time and known by UUID, so a changed count or order moves nothing.

    `at` says what is being read just now, for the person who waits. A GPU that takes more than a second is read once
    a minute only, so that it does not hold up the others.
    """

    at: str = ""
    _open: bool = False
    _seen: bool = False
    _known: dict[str, _Known] = field(default_factory=dict)
    _resting: dict[int, float] = field(default_factory=dict)
    _names: Names = field(default_factory=Names)

    def read(self, ts: float) -> Reading:
        """Return what all GPUs say; raise `Unavailable` where none does."""
        try:
            return self._read(ts)
        except nvml.NVMLError as problem:
            self.close()
            raise self._unavailable(problem) from None

    def close(self) -> None:
        """Shut the library down, as far as it still answers."""
        with suppress(nvml.NVMLError):
            for known in self._known.values():
                if known.gpm is not None:
                    known.gpm.free()
        self._known.clear()
        if self._open:
            self._open = False
            with suppress(nvml.NVMLError):
                nvml.nvmlShutdown()

    def _read(self, ts: float) -> Reading:
        self.at = "starting"
        if not self._open:
            nvml.nvmlInit()
            self._open = True
        self._names.next_reading()
        count = nvml.nvmlDeviceGetCount()
        if not count:
            raise Unavailable("NVML answers, but there is no GPU on this machine", state=State.ABSENT)
        reading, failed = Reading(), dict[str, list[int]]()
        read, last = 0, None
        for index in range(count):
            if self._resting.get(index, 0.0) > ts:
                failed.setdefault("is slow to answer and is read once a minute", []).append(index)
                continue
            try:
                reading.rows += self._timed(index, ts, count)
                read += 1
            except nvml.NVMLError as problem:
                last = problem
                failed.setdefault(f"cannot be read: {safe(problem)}", []).append(index)
        reading.note = "; ".join(f"GPU {', '.join(map(str, which))} {why}" for why, which in failed.items())
        if not read:
            raise last or Unavailable(reading.note)
        self._seen = True
        return reading

    def _timed(self, index: int, ts: float, count: int) -> list[Row]:
        """Read one GPU, and let it rest if that was slow: not the first time, when the driver wakes it, nor alone."""
        self.at, began, done = f"GPU {index}", time.monotonic(), False
        try:
            rows = self._gpu(index, ts)
            done = True
            return rows
        finally:
            slow = time.monotonic() - began > _SLOW_SECONDS
            if slow and count > 1 and (index in self._resting or not done):
                self._resting[index] = ts + _REST_SECONDS
            self._resting.setdefault(index, 0.0)

    def _gpu(self, index: int, ts: float) -> list[Row]:
        handle = nvml.nvmlDeviceGetHandleByIndex(index)
        uuid = ask(nvml.nvmlDeviceGetUUID, handle) or f"GPU-{index}"
        name = ask(nvml.nvmlDeviceGetName, handle) or "GPU"
        cut = mig.enabled(handle)
        rows = [(series("gpu_info", gpu=uuid, name=name, index=str(index)), 1.0)]
        rows += [(series(metric, gpu=uuid), value) for metric, value in read_fields(handle)]
        known = self._of(uuid, handle)
        if cut:
            return rows + self._mig(handle, uuid, index, known.has_gpm)
        load = dict(read_utilization(handle))
        if known.has_gpm:
            load = _with_gpm(load, self._activity(known, partial(nvml.nvmlGpmSampleGet, handle)))
        rows += [(series(metric, gpu=uuid), value) for metric, value in load.items()]
        rows += memory_rows(uuid, read_memory(handle))
        held = running(handle)
        if held:
            worked = load.get("gpu_utilization", 0.0) > _IDLE_LOAD
            rows += processes(uuid, held, known.utilization.read(handle, ts, worked), self._names)
        return rows

    def _mig(self, parent: Handle, uuid: str, index: int, has_gpm: bool) -> list[Row]:
        parts = mig.instances(parent)
        held = mig.processes(parent, parts)
        rows = memory_rows(uuid, mig.left_over(read_memory(parent), parts))
        slices = [part.slices for part in parts if part.slices is not None]
        if len(slices) == len(parts):
            rest = max(0, mig.most_instances(parent) - sum(slices))
            rows.append((series("gpu_slices", gpu=uuid), float(rest)))
        for part in parts:
            rows += self._part(part, uuid, index)
            rows += processes(part.uuid, held[part.uuid], None, self._names)
            if has_gpm and part.gpu_instance is not None:
                take = partial(nvml.nvmlGpmMigSampleGet, parent, part.gpu_instance)
                load = _with_gpm({}, self._activity(self._of(part.uuid, None), take))
                rows += [(series(metric, gpu=part.uuid), value) for metric, value in load.items()]
        return rows

    @staticmethod
    def _part(part: mig.Instance, parent: str, index: int) -> list[Row]:
        labels = {"gpu": part.uuid, "name": part.name, "index": f"{index}:{part.index}", "parent": parent}
        rows = [(series("gpu_info", **labels, mig_profile=part.profile), 1.0), *memory_rows(part.uuid, part.memory)]
        if part.slices is not None:
            rows.append((series("gpu_slices", gpu=part.uuid), float(part.slices)))
        return rows

    def _of(self, uuid: str, handle: Handle | None) -> _Known:
        known = self._known.get(uuid)
        if known is None:
            known = self._known[uuid] = _Known(has_gpm=handle is not None and gpm.supported(handle))
        return known

    @staticmethod
    def _activity(known: _Known, take: Callable[[Any], object]) -> gpm.Activity:
        if known.gpm is None:
            known.gpm = gpm.Gpm(take)
        known.gpm.take = take
        return known.gpm.read()

    def _unavailable(self, problem: nvml.NVMLError) -> Unavailable:
        sentence = _SENTENCES.get(problem.value, f"NVML does not answer: {safe(problem)}")
        absent = problem.value in _ABSENT and not self._seen
        return Unavailable(sentence, state=State.ABSENT if absent else State.DOWN)


def _with_gpm(load: dict[str, float], activity: gpm.Activity) -> dict[str, float]:
    if activity.graphics is not None:
        load.setdefault("gpu_utilization", activity.graphics)
    if activity.multiprocessors is not None:
        load["gpu_sm_occupancy"] = activity.multiprocessors
    return load
