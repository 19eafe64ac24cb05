"""What NVML says of one GPU: which call fills which metric, and in which unit it answers.

Every call can be missing in a driver, not supported by a GPU, or not permitted; its metric is then absent, never 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import pynvml as nvml

from collectors._gpu_library import Row, series

T = TypeVar("T")
Handle = Any

# After these no other call on the GPU or the library can succeed.
GONE = frozenset(
    {
        nvml.NVML_ERROR_UNINITIALIZED,
        nvml.NVML_ERROR_DRIVER_NOT_LOADED,
        nvml.NVML_ERROR_GPU_IS_LOST,
        nvml.NVML_ERROR_RESET_REQUIRED,
    }
)
# What drivers answer instead of an error where they do not know.
_NO_ANSWER = (2**32 - 1, 2**64 - 1)


def ask(call: Callable[..., T], *arguments: object) -> T | None:
    """Return what an NVML call answers, None where it cannot; raise NVMLError where the GPU or the library is gone."""
    try:
        return call(*arguments)
    except nvml.NVMLError as problem:
        if problem.value in GONE:
            raise
        return None
    except (nvml.NVMLLibraryMismatchError, UnicodeDecodeError):
        return None


def _field(number: int) -> Callable[[Handle], float]:
    """Read one field value (an unsigned long long, as all that are used here)."""

    def read(handle: Handle) -> float:
        answer = nvml.nvmlDeviceGetFieldValues(handle, [number])[0]
        if answer.nvmlReturn != nvml.NVML_SUCCESS:
            raise nvml.NVMLError(answer.nvmlReturn)
        return float(
            answer.value.uiVal if answer.valueType == nvml.NVML_VALUE_TYPE_UNSIGNED_INT else answer.value.ullVal
        )

    return read


@dataclass(frozen=True, slots=True)
class Field:
    """A metric, the calls that may answer it (the first that does counts), and the factor to the metric's unit."""

    metric: str
    calls: tuple[Callable[[Handle], float], ...]
    factor: float = 1.0


FIELDS = (
    Field("gpu_power_watts", (nvml.nvmlDeviceGetPowerUsage, _field(nvml.NVML_FI_DEV_POWER_INSTANT)), 1e-3),
    Field("gpu_power_limit_watts", (nvml.nvmlDeviceGetEnforcedPowerLimit,), 1e-3),
    Field(
        "gpu_energy_joules",
        (nvml.nvmlDeviceGetTotalEnergyConsumption, _field(nvml.NVML_FI_DEV_TOTAL_ENERGY_CONSUMPTION)),
        1e-3,
    ),
    Field(
        "gpu_temperature_celsius",
        (lambda handle: float(nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)),),
    ),
    Field("gpu_sm_clock_hertz", (lambda handle: float(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)),), 1e6),
    Field(
        "gpu_memory_clock_hertz", (lambda handle: float(nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM)),), 1e6
    ),
    Field(
        "gpu_throttle_reasons",
        (nvml.nvmlDeviceGetCurrentClocksEventReasons, nvml.nvmlDeviceGetCurrentClocksThrottleReasons),
    ),
)


def read_fields(handle: Handle) -> Iterator[tuple[str, float]]:
    """Yield (metric, value) for every single-valued field that a whole GPU answers."""
    for field in FIELDS:
        for call in field.calls:
            value = ask(call, handle)
            if value is not None and value not in _NO_ANSWER:
                yield field.metric, value * field.factor
                break


def read_utilization(handle: Handle) -> Iterator[tuple[str, float]]:
    """Yield the shares of the driver's last sample period (1/6 to 1 s) in which kernels ran and memory was accessed."""
    rates = ask(nvml.nvmlDeviceGetUtilizationRates, handle)
    if rates is not None:
        for metric, percent in (("gpu_utilization", rates.gpu), ("gpu_memory_utilization", rates.memory)):
            if percent <= 100:
                yield metric, percent / 100


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes in use and in all. What the driver keeps for itself is not in use where the driver tells it apart."""

    used: float
    total: float


def read_memory(handle: Handle) -> Memory | None:
    """Return the memory of a GPU or an instance, None where it has none of its own (unified memory)."""
    answer = ask(nvml.nvmlDeviceGetMemoryInfo, handle, nvml.nvmlMemory_v2) or ask(nvml.nvmlDeviceGetMemoryInfo, handle)
    if answer is None or not answer.total or answer.total in _NO_ANSWER or answer.used > answer.total:
        return None
    return Memory(float(answer.used), float(answer.total))


def memory_rows(gpu: str, memory: Memory | None) -> list[Row]:
    """Return the two memory readings of `gpu`, none where they are not known."""
    if memory is None:
        return []
    return [
        (series("gpu_memory_used_bytes", gpu=gpu), memory.used),
        (series("gpu_memory_total_bytes", gpu=gpu), memory.total),
    ]
