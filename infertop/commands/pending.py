"""A source whose collector cannot be made yet: its key is missing, or an option is wrong."""

from __future__ import annotations

from collections.abc import Callable

from infertop.engine.collector import Collector, SourceConfig
from infertop.readings.model import Batch


class Pending:
    """A collector that is made at its first poll. While that cannot be, each poll says why, and tries again."""

    def __init__(self, config: SourceConfig, make: Callable[[], Collector]) -> None:
        self.kind = config.kind
        self.config = config
        self._make = make
        self._made: Collector | None = None

    @property
    def made(self) -> Collector | None:
        """The collector itself, once it is made."""
        return self._made

    async def collect(self, ts: float) -> Batch:
        """Read as the collector does; raise `Unavailable` where there is none yet."""
        if self._made is None:
            self._made = self._make()
        return await self._made.collect(ts)

    async def close(self) -> None:
        """Close the collector, if there is one."""
        if self._made is not None:
            await self._made.close()
