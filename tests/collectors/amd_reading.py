"""Polls of AMD's library, and what they say of a GPU."""

from contextlib import asynccontextmanager

from collectors.amd import Amd
from infertop.engine.collector import SourceConfig
from tests.amd.standin import mi300x

NOW = 1_800_000_000.0
FIRST, SECOND = mi300x(0)["gpu_device_uuid"], mi300x(1)["gpu_device_uuid"]


@asynccontextmanager
async def collector(deadline=3.0):
    made = Amd(SourceConfig(kind="amd", name="amd"), deadline=deadline)
    try:
        yield made
    finally:
        await made.close()


async def read(*, polls=1):
    """Return what the last of some polls says of the first GPU's own meters, by metric."""
    async with collector() as amd:
        for at in range(polls):
            batch = await amd.collect(NOW + at)
    return said(batch)


def said(batch, gpu=FIRST):
    pairs = zip(batch.series, batch.values, strict=True)
    return {each.metric: value for each, value in pairs if each.label("gpu") == gpu and each.label("pid") is None}


def held(batch, gpu=FIRST):
    pairs = zip(batch.series, batch.values, strict=True)
    return {
        int(each.label("pid")): value
        for each, value in pairs
        if each.metric == "gpu_process_memory_bytes" and each.label("gpu") == gpu
    }
