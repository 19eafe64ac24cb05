"""MIG: a GPU that is cut into instances, each a `gpu` of its own.

So that nothing is counted twice, an instance carries its own memory, processes and compute slices, and its parent
carries what no instance has: the rest of the memory and slices, and power, energy and clocks, which only a whole GPU
measures. A share of the GPU is a row's slices over the sum of the slices of the parent and its instances.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import pynvml as nvml

from collectors._nvml_fields import Handle, Memory, ask, read_memory
from collectors._nvml_processes import Held, running

_PROFILE = re.compile(r"\bMIG ((?:(\d)c\.)?(\d)g\.\d+gb\S*)")


@dataclass(frozen=True, slots=True)
class Instance:
    """One MIG instance: `index` is its place on the parent, `slices` its compute slices where they are known."""

    handle: Handle
    index: int
    uuid: str
    name: str
    profile: str
    slices: int | None
    gpu_instance: int | None
    compute_instance: int | None
    memory: Memory | None


def enabled(handle: Handle) -> bool:
    """Say whether the GPU is in MIG mode now."""
    mode = ask(nvml.nvmlDeviceGetMigMode, handle)
    return mode is not None and mode[0] == nvml.NVML_DEVICE_MIG_ENABLE


def most_instances(handle: Handle) -> int:
    """Return into how many instances the GPU can be cut, which is also its number of compute slices."""
    return ask(nvml.nvmlDeviceGetMaxMigDeviceCount, handle) or 0


def instances(parent: Handle) -> list[Instance]:
    """Return the instances of a GPU in MIG mode; there may be holes between their indices."""
    found: list[Instance] = []
    for index in range(most_instances(parent)):
        handle = ask(nvml.nvmlDeviceGetMigDeviceHandleByIndex, parent, index)
        uuid = ask(nvml.nvmlDeviceGetUUID, handle) if handle is not None else None
        if uuid:
            found.append(_instance(handle, index, uuid))
    return found


def _instance(handle: Handle, index: int, uuid: str) -> Instance:
    name = ask(nvml.nvmlDeviceGetName, handle) or ""
    said = _PROFILE.search(name)
    attributes = ask(nvml.nvmlDeviceGetAttributes_v2, handle)
    profile, slices = "", None
    if attributes is not None and attributes.computeInstanceSliceCount:
        slices = int(attributes.computeInstanceSliceCount)
        profile = _profile(slices, int(attributes.gpuInstanceSliceCount), int(attributes.memorySizeMB))
    if said:
        profile = said[1]
        slices = slices or int(said[2] or said[3])
    return Instance(
        handle=handle,
        index=index,
        uuid=uuid,
        name=name,
        profile=profile,
        slices=slices,
        gpu_instance=ask(nvml.nvmlDeviceGetGpuInstanceId, handle),
        compute_instance=ask(nvml.nvmlDeviceGetComputeInstanceId, handle),
        memory=read_memory(handle),
    )


def _profile(compute: int, gpu: int, megabytes: int) -> str:
    whole = f"{gpu or compute}g.{round(megabytes / 1024)}gb"
    return f"{compute}c.{whole}" if gpu and compute != gpu else whole


def left_over(memory: Memory | None, parts: list[Instance]) -> Memory | None:
    """Return the memory of the parent that no instance has, None where it or a part is not known."""
    known = [part.memory for part in parts if part.memory is not None]
    if memory is None or len(known) < len(parts):
        return None
    return Memory(
        max(0.0, memory.used - sum(part.used for part in known)),
        max(0.0, memory.total - sum(part.total for part in known)),
    )


def processes(parent: Handle, parts: list[Instance]) -> dict[str, dict[int, Held]]:
    """Return the processes of each instance by its UUID: from itself, else from the parent's list by instance id."""
    by_instance: dict[str, dict[int, Held]] = {}
    silent: list[Instance] = []
    for part in parts:
        held = running(part.handle)
        if held is None:
            silent.append(part)
        else:
            by_instance[part.uuid] = held
    if silent:
        of_parent = running(parent) or {}
        for part in silent:
            place = (part.gpu_instance, part.compute_instance)
            by_instance[part.uuid] = {
                pid: held for pid, held in of_parent.items() if (held.gpu_instance, held.compute_instance) == place
            }
    return by_instance
