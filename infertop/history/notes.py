"""What a viewer is shown besides readings and the ledger: health, inventory, events, budget levels, the session."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from infertop.history.catalog import plain
from infertop.history.connect import put
from infertop.history.meta import read_meta, write_meta
from infertop.history.outbox import Outbox
from infertop.history.watch_state import Known, Wish, forget_wishes, read_wishes, write_watched

Content = Mapping[str, Any]
SOURCES = "sources"
_MOST_SOURCES = 10_000
Level = tuple[str, int, str]  # budget, start of its period, level

_BOOT = Path("/proc/sys/kernel/random/boot_id")


class Notes:
    """Keeps notes until they are stored; a later one with the same key takes the place of the earlier."""

    def __init__(self, connection: sqlite3.Connection, ts: float, version: str) -> None:
        self._health: dict[str, Content] = {}
        self._inventory: dict[str, Sequence[Content]] = {}
        self._events: dict[str, tuple[float, Content]] = {}
        self._levels: dict[Level, float] = {}
        self._watched: dict[str, Known] = {}
        self._heard: list[Wish] = []
        self.wishes: tuple[Wish, ...] = ()
        self.outbox = Outbox(connection, ts)
        self._version = version
        self._session: float | None = ts
        self._sources: dict[str, list[Any]] = {name: [*known] for name, known in read_sources(connection).items()}
        self._sources_new = False
        rows = connection.execute("SELECT budget, period, level FROM budget_levels").fetchall()
        self.told: frozenset[Level] = frozenset(
            (str(budget), int(period), str(level)) for budget, period, level in rows
        )

    def health(self, source: str, content: Content) -> None:
        """Note how the polls of a source go."""
        self._health[source] = content

    def inventory(self, kind: str, rows: Sequence[Content]) -> None:
        """Note all there is of a kind (GPUs, processes, models, placement), in place of what was noted before."""
        self._inventory[kind] = rows
        if kind == SOURCES:
            self._remember(rows)

    def _remember(self, rows: Sequence[Content]) -> None:
        """Keep what sources are, also when they are read no more: their lines are still there."""
        for row in rows:
            name, known = plain(str(row["name"])), [row["kind"], row.get("set"), row.get("role", 0)]
            if self._sources.get(name) != known and (name in self._sources or len(self._sources) < _MOST_SOURCES):
                self._sources[name] = known
                self._sources_new = True

    def event(self, key: str, ts: float, content: Content) -> None:
        """Note an event, or what became of the one with the same key."""
        self._events[key] = (ts, content)

    def level(self, level: Level, ts: float) -> None:
        """Note that a budget's level was announced, so that it is announced once in its period."""
        if level not in self.told:
            self.told |= {level}
            self._levels[level] = ts

    def watched(self, known: Iterable[Known], heard: Iterable[Wish]) -> None:
        """Note what is known of watched figures, in one transaction, and which wishes were heard."""
        self._watched |= {each.key: each for each in known}
        self._heard += heard

    def write(self, connection: sqlite3.Connection, tick: int) -> None:
        """Store what waits. Health and inventory of an earlier session are gone: its sources may be too."""
        if self._session is not None:
            connection.execute("DELETE FROM health")
            connection.execute("DELETE FROM inventory")
        if self._sources_new:
            write_meta(connection, SOURCES, json.dumps(self._sources))
        put(connection, "INSERT OR REPLACE INTO health VALUES (?,?)", _json_rows(self._health))
        put(connection, "INSERT OR REPLACE INTO inventory VALUES (?,?)", _json_rows(self._inventory))
        events = [(plain(key), ts, tick, json.dumps(content)) for key, (ts, content) in self._events.items()]
        put(connection, "INSERT OR REPLACE INTO events VALUES (?,?,?,?)", events)
        levels = [(plain(budget), period, level, ts) for (budget, period, level), ts in self._levels.items()]
        put(connection, "INSERT OR IGNORE INTO budget_levels VALUES (?,?,?,?)", levels)
        write_watched(connection, self._watched)
        forget_wishes(connection, self._heard)
        self.wishes = read_wishes(connection)
        self.outbox.write(connection)
        if self._session is not None:
            connection.execute(
                "INSERT INTO sessions (boot, pid, version, started) VALUES (?,?,?,?)",
                (_boot_id(), os.getpid(), self._version, self._session),
            )

    def written(self) -> None:
        """Forget what was stored."""
        for waiting in (self._health, self._inventory, self._events, self._levels, self._watched):
            waiting.clear()
        self._heard.clear()
        self.outbox.written()
        self._session, self._sources_new = None, False

    def restart(self, ts: float) -> None:
        """Begin again in another database: the session is noted there too."""
        self._session, self._sources_new = ts, bool(self._sources)
        self.outbox.restart()

    def end(self, connection: sqlite3.Connection, ts: float) -> None:
        """Note that this session ended as it should."""
        connection.execute("UPDATE sessions SET ended = ? WHERE id = (SELECT max(id) FROM sessions)", (ts,))


def read_sources(connection: sqlite3.Connection) -> dict[str, tuple[str, bool | None, int]]:
    """Return of every source that was ever read its kind, what its `counts` was set to, and its role."""
    noted: dict[str, list[Any]] = json.loads(read_meta(connection, SOURCES, "{}"))
    return {name: (str(kind), counts, int(role)) for name, (kind, counts, role) in noted.items()}


def _json_rows(waiting: Mapping[str, object]) -> list[tuple[str, str]]:
    return [(plain(key), json.dumps(content)) for key, content in waiting.items()]


def _boot_id() -> str:
    try:
        return _BOOT.read_text().strip()
    except OSError:
        return ""
