"""Keeping a GPU that two meters read from being counted twice: the earlier of them has it, the later leaves it out.

What is left out is no part of the batch, so that neither the tape nor what is made of it knows of it. A meter has its
GPUs until a hole in its polls would be a gap: up to there it books the time since its last poll itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import compress

from infertop.engine.collector import Collector
from infertop.readings.model import Batch, Series
from infertop.readings.safe import safe

_PRESENT = "gpu_info"


class Sieve:
    """Takes the GPUs that others read out of the batches of one meter."""

    def __init__(self) -> None:
        self._before: tuple[tuple[Series, ...], frozenset[str]] = ((), frozenset())
        self._kept: tuple[bool, ...] = ()
        self._series: tuple[Series, ...] = ()

    def without(self, batch: Batch, others: Mapping[str, str]) -> Batch:
        """Return the batch without the GPUs of `others`, which maps them to the source that reads them, by UUID."""
        twice = frozenset(gpu for gpu, root in roots(batch).items() if root in others)
        if not twice:
            return batch
        if self._before[0] is not batch.series or self._before[1] != twice:
            self._before = (batch.series, twice)
            self._kept = tuple(each.label("gpu") not in twice for each in batch.series)
            self._series = tuple(compress(batch.series, self._kept))
        readers = ", ".join(sorted({safe(others[root], 60) for root in roots(batch).values() if root in others}))
        note = f"{_count(len(twice))} left out here, being read by {readers}"
        values = tuple(compress(batch.values, self._kept))
        return replace(batch, series=self._series, values=values, notes=(*batch.notes, note))


class Apart:
    """A GPU meter without the GPUs that others read; `others` maps those to the source that does, by UUID."""

    def __init__(self, gpus: Collector, others: Callable[[float], Mapping[str, str]]) -> None:
        self.kind = gpus.kind
        self.config = gpus.config
        self._gpus = gpus
        self._others = others
        self._sieve = Sieve()

    async def collect(self, ts: float) -> Batch:
        """Read the GPUs and leave out those of others; raise `Unavailable` as the collector does."""
        return self._sieve.without(await self._gpus.collect(ts), self._others(ts))

    async def close(self) -> None:
        """Close the collector."""
        await self._gpus.close()


def roots(batch: Batch) -> dict[str, str]:
    """Return the GPUs and MIG instances of a batch, each with the whole GPU that it is or is a part of."""
    return {
        gpu: each.label("parent") or gpu
        for each in batch.series
        if each.metric == _PRESENT and (gpu := each.label("gpu"))
    }


def _count(gpus: int) -> str:
    return "1 GPU is" if gpus == 1 else f"{gpus} GPUs are"
