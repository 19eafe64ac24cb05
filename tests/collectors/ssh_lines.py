"""What a machine called gpubox tells of itself."""

from __future__ import annotations

from infertop.readings.model import Series


def index(own: str) -> str:
    return f"gpubox:{own}"


SHAPE = (
    Series.of("gpu_info", gpu="GPU-0a", name="NVIDIA H100", index="0"),
    Series.of("gpu_utilization", gpu="GPU-0a"),
)
