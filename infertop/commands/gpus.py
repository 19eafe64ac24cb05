"""Every GPU that was ever seen: what lines of before need, to be priced again when its price is set."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from typing import Any

from infertop.money.gpu_shape import gpu_shape, reading
from infertop.money.repricing import SeenGpu
from infertop.readings.model import Batch, Series

_log = logging.getLogger(__name__)


class SeenGpus:
    """The GPUs and MIG instances by UUID; one that is gone is remembered."""

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self.by_uuid: dict[str, SeenGpu] = {}
        self._shapes: dict[str, tuple[Series, ...]] = {}
        for row in rows:
            try:
                self.by_uuid[str(row["gpu"])] = SeenGpu(row["name"], row["memory_bytes"], row["parent"], row["cut"])
            except (KeyError, TypeError):
                _log.warning("the history names a GPU in a way that this version does not know")

    def take(self, batch: Batch) -> bool:
        """Take a reading of one meter's GPUs, and say whether something of them is new."""
        if batch.series is self._shapes.get(batch.source):
            return False
        self._shapes[batch.source] = batch.series
        before = dict(self.by_uuid)
        for at in gpu_shape(batch.series).gpus:
            memory = reading(batch.values, at.memory)
            self.by_uuid[at.gpu] = SeenGpu(
                at.name, None if memory is None else int(memory), at.parent, bool(at.instances)
            )
        return self.by_uuid != before

    def rows(self) -> list[dict[str, Any]]:
        """Return them as they are stored, fit for JSON."""
        return [
            {"gpu": gpu, "name": each.name, "memory_bytes": each.memory_bytes, "parent": each.parent, "cut": each.cut}
            for gpu, each in self.by_uuid.items()
        ]
