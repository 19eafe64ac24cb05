"""What else was looked for at the start: GPUs."""

from __future__ import annotations

from infertop.engine.found import Searched
from infertop.readings.model import Batch


def searched_gpus(batch: Batch | None, problem: str = "", library: str = "NVML") -> Searched:
    """Report the GPUs of a meter's batch, or the `problem` that kept it from coming; `library` is who tells."""
    if batch is None:
        return Searched("GPUs", library, False, problem)
    whole = sum(each.metric == "gpu_info" and each.label("parent") is None for each in batch.series)
    parts = sum(each.metric == "gpu_info" and each.label("parent") is not None for each in batch.series)
    detail = f"{whole} GPU{'s' * (whole != 1)}"
    if parts:
        detail += f", {parts} MIG instance{'s' * (parts != 1)}"
    return Searched("GPUs", library, whole > 0, detail)
