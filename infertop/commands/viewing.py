"""A second infertop on a database: it shows what the recorder reads, and writes nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from dataclasses import replace
from pathlib import Path

from infertop.commands.restore import event_of
from infertop.commands.watch import Watch
from infertop.engine.collector import Health
from infertop.engine.collector import State as SourceState
from infertop.engine.state import State
from infertop.history.follower import Follower, News
from infertop.history.scopes import Scopes
from infertop.history.summary import Summary
from infertop.history.trouble import trouble


class Viewing:
    """Follows the recorder once a second. `recorder` says who records, or that nobody does any more."""

    def __init__(self, follower: Follower, state: State, watch: Watch) -> None:
        self.summary = Summary()
        self.recorder = ""
        self._follower = follower
        self._state = state
        self._watch = watch
        self._healths: dict[str, Health] = {}

    @classmethod
    async def open(cls, path: Path, state: State, watch: Watch, scopes: Scopes, now: float) -> Viewing | str:
        """Begin to follow, or return a sentence why that is not possible."""
        try:
            follower = await asyncio.to_thread(Follower, path, now, scopes)
        except (sqlite3.Error, OSError) as error:
            return trouble(error, path).reason if isinstance(error, sqlite3.Error) else f"{path} cannot be read"
        return cls(follower, state, watch)

    async def look(self, now: float) -> None:
        """Take what the recorder wrote since the last look."""
        news = await asyncio.to_thread(self._follower.look, now)
        self._take(news)

    async def close(self) -> None:
        """Close the database."""
        await asyncio.to_thread(self._follower.close)

    def _take(self, news: News) -> None:
        self.summary, self.recorder = news.summary, news.recorder
        for name, content in (news.health or {}).items():
            self._healths[name] = _health(content, self._healths.get(name))
            self._state.apply_health(self._healths[name])
        for batch in news.batches:
            self._state.apply(batch)
            known = self._healths.get(batch.source)
            if known is not None:
                self._healths[batch.source] = known = _seen(known, batch.ts)
                self._state.apply_health(known)
        for content in (news.events or {}).values():
            if (event := event_of(content)) is not None:
                self._watch.remember(event)


def _health(content: dict[str, object], before: Health | None) -> Health:
    fields = {**content, "state": SourceState(str(content["state"]))}
    if before is not None and before.good_ts is not None:
        fields["good_ts"] = max(before.good_ts, float(str(content.get("good_ts") or 0)))
    return Health(**fields)  # type: ignore[arg-type]


def _seen(health: Health, ts: float) -> Health:
    return replace(health, good_ts=ts, tried_ts=ts)
