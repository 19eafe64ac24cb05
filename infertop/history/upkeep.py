"""Keep the database small: the age at which readings are dropped, and the limit on its size."""

from __future__ import annotations

import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from infertop.history.compact import DAY, HOUR, compact
from infertop.history.drops import (
    drop_oldest_minutes,
    drop_oldest_polls,
    drop_polls,
    drop_rollups,
    drop_unused,
    file_bytes,
    transaction,
    used_bytes,
)
from infertop.history.meta import read_meta, write_meta
from infertop.history.outbox import prune
from infertop.history.tape_writer import TapeWriter

_RUN_SECONDS = 1.0  # a run that takes longer goes on with the next minute
_ENOUGH = 0.9
_VACUUM_PAGES = 5000


@dataclass(frozen=True, slots=True)
class Limits:
    """How long what is kept, in seconds (the ledger is kept for ever), and how large the database may be, in bytes.

    From `many_sources` up readings are kept for `raw_many`. `memory_rows` readings wait while nothing can be written.
    """

    raw: int = DAY
    raw_many: int = 2 * HOUR
    many_sources: int = 50
    minute: int = 30 * DAY
    hour: int = 730 * DAY
    notes: int = 400 * DAY
    db_bytes: int = 1_000_000_000
    memory_rows: int = 200_000


class Upkeep:
    """What the writer's thread does once a minute, in transactions of its own."""

    def __init__(self, limits: Limits, tape: TapeWriter) -> None:
        self._limits = limits
        self._tape = tape
        self._said: float | None = None

    def run(self, connection: sqlite3.Connection, ts: float) -> list[str]:
        """Do what is due at `ts`; return sentences about what had to be dropped early."""
        limits = self._limits
        deadline = time.monotonic() + _RUN_SECONDS
        keep = limits.raw_many if self._tape.sources >= limits.many_sources else limits.raw
        while drop_polls(connection, ts - keep) and time.monotonic() < deadline:
            pass
        if _is_due(connection, "hourly", ts, HOUR):
            with transaction(connection):
                drop_rollups(connection, "minute", ts - limits.minute)
                drop_rollups(connection, "hour", ts - limits.hour)
                write_meta(connection, "hourly", int(ts))
        if _is_due(connection, "daily", ts, DAY):
            self._daily(connection, ts)
        with transaction(connection):
            compact(connection, ts)
        return self._fit(connection, ts)

    def _daily(self, connection: sqlite3.Connection, ts: float) -> None:
        with transaction(connection):
            for table in ("events", "budget_levels"):
                connection.execute(f"DELETE FROM {table} WHERE ts < ?", (ts - self._limits.notes,))
            prune(connection, ts)
            unused = drop_unused(connection, ts - 2 * DAY, self._tape.alive())
            write_meta(connection, "daily", int(ts))
        if unused is not None:
            self._tape.forget(unused)

    def _fit(self, connection: sqlite3.Connection, ts: float) -> list[str]:
        """Drop the oldest readings, then the oldest minutes, until the limit is kept; the ledger stays."""
        limit = self._limits.db_bytes
        if file_bytes(connection) <= limit:
            return []
        over = used_bytes(connection) > limit
        dropped = []
        for name, drop in (("readings", drop_oldest_polls), ("minutes", drop_oldest_minutes)) if over else ():
            while used_bytes(connection) > limit * _ENOUGH and drop(connection, ts):
                dropped += [] if name in dropped else [name]
        connection.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()
        if not over or (self._said is not None and ts - self._said < HOUR):
            return []
        self._said = ts
        return [_sentence(connection, dropped, limit)]


def _is_due(connection: sqlite3.Connection, what: str, ts: float, every: int) -> bool:
    return float(read_meta(connection, what, "0")) <= ts - every


def _sentence(connection: sqlite3.Connection, dropped: list[str], limit: int) -> str:
    size = f"{limit / 1e9:.3g} GB" if limit >= 1e8 else f"{limit / 1e6:.3g} MB"
    if used_bytes(connection) > limit:
        return f"the ledger alone is larger than --db-limit ({size}); it is never dropped, so allow more"
    first = connection.execute("SELECT min(ts) FROM polls").fetchone()[0]
    since = datetime.fromtimestamp(first / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC") if first else "now"
    what = " and ".join(dropped)
    return f"the history has reached --db-limit ({size}): the oldest {what} were dropped, readings begin at {since}"
