"""A machine that is reached by the user's own ssh: its GPUs. The engines on it are found there, and are sources each.

Nothing is installed there and nothing is written. A login that would ask (for a password, for a host key) fails
instead, with what to do. The connection, which shells and forwards share, is `infertop/engine/ssh_link.py`.
"""

from __future__ import annotations

import asyncio

from collectors._ssh_feed import Feed
from collectors.kind import Kind
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.engine.ssh_link import Link
from infertop.engine.ssh_target import Target
from infertop.readings.model import Batch, Series

_POLL_SECONDS = 4.5


class Ssh:
    """Reads the GPUs of one machine; raises ValueError where its URL is wrong or its file is not to be trusted."""

    kind = "ssh"

    def __init__(self, config: SourceConfig) -> None:
        if not config.trusted:
            raise ValueError("ssh is not started for a file that may be anybody's: name this machine with --source")
        self.config = config
        self.link = Link(Target.parse(config.url))
        self._feed = Feed(self.link, config.interval_seconds)
        self._series: tuple[Series, ...] = ()

    async def collect(self, ts: float) -> Batch:
        """Read every GPU once; raise Unavailable where there is no connection or nothing reads them there."""
        now = asyncio.get_running_loop().time
        until = now() + _POLL_SECONDS
        await self.link.open()
        before = self._feed.rejected
        try:
            rows = await self._feed.fresh(max(0.1, until - now()))
        except Unavailable:
            if not self.link.up:
                await self.link.open()  # the sentence that says why it was lost is worth more than that it was
            raise
        series = tuple(rows)
        if series != self._series:
            self._series = series
        return Batch(
            self.config.name,
            ts,
            self._series,
            tuple(rows.values()),
            notes=(self._feed.note,) if self._feed.note else (),
            rejected=self._feed.rejected - before,
        )

    async def close(self) -> None:
        """End the connection, and with it everything over there."""
        await self._feed.close()
        await self.link.close()


KIND = Kind(
    name="ssh",
    help="another machine by your own ssh: its GPUs, and the engines that are found there",
    make=lambda config, _http, _clock: Ssh(config),
    scheme="ssh",
)
