"""A second infertop on a database: it shows what the recorder reads, and writes nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from infertop.commands.choosing import Choosing
from infertop.commands.pricing import Pricing
from infertop.commands.unread import INVENTORY as UNREAD
from infertop.commands.watch import Watch
from infertop.engine.collector import Health, SourceConfig
from infertop.engine.collector import State as SourceState
from infertop.engine.state import State
from infertop.history.follower import Follower, News
from infertop.history.open import Store
from infertop.history.recorder import TICK_SECONDS
from infertop.history.scopes import Scopes
from infertop.history.summary import Summary
from infertop.history.trouble import trouble
from infertop.views.event_shapes import event_of


class Viewing:
    """Follows the recorder once a second. `recorder` says who records, or that nobody does any more.

    `silent` says why nothing comes from it, empty where something does.

    `sources` are those that it reads (None while that is not known), `local` those on its machine, `unread` those whose
    past is still being read back; `untold` says why it cannot tell of alerts. The prices are its own: those of the
    pricing.toml that it uses.
    """

    def __init__(self, follower: Follower, state: State, watch: Watch, pricing: Pricing, choosing: Choosing) -> None:
        self.summary = Summary()
        self.recorder = self.silent = ""
        self.untold: tuple[str, ...] = ()
        self.unread: frozenset[str] = frozenset()
        self.sources: frozenset[str] | None = None
        self.local: frozenset[str] = frozenset()
        self._configs: list[SourceConfig] = []
        self._choosing = choosing
        self._follower = follower
        self._state = state
        self._watch = watch
        self._pricing = pricing
        self._healths: dict[str, Health] = {}

    @classmethod
    async def open(
        cls, store: Store, state: State, watch: Watch, pricing: Pricing, choosing: Choosing, now: float
    ) -> Viewing | None:
        """Begin to follow; where that is not possible, the store's notices say why."""
        assert store.path is not None
        try:
            follower = await asyncio.to_thread(Follower, store.path, now)
        except (sqlite3.Error, OSError) as error:
            why = trouble(error, store.path).reason if isinstance(error, sqlite3.Error) else "it cannot be read"
            store.notices.append(f"the history is not shown: {why}")
            return None
        viewing = cls(follower, state, watch, pricing, choosing)
        viewing.settings_changed()
        await viewing.look(now)
        return viewing

    async def look(self, now: float) -> None:
        """Take what the recorder wrote since the last look."""
        news = await asyncio.to_thread(self._follower.look, now)
        self._take(news)
        for row in (news.inventory or {}).get("pricing", ()):
            if self._pricing.adopt(Path(row["path"]) if row["path"] else None, now):
                self.settings_changed()

    def settings_changed(self) -> None:
        """Sum by the settings of now."""
        self._follower.rescope(Scopes(self._pricing.settings, self._choosing.counts))

    async def close(self) -> None:
        """Close the database."""
        await asyncio.to_thread(self._follower.close)

    def _take(self, news: News) -> None:
        self.recorder, self.silent = news.recorder, news.silent
        self.summary = replace(news.summary, status=news.summary.status or news.silent)
        if news.inventory is not None and "sources" in news.inventory:
            self._take_sources(news.inventory["sources"])
        if news.inventory is not None:
            self.unread = frozenset(str(row["name"]) for row in news.inventory.get(UNREAD, ()))
            self.untold = tuple(str(row["text"]) for row in news.inventory.get("untold", ()))
        for name, content in (news.health or {}).items():
            self._set_health(_health(content, self._healths.get(name)))
        for batch in news.batches:
            self._state.apply(batch)
            if batch.source in self._healths:
                self._set_health(replace(self._healths[batch.source], good_ts=batch.ts, tried_ts=batch.ts))
        for key, content in (news.events or {}).items():
            if (event := event_of(content)) is not None:
                self._watch.events.remember(key, event)
        self._watch.follow(self.summary)

    def _take_sources(self, rows: Sequence[Mapping[str, Any]]) -> None:
        self.sources = frozenset(str(row["name"]) for row in rows)
        self.local = frozenset(str(row["name"]) for row in rows if row["local"])
        configs = [SourceConfig(str(row["kind"]), str(row["name"]), counts=row.get("set")) for row in rows]
        if configs != self._configs:
            self._configs = configs
            if self._choosing.sources_changed(configs):
                self.settings_changed()

    def _set_health(self, health: Health) -> None:
        self._healths[health.source] = health
        self._state.apply_health(health)


def _health(content: Mapping[str, Any], before: Health | None) -> Health:
    """Return what the recorder said, with the newest reading that is known: it tells of changes alone.

    What is read more often than the recorder writes comes no more often than that, and is no sooner stale.
    """
    interval = max(float(content["interval_seconds"]), TICK_SECONDS)
    health = Health(**{**content, "state": SourceState(content["state"]), "interval_seconds": interval})
    if before is None or before.good_ts is None:
        return health
    return replace(health, good_ts=max(before.good_ts, health.good_ts or 0.0))
