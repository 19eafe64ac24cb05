"""What an earlier run left, read back at the start: the screen begins with its past, and what is usual is known."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Iterator
from itertools import islice
from typing import Any

from infertop.commands.gpus import SeenGpus
from infertop.commands.marks import MARK, TIMELY_SECONDS, Marks
from infertop.commands.watch import Watch
from infertop.engine.state import State
from infertop.history.bookmarks import Bookmarks, read_bookmarks
from infertop.history.meta import read_meta
from infertop.history.open import Store
from infertop.history.reader import Reader, Unreadable
from infertop.history.summary import Minute
from infertop.history.tape import Tape
from infertop.money.overlap import Counts, all_count
from infertop.readings.model import Batch
from infertop.views.event_shapes import Event, event_of

_log = logging.getLogger(__name__)
STATE_SECONDS = 900.0
_WEEK_SECONDS = 7 * 86400.0
_EVENTS_SECONDS = 86400.0
_MOST_EVENTS = 200
_CHUNK = 360
# What lasted when the last run ended is taken to last still, if that was so short a time ago.
_LASTING_SECONDS = 300.0


async def restore(store: Store, state: State, watch: Watch, now: float) -> SeenGpus:
    """Fill the live state with the last minutes of the tape, recall the day's events, and return the GPUs seen."""
    try:
        reader = await asyncio.to_thread(Reader, store.uri)
        batches, events, gpus, closed = await asyncio.to_thread(reader.ask, _past, now)
        reader.close()
    except Unreadable as error:
        _log.warning("%s", error)
        return SeenGpus()
    for batch in batches:
        state.apply(batch)
    for key, event in events.items():
        watch.events.remember(key, event)
    if now - closed > _LASTING_SECONDS:
        watch.events.end(MARK, frozenset(), float(closed))
    return SeenGpus(gpus)


def bookmarks(store: Store) -> Bookmarks:
    """Return how far each source that is read on was read; nothing where that cannot be known. It reads the disk."""
    try:
        with Reader(store.uri) as reader:
            return reader.ask(read_bookmarks)
    except Unreadable as error:
        _log.warning("%s", error)
        return {}


async def learn(
    store: Store, sigma: float, now: float, counts: Counts = all_count, until: float | None = None
) -> Marks:
    """Return baselines of the last week, read a few hours at a time; `counts` says what is part of totals.

    What closed later than `until` is left out.
    """
    marks = Marks(sigma)
    try:
        reader = await asyncio.to_thread(Reader, store.uri)
        closed = await asyncio.to_thread(reader.ask, _closed)
        closed = closed if until is None else min(closed, int(until))
        minutes = reader.minutes(now - _WEEK_SECONDS, closed, counts)
        while chunk := await asyncio.to_thread(_next, minutes):
            await asyncio.to_thread(marks.load, chunk, closed - TIMELY_SECONDS)
        reader.close()
    except Unreadable as error:
        _log.warning("%s", error)
    return marks


def _next(minutes: Iterator[Minute]) -> list[Minute]:
    return list(islice(minutes, _CHUNK))


def _past(
    connection: sqlite3.Connection, now: float
) -> tuple[list[Batch], dict[str, Event], list[dict[str, Any]], int]:
    batches = list(Tape(connection).batches(now - STATE_SECONDS))
    rows = connection.execute(
        "SELECT key, content FROM events WHERE ts >= ? ORDER BY ts DESC LIMIT ?", (now - _EVENTS_SECONDS, _MOST_EVENTS)
    ).fetchall()
    events = {key: event for key, content in rows if (event := event_of(json.loads(content))) is not None}
    gpus = connection.execute("SELECT content FROM inventory WHERE kind = 'gpus'").fetchone()
    return batches, events, json.loads(gpus[0]) if gpus else [], _closed(connection)


def _closed(connection: sqlite3.Connection) -> int:
    return int(read_meta(connection, "closed", "0"))
