"""A session on a clock of the test's own, over meters that say what the test wants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from infertop.commands import roster
from infertop.commands.session import Session
from infertop.commands.setup import Setup, kinds
from infertop.engine.clock import Clock
from infertop.engine.collector import Collector, SourceConfig
from infertop.history.open import open_memory
from infertop.money.locate import Candidate
from infertop.money.reload import Watcher
from tests.fakes import ScriptedCollector, Step, batch_of


class Meters:
    """Stands in for every collector: `made` are those that were made, by name; `says` makes what one reads.

    Each reads an empty page until the test sets `says[name]`, a function of the poll's time or an exception.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: dict[str, list[ScriptedCollector]] = {}
        self.says: dict[str, Step] = {}
        monkeypatch.setattr(roster, "collector", self._make)

    def _make(self, config: SourceConfig, _clock: Clock) -> Collector:
        def poll(ts: float) -> Any:
            said = self.says.get(config.name, batch_of(config.name, {}, ts))
            if isinstance(said, Exception):
                raise said
            return said(ts) if callable(said) else said

        made = ScriptedCollector(config.name, [poll], kind=config.kind, url=config.url)
        made.config = config
        self.made.setdefault(config.name, []).append(made)
        return made


def setup(pricing: Path, clock: Clock, database: Path | None = None, *, trusted: bool = True, **more: Any) -> Setup:
    """What a run is made of, with pricing.toml at `pricing` (none: nothing is there)."""
    watcher = Watcher((Candidate(pricing, trusted=trusted),), kinds(), clock.now())
    given = {"db_limit_bytes": 10**9, "options": (), "interval": None, "discover": False, **more}
    return Setup(clock=clock, watcher=watcher, database=database or pricing.with_name("infertop.db"), **given)


@asynccontextmanager
async def session(made: Setup, *, memory: bool = True) -> AsyncIterator[Session]:
    """A session that is closed again; its history is in memory, or in the database of the setup."""
    opened = await Session.open(made, open_memory("a test") if memory else None)
    try:
        yield opened
    finally:
        await opened.close()
