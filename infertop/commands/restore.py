"""What an earlier run left, read back at the start: the screen begins with its past, and what is usual is known."""

from __future__ import annotations

import asyncio
import json
import logging
import sqlite3
from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from infertop.commands.gpus import SeenGpus
from infertop.commands.watch import Watch
from infertop.engine.state import State
from infertop.history.open import Store
from infertop.history.reader import Reader, Unreadable
from infertop.history.summary import Minute
from infertop.history.tape import Tape
from infertop.readings.model import Batch
from infertop.views.shapes import Event

_log = logging.getLogger(__name__)
STATE_SECONDS = 900.0
_WEEK_SECONDS = 7 * 86400.0
_EVENTS_SECONDS = 86400.0
_MOST_EVENTS = 200
_CHUNK = 360


async def restore(store: Store, state: State, now: float) -> SeenGpus:
    """Fill the live state with the last minutes of the tape, and return the GPUs that were seen."""
    try:
        reader = await asyncio.to_thread(Reader, store.uri)
        for batch in await asyncio.to_thread(reader.ask, _recent, now - STATE_SECONDS):
            state.apply(batch)
        rows = await asyncio.to_thread(reader.ask, _inventory, "gpus")
        reader.close()
    except Unreadable as error:
        _log.warning("%s", error)
        rows = []
    return SeenGpus(rows)


async def restore_watch(store: Store, watch: Watch, now: float) -> None:
    """Fill the baselines with the minutes of the last week, a few hours at a time, and read back the day's events."""
    try:
        reader = await asyncio.to_thread(Reader, store.uri)
        for event in await asyncio.to_thread(reader.ask, _events, now - _EVENTS_SECONDS):
            watch.remember(event)
        minutes = reader.minutes(now - _WEEK_SECONDS, now // 60 * 60)
        while chunk := await asyncio.to_thread(_next, minutes):
            await asyncio.to_thread(watch.load, chunk)
        reader.close()
    except Unreadable as error:
        _log.warning("%s", error)


def _next(minutes: Iterable[Minute]) -> list[Minute]:
    return list(islice(minutes, _CHUNK))


def _recent(connection: sqlite3.Connection, since: float) -> list[Batch]:
    return list(Tape(connection).batches(since))


def _events(connection: sqlite3.Connection, since: float) -> list[Event]:
    rows = connection.execute(
        "SELECT content FROM events WHERE ts >= ? ORDER BY ts DESC LIMIT ?", (since, _MOST_EVENTS)
    )
    return [event for (content,) in rows if (event := event_of(json.loads(content))) is not None]


def _inventory(connection: sqlite3.Connection, kind: str) -> list[dict[str, Any]]:
    row = connection.execute("SELECT content FROM inventory WHERE kind = ?", (kind,)).fetchone()
    return list(json.loads(row[0])) if row else []


def event_of(content: Mapping[str, Any]) -> Event | None:
    """Return the event that was stored as `content`, None where it is none that this version knows."""
    try:
        return Event(**content)
    except TypeError:
        return None
