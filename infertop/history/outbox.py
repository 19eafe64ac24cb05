"""Who is still to be told what: kept with the events themselves, so that nothing is lost or told twice over an end.

A letter is posted in the transaction that stores its event. That it is about to be sent is noted before, what came of
it after: an end in between has it sent again, under the same message id. While the database cannot be written, all of
it is kept in memory, and waits there.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from infertop.history.catalog import plain
from infertop.history.connect import put

WAITING, SENT, FAILED, WITHDRAWN = "waiting", "sent", "failed", "withdrawn"
HOUR = 3600
KEPT_SECONDS = 35 * 86400

# What the end of something has of its beginning: whoever is told tells them apart by it.
_CARRIED = frozenset({"severity"})

Key = tuple[str, str]
"""The id of a letter, and its channel."""


@dataclass(frozen=True, slots=True)
class Letter:
    """What a channel is to be told, fit for JSON, from `next_at` on; `id` says what it is about and is told once.

    `lasting`: what it tells of goes on, until `ends` at most (None: nobody knows). A letter that `closes` another is
    posted only where that one was, unless it stands `alone`. What is `withdrawn` and waits still is told no more.
    """

    id: str
    channel: str
    content: Mapping[str, Any]
    ts: float
    next_at: float
    ends: float | None = None
    lasting: bool = False
    closes: str = ""
    alone: bool = False
    withdrawn: bool = False

    @property
    def key(self) -> Key:
        """What tells it from every other."""
        return self.id, self.channel


@dataclass(frozen=True, slots=True)
class Entry:
    """A letter, and how far it got. `batch` is the id of the message that it goes or went out with, empty before."""

    letter: Letter
    seq: int
    state: str = WAITING
    attempts: int = 0
    tried: float | None = None
    next_at: float = 0.0
    batch: str = ""
    error: str = ""
    lasting: bool = False

    @property
    def key(self) -> Key:
        """That of its letter."""
        return self.letter.key


class Outbox:
    """What waits or failed, what was sent within the hour, and what was sent and lasts. It belongs to one thread."""

    def __init__(self, connection: sqlite3.Connection, ts: float) -> None:
        rows = connection.execute("SELECT id, channel FROM outbox").fetchall()
        self._known: set[Key] = {(str(name), str(channel)) for name, channel in rows}
        self._entries = {each.key: each for each in _load(connection, ts)}
        self._dirty: set[Key] = set()
        self._seq = int(connection.execute("SELECT coalesce(max(seq), 0) FROM outbox").fetchone()[0])
        self._shown: tuple[Entry, ...] | None = None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All of them in the order in which they were posted."""
        if self._shown is None:
            self._shown = tuple(sorted(self._entries.values(), key=lambda each: each.seq))
        return self._shown

    def post(self, letter: Letter) -> None:
        """Let a letter wait, unless it was posted before; one that nobody tried to send yet is replaced."""
        letter = replace(letter, id=plain(letter.id), closes=plain(letter.closes))
        if letter.closes:
            opened = self._entries.get((letter.closes, letter.channel))
            if opened is not None and opened.state == WITHDRAWN:
                return
            if opened is not None:
                self._change(replace(opened, lasting=False))
                carried = {name: opened.letter.content[name] for name in _CARRIED & opened.letter.content.keys()}
                letter = replace(letter, content={**letter.content, **carried})
            elif not letter.alone and (letter.closes, letter.channel) not in self._known:
                return
        known = self._entries.get(letter.key)
        if letter.withdrawn:
            if known is not None and known.state == WAITING and not known.batch:
                self._change(replace(known, state=WITHDRAWN, lasting=False))
            return
        if known is not None and known.state == WAITING and not known.batch:
            self._change(replace(known, letter=letter, next_at=min(known.next_at, letter.next_at)))
        elif letter.key not in self._known:
            self._seq += 1
            self._known.add(letter.key)
            self._change(Entry(letter, self._seq, next_at=letter.next_at, lasting=letter.lasting))

    def attempt(self, keys: Iterable[Key], batch: str, ts: float) -> None:
        """Note that these are about to be sent as one message."""
        self._each(keys, lambda each: replace(each, batch=batch, attempts=each.attempts + 1, tried=ts))

    def sent(self, keys: Iterable[Key], ts: float) -> None:
        """Note that these were told."""
        self._each(keys, lambda each: replace(each, state=SENT, tried=ts, error=""))

    def again(self, keys: Iterable[Key], error: str, next_at: float) -> None:
        """Note that these were not told this time, why, and when to try again."""
        self._each(keys, lambda each: replace(each, error=error, next_at=next_at))

    def failed(self, keys: Iterable[Key], error: str) -> None:
        """Note that these cannot be told, and why."""
        self._each(keys, lambda each: replace(each, state=FAILED, error=error))

    def revive(self, channel: str, since: float, ts: float) -> None:
        """Let what could not be told since then wait again: the channel is another one now."""
        failed = [each for each in self.entries if each.state == FAILED and each.letter.ts >= since]
        keys = [each.key for each in failed if each.letter.channel == channel]
        self._each(keys, lambda each: replace(each, state=WAITING, next_at=ts, attempts=0))

    def forget(self, ts: float) -> None:
        """Let go of what is over: it stays in the database alone, for a while."""
        for key, each in list(self._entries.items()):
            if key not in self._dirty and not _is_kept(each, ts):
                del self._entries[key]
                self._shown = None

    def write(self, connection: sqlite3.Connection) -> None:
        """Store what changed."""
        rows = [_row(self._entries[key]) for key in self._dirty]
        put(connection, "INSERT OR REPLACE INTO outbox VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)", rows)

    def written(self) -> None:
        """Forget that it waited to be stored."""
        self._dirty.clear()

    def restart(self) -> None:
        """Begin again in another database: what is under way is stored there too."""
        self._dirty = set(self._entries)

    def _each(self, keys: Iterable[Key], change: Callable[[Entry], Entry]) -> None:
        for key in keys:
            if key in self._entries:
                self._change(change(self._entries[key]))

    def _change(self, entry: Entry) -> None:
        self._entries[entry.key] = entry
        self._dirty.add(entry.key)
        self._shown = None


def prune(connection: sqlite3.Connection, ts: float) -> None:
    """Drop what was told or failed long ago."""
    connection.execute("DELETE FROM outbox WHERE state != ? AND ts < ?", (WAITING, ts - KEPT_SECONDS))


def _is_kept(entry: Entry, ts: float) -> bool:
    if entry.state == WAITING:
        return True
    if entry.state == SENT and entry.lasting and entry.letter.ts > ts - KEPT_SECONDS:
        return entry.letter.ends is None or entry.letter.ends > ts
    last = entry.tried if entry.tried is not None else entry.letter.ts
    return last > ts - (HOUR if entry.state == SENT else 24 * HOUR)


def _load(connection: sqlite3.Connection, ts: float) -> Iterable[Entry]:
    rows = connection.execute(
        """SELECT id, channel, seq, ts, content, ends, lasting, state, attempts, tried, next_at, batch, error
        FROM outbox WHERE state = 'waiting' OR lasting OR coalesce(tried, ts) > ?""",
        (ts - 24 * HOUR,),
    )
    for name, channel, seq, posted, content, ends, lasting, state, attempts, tried, next_at, batch, error in rows:
        try:
            said = json.loads(content)
        except ValueError:
            continue
        letter = Letter(name, channel, said if isinstance(said, dict) else {}, posted, next_at, ends, bool(lasting))
        entry = Entry(letter, seq, state, attempts, tried, next_at, batch, error, bool(lasting))
        if _is_kept(entry, ts):
            yield entry


def _row(entry: Entry) -> tuple[Any, ...]:
    letter = entry.letter
    return (
        letter.id, letter.channel, entry.seq, letter.ts, json.dumps(letter.content), letter.ends, entry.lasting,
        entry.state, entry.attempts, entry.tried, entry.next_at, entry.batch, entry.error,
    )  # fmt: skip
