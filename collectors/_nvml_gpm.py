"""GPM, the performance counters of Hopper and later: what a GPU did between two samples, also inside MIG instances."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pynvml as nvml

from collectors._nvml_fields import Handle, ask

# The library wants two samples at least this far apart.
_LEAST_SECONDS = 0.1
_WANTED = (nvml.NVML_GPM_METRIC_GRAPHICS_UTIL, nvml.NVML_GPM_METRIC_SM_UTIL)


@dataclass(frozen=True, slots=True)
class Activity:
    """Shares of the time between two samples: any kernel ran, and the mean share of multiprocessors that were busy."""

    graphics: float | None = None
    multiprocessors: float | None = None


@dataclass(slots=True)
class Gpm:
    """The samples of one GPU or instance. Its memory is the library's: `free` before the library is shut down."""

    take: Callable[[Any], object]
    last: Activity = field(default=Activity())
    _samples: list[Any] = field(default_factory=list)
    _taken: float = 0.0

    def read(self) -> Activity:
        """Return what was done since the last call; nothing is known at the first one."""
        now = time.monotonic()
        if not self._samples:
            self._samples = [nvml.nvmlGpmSampleAlloc(), nvml.nvmlGpmSampleAlloc()]
        elif now - self._taken < _LEAST_SECONDS:
            return self.last
        before, after = self._samples
        first = not self._taken
        if ask(self.take, after) is None:
            return Activity()
        if not first:
            self.last = _between(before, after)
        self._samples, self._taken = [after, before], now
        return self.last

    def free(self) -> None:
        """Give the samples back to the library."""
        while self._samples:
            ask(nvml.nvmlGpmSampleFree, self._samples.pop())
        self._taken = 0.0


def supported(handle: Handle) -> bool:
    """Say whether this GPU has GPM."""
    answer = ask(nvml.nvmlGpmQueryDeviceSupport, handle)
    return answer is not None and bool(answer.isSupportedDevice)


def _between(before: Any, after: Any) -> Activity:
    asked = nvml.c_nvmlGpmMetricsGet_t()
    asked.version = nvml.NVML_GPM_METRICS_GET_VERSION
    asked.sample1, asked.sample2 = before, after
    asked.numMetrics = len(_WANTED)
    for i, metric in enumerate(_WANTED):
        asked.metrics[i].metricId = metric
    if ask(nvml.nvmlGpmMetricsGet, asked) is None:
        return Activity()
    return Activity(*(_ratio(asked.metrics[i]) for i in range(len(_WANTED))))


def _ratio(metric: Any) -> float | None:
    percent = metric.value
    if metric.nvmlReturn != nvml.NVML_SUCCESS or not math.isfinite(percent) or not 0 <= percent <= 100.5:
        return None
    return min(1.0, float(percent) / 100)
