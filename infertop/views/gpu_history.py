"""What one GPU did over the window: the course of its meters, for who looks at that GPU."""

from __future__ import annotations

from infertop.views.facts import Facts
from infertop.views.page_shapes import GpuHistory

BINS = 30
"""As many as the trends of rows have: both are made once."""
METERS = ("gpu_utilization", "gpu_power_watts", "gpu_memory_used_bytes", "gpu_temperature_celsius")


def gpu_history(facts: Facts, uuid: str) -> GpuHistory:
    """Return the course of a GPU's meters up to the last whole bin; raise KeyError where it is not known (any more)."""
    cost = next((each for each in facts.costs.gpus if each.at.gpu == uuid), None)
    if cost is None:
        raise KeyError(uuid)
    width = facts.meters.window / BINS
    end = facts.now // width * width
    trends = {name: facts.meters.trend(cost.meter, name, BINS, gpu=uuid) for name in METERS}
    return GpuHistory(
        uuid=uuid,
        times=tuple(end - (BINS - n) * width for n in range(BINS)),
        meters={name: bins for name, bins in trends.items() if any(value is not None for value in bins)},
    )
