"""What a viewer sees: the readings, notes and sums that another infertop writes, as they come."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from infertop.history.account_notes import accounts_of
from infertop.history.accounts import Account, read_accounts
from infertop.history.allowed import allowance_budgets
from infertop.history.connect import connect_reader, uri
from infertop.history.files import in_the_way, is_written, last_noted, writer_pid
from infertop.history.meta import read_meta
from infertop.history.scopes import Scopes
from infertop.history.summarise import Summariser
from infertop.history.summary import Summary
from infertop.history.sums import entries_ended, open_entries
from infertop.history.tape import Tape
from infertop.history.trouble import clock, of_kind, trouble
from infertop.readings.account import Account as AccountSaid
from infertop.readings.model import Batch

STATE_SECONDS = 900.0
QUIET_SECONDS = 4.0  # a recorder writes once a second; a source is stale after five


@dataclass(frozen=True, slots=True)
class News:
    """What came since the last look. `health`, `inventory` (by kind) and `events` (by key) are as they were put.

    `recorder` is a sentence: who writes, or that nobody does any more; `silent` is one where nothing comes any more:
    why, since when and what to do.
    """

    batches: tuple[Batch, ...] = ()
    health: Mapping[str, Any] | None = None
    inventory: Mapping[str, Any] | None = None
    events: Mapping[str, Any] | None = None
    summary: Summary = field(default_factory=Summary)
    recorder: str = ""
    silent: str = ""


class Follower:
    """Reads what the recorder wrote since the last look; it belongs to one thread at a time."""

    def __init__(self, path: Path, ts: float, scopes: Scopes | None = None) -> None:
        """Begin 15 minutes back; raise sqlite3.Error where the database cannot be read."""
        self._path = path
        self._scopes = scopes or Scopes()
        self._open(ts)

    def look(self, ts: float) -> News:
        """Return what came; where the database fails, the sums of before with a sentence."""
        try:
            return self._look(ts)
        except sqlite3.DatabaseError as error:
            return self._failed(error, ts)

    def rescope(self, scopes: Scopes) -> None:
        """Sum by other settings from the next look on."""
        self._rescope(replace(scopes, allowances=self._scopes.allowances))

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def _open(self, ts: float) -> None:
        self._connection = connect_reader(uri(self._path))
        self._file = self._path.stat().st_ino
        self._tape = Tape(self._connection)
        self._seq = self._tape.position(ts - STATE_SECONDS)
        self._accounts: dict[int, Account] = {}
        self._summariser = Summariser(self._accounts, self._scopes)
        self._revision = ""
        self._closed = self._tick = -1
        self._heard = last_noted(self._path, ts)
        self._summary = Summary(ts=ts)

    def _look(self, ts: float) -> News:
        if self._path.exists() and self._path.stat().st_ino != self._file:
            self._connection.close()
            self._open(ts)
        connection = self._connection
        connection.execute("BEGIN")
        try:
            batches = []
            for seq, batch, _, _ in self._tape.polls(self._seq):
                self._seq = seq
                batches.append(batch)
            inventory = _parsed(dict(connection.execute("SELECT kind, content FROM inventory").fetchall()))
            accounts = accounts_of(inventory)
            self._allow(accounts)
            self._sum(connection, ts)
            events = dict(
                connection.execute("SELECT key, content FROM events WHERE tick > ?", (self._tick,)).fetchall()
            )
            health = dict(connection.execute("SELECT source, content FROM health").fetchall())
            tick = int(read_meta(connection, "tick", "0"))
            if self._tick >= 0 and tick != self._tick:
                self._heard = ts
            self._tick = tick
        finally:
            connection.execute("ROLLBACK")
        self._summary = replace(self._summary, tick=self._tick, closed=self._closed, accounts=accounts)
        return News(
            tuple(batches),
            _parsed(health),
            inventory,
            _parsed(events),
            self._summary,
            self._recorder(ts),
            self._silent(ts),
        )

    def _allow(self, accounts: Mapping[str, AccountSaid]) -> None:
        """Sum by the limits that providers keep too."""
        allowed = allowance_budgets(accounts, (each.name for each in self._scopes.settings.budgets))
        if allowed != self._scopes.allowances:
            self._rescope(replace(self._scopes, allowances=allowed))

    def _rescope(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._summariser.rescope(scopes)
        self._closed = -1

    def _sum(self, connection: sqlite3.Connection, ts: float) -> None:
        self._accounts |= read_accounts(connection, max(self._accounts, default=0))
        closed = int(read_meta(connection, "closed", "0"))
        revision = read_meta(connection, "revision")
        if self._closed < 0 or revision != self._revision or closed < self._closed:
            self._summariser.load(connection, ts, closed)
        elif closed > self._closed:
            rows = connection.execute(
                "SELECT minute, ms FROM coverage WHERE minute >= ? AND minute < ?", (self._closed, closed)
            )
            # What statements make was summed when they were told, whenever their spans end.
            ended = entries_ended(connection, self._closed, closed)
            metered = [each for each in ended if not self._accounts[each.account].is_stated]
            self._summariser.close(metered, dict(rows.fetchall()))
            self._summariser.turn(connection, ts, closed)
        self._closed, self._revision = closed, revision
        rows = connection.execute("SELECT minute, ms FROM coverage WHERE minute >= ?", (closed,))
        self._summary = self._summariser.summary(ts, open_entries(connection), dict(rows.fetchall()))

    def _recorder(self, ts: float) -> str:
        if not is_written(self._path):
            return "the recorder is gone; what is shown ends with its last tick"
        pid = writer_pid(self._path)
        who = f"process {pid}" if pid else "another process"
        return (
            f"{who} cannot write; what is shown ends with its last tick" if self._silent(ts) else f"recorded by {who}"
        )

    def _silent(self, ts: float) -> str:
        """Return why nothing came for a while, as a sentence with what to do; "" where all is as it should be."""
        written = is_written(self._path)
        noted = in_the_way(self._path) if written else None
        since = noted[1] if noted else self._heard
        if ts - since < QUIET_SECONDS:
            return ""
        if noted:
            found = of_kind(noted[0], self._path)
            return f"the recorder cannot write since {clock(since)}: {found.reason}; it goes on once {found.until}"
        if not written:
            return f"nobody has recorded since {clock(since)}: start infertop record, or infertop again"
        who = f"process {writer_pid(self._path) or 'unknown'}"
        return f"the recorder has written nothing since {clock(since)}: see what {who} says or waits for"

    def _failed(self, error: sqlite3.Error, ts: float) -> News:
        sentence = f"the history cannot be read: {trouble(error, self._path).reason}"
        self._summary = replace(self._summary, ts=ts, status=sentence)
        return News(summary=self._summary, recorder=self._recorder(ts), silent=self._silent(ts))


def _parsed(rows: Mapping[str, str]) -> dict[str, Any]:
    return {key: json.loads(content) for key, content in rows.items()}
