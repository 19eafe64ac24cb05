"""A provider's collector on an account in memory, and the ledger that it fills, in a real database."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from contextlib import closing
from decimal import Decimal
from pathlib import Path

from collectors import KINDS
from infertop.engine.clock import SystemClock
from infertop.engine.collector import Collector, Resumes, SourceConfig, Unavailable
from infertop.engine.http import Http
from infertop.engine.secrets import Secret
from infertop.history.bookmarks import read_bookmarks
from infertop.history.open import open_store
from infertop.history.summary import Summary
from infertop.history.writer import Writer
from infertop.money.derive import Deriver
from infertop.money.rates import PriceBook
from infertop.money.settings import ClassPrice, ModelPrices, Settings
from infertop.readings.model import Batch
from tests.provider_faces import Anthropic, OpenAi
from tests.provider_world import CLASSES, DAY, NANO, World

FACES = {"openai": OpenAi, "anthropic": Anthropic}
NOW = 1_795_343_805.0  # 2026-11-22 10:36:45 UTC
_LINES = """
    SELECT a.model, a.dimensions, a.resource, l.quantity, l.usd_nano, l.start, a.source
    FROM lines l JOIN accounts a ON a.id = l.account WHERE NOT l.open"""


def prices() -> PriceBook:
    """Every model at the prices of NANO, so that no cost is rounded."""
    said = tuple(ClassPrice(name, Decimal(nano) / 1000, "pricing.toml:1") for name, nano in NANO.items())
    return PriceBook(Settings(models=(ModelPrices("*", "pricing.toml:1", "", said),)))


def collector(world: World, provider: str, name: str = "") -> Collector:
    """Make the real collector of a provider, asking the world."""
    kind = KINDS[provider]
    assert kind.api is not None
    key = Secret(FACES[provider].key)
    http = Http(
        kind.api.url,
        key=key,
        key_header=kind.api.key_header,
        headers=dict(kind.api.headers),
        transport=world.transport(),
    )
    return kind.make(SourceConfig(provider, name or provider, interval_seconds=60.0), http, SystemClock())


class Rig:
    """Polls a provider and writes what it says; `trouble` is the sentence of the last poll that failed."""

    def __init__(self, provider: str, path: Path, now: float = NOW) -> None:
        self.world = World(FACES[provider](), now)
        self.provider = provider
        self.path = path
        self.now = now
        self.trouble = ""
        self.batches: list[Batch] = []
        self.collector = collector(self.world, provider)
        self.writer = Writer(open_store(path, now), Deriver(prices()), now)
        self.summary = Summary()

    async def poll(self, seconds: float = 60.0) -> Batch | None:
        """Poll some seconds later, and record what was said."""
        self.now += seconds
        self.world.now = self.now
        try:
            batch = await self.collector.collect(self.now)
        except Unavailable as error:
            self.trouble = error.sentence
            self.summary = self.writer.tick((), self.now)
            return None
        self.trouble = ""
        self.batches.append(batch)
        self.summary = self.writer.tick([batch, *(each for m in batch.members for each in m.batches)], self.now)
        return batch

    async def settle(self) -> None:
        """Poll until every hour that may have changed was read again and nothing is left to read."""
        for seconds in (60.0, 3600.0, 3600.0, 3600.0):
            batch = await self.poll(seconds)
            while batch is not None and batch.again_seconds is not None:
                batch = await self.poll(1.0)

    async def restart(self) -> None:
        """End the program and start it again on the same database."""
        await self.collector.close()
        self.writer.finish(self.now)
        self.collector = collector(self.world, self.provider)
        with closing(sqlite3.connect(self.path)) as connection:
            known = read_bookmarks(connection).get(self.provider)
        assert isinstance(self.collector, Resumes)
        if known:
            self.collector.resume(known)
        self.writer = Writer(open_store(self.path, self.now), Deriver(prices()), self.now)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the last good poll noted."""
        return self.batches[-1].notes if self.batches else ()

    def rows(self, source: str = "") -> list[tuple[str | None, dict[str, str], str, int, int | None, int]]:
        """The ledger's lines of a source."""
        with closing(sqlite3.connect(self.path)) as connection:
            found = connection.execute(_LINES).fetchall()
        return [
            (model, _dimensions(said), resource, quantity, usd, start)
            for model, said, resource, quantity, usd, start, name in found
            if name == (source or self.provider)
        ]

    def ledger(self) -> Counter[tuple[str, str, str, str]]:
        """Tokens (and requests) by (model, key, project, class)."""
        found: Counter[tuple[str, str, str, str]] = Counter()
        for model, said, resource, quantity, _, _ in self.rows():
            if resource in (*CLASSES, "requests", "web_searches"):
                project = said.get("project", "")
                project = "" if project == "default" else project
                found[model or "", said.get("key", ""), project, resource] += quantity
        return +found

    def usd_nano(self, since: float = 0.0, until: float = 1e12) -> int:
        """What the lines that start between two times cost."""
        return sum(usd or 0 for _, _, _, _, usd, start in self.rows() if since <= start < until)

    def day_usd(self, day: float) -> int:
        """What a UTC day cost, in 1e-9 USD."""
        begin = int(day // DAY) * DAY
        return self.usd_nano(begin, begin + DAY)


def _dimensions(said: str) -> dict[str, str]:
    return dict(json.loads(said))
