"""What a batch of a GPU meter has for the ledger: worked out once for each shape, not once a poll."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from infertop.readings.model import Series, Value

_PRESENT = "gpu_info"
_HELD = ("placement_processes", "placement_memory_bytes", "placement_utilization")


class HolderAt(NamedTuple):
    """A source that has processes on a GPU, and where its memory and SM utilisation are read."""

    source: str
    memory: int | None
    utilization: int | None


class GpuAt(NamedTuple):
    """A GPU or MIG instance, and where its readings are; `instances` are those of a GPU that is cut into them."""

    gpu: str
    name: str
    parent: str
    utilization: int | None
    power: int | None
    energy: int | None
    limit: int | None
    memory: int | None
    slices: int | None
    holders: tuple[HolderAt, ...]
    instances: tuple[str, ...]

    @property
    def root(self) -> str:
        """The whole GPU that this is a part of, or this itself."""
        return self.parent or self.gpu


class GpuShape(NamedTuple):
    """What is the same for all batches with these `series`."""

    series: tuple[Series, ...]
    gpus: tuple[GpuAt, ...]


def is_gpus(series: Iterable[Series]) -> bool:
    """Say whether these are the series of a GPU meter."""
    return any(each.metric == _PRESENT for each in series)


def gpu_shape(series: tuple[Series, ...]) -> GpuShape:
    """Work out which GPUs these series tell of, and which sources hold them."""
    at = {(each.metric, each.label("gpu") or "", each.label("holder") or ""): i for i, each in enumerate(series)}
    present = {each.label("gpu") or "": each for each in series if each.metric == _PRESENT}
    parents = {gpu: each.label("parent") or "" for gpu, each in present.items()}
    gpus = (
        GpuAt(
            gpu=gpu,
            name=info.label("name") or "",
            parent=parents[gpu] if parents[gpu] != gpu else "",
            utilization=at.get(("gpu_utilization", gpu, "")),
            power=at.get(("gpu_power_watts", gpu, "")),
            energy=at.get(("gpu_energy_joules", gpu, "")),
            limit=at.get(("gpu_power_limit_watts", gpu, "")),
            memory=at.get(("gpu_memory_total_bytes", gpu, "")),
            slices=at.get(("gpu_slices", gpu, "")),
            holders=_holders(series, gpu, at),
            instances=tuple(sorted(each for each, parent in parents.items() if parent == gpu and each != gpu)),
        )
        for gpu, info in present.items()
        if gpu
    )
    return GpuShape(series, tuple(gpus))


def _holders(series: Iterable[Series], gpu: str, at: dict[tuple[str, str, str], int]) -> tuple[HolderAt, ...]:
    sources = {
        source
        for each in series
        if each.metric in _HELD and each.label("gpu") == gpu and (source := each.label("holder"))
    }
    return tuple(
        HolderAt(
            source,
            at.get(("placement_memory_bytes", gpu, source)),
            at.get(("placement_utilization", gpu, source)),
        )
        for source in sorted(sources)
    )


def reading(values: Sequence[Value], at: int | None) -> float | None:
    """Return the number at a position, None where there is none or it is not finite and at least 0."""
    if at is None:
        return None
    value = values[at]
    return value if isinstance(value, int | float) and 0 <= value < math.inf else None
