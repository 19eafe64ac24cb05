"""A machine with NVIDIA GPUs as a text file behind the stand-in for NVML, and what the collector says of it."""

from contextlib import asynccontextmanager

from collectors.nvml import Nvml
from infertop.engine.collector import SourceConfig
from tests.nvml.standin import MACHINES

H100 = "GPU-11111111-2222-3333-4444-555555555555"
SECOND = "GPU-66666666-7777-8888-9999-000000000000"
A100 = "GPU-99999999-0000-1111-2222-333333333333"
MIG_3G = "MIG-77777777-0000-1111-2222-333333333333"
MIG_2G = "MIG-88888888-0000-1111-2222-333333333333"
NOW = 1_800_000_000.0


class Machine:
    """The text file behind the stand-in."""

    def __init__(self, path):
        self.path = path

    def become(self, name):
        self.write((MACHINES / name).read_text())

    def write(self, text):
        new = self.path.with_suffix(".new")
        new.write_text(text)
        new.rename(self.path)

    def set(self, **changes):
        """Change keys; `__` stands for a dot, None takes the key away."""
        wanted = {key.replace("__", "."): value for key, value in changes.items()}
        kept = [line for line in self.path.read_text().splitlines() if line.split("=")[0] not in wanted]
        self.write("\n".join(kept + [f"{key}={value}" for key, value in wanted.items() if value is not None]) + "\n")


@asynccontextmanager
async def collector(deadline=3.0):
    made = Nvml(SourceConfig(kind="nvml", name="nvml"), deadline=deadline)
    try:
        yield made
    finally:
        await made.close()


def read(batch):
    pairs = zip(batch.series, batch.values, strict=True)
    return {(series.metric, series.label("gpu"), series.label("pid")): value for series, value in pairs}


def gpus(batch):
    return {series.label("gpu") for series in batch.series}
