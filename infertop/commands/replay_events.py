"""The stored events of a history as they stood at some time: nothing of them that was not known yet."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from infertop.views.event_shapes import CLOSED, OPEN, Event, event_of

INCIDENT, MARK = "incident", "mark"
_MOST = 20_000
_SHOWN = 200
# Only what an event came to last is stored. What lasts was seen a while after it began: a mark after five minutes, an
# incident after a few.
_SEEN_AFTER = {MARK: 300.0, INCIDENT: 180.0}
_EVENTS = "SELECT key, ts, content FROM events ORDER BY ts DESC LIMIT ?"


class Stored(NamedTuple):
    """An event as it was last stored, and when that was (epoch seconds)."""

    event: Event
    written: float

    @property
    def seen(self) -> float:
        """From when on it was known."""
        return min(self.event.ts + _SEEN_AFTER.get(self.event.kind, 0.0), max(self.written, self.event.ts))


def read_events(connection: sqlite3.Connection) -> list[Stored]:
    """Return the newest stored events, in the order in which they became known."""
    found = []
    for key, ts, content in connection.execute(_EVENTS, (_MOST,)).fetchall():
        try:
            event = event_of(json.loads(content))
        except (TypeError, ValueError):
            continue
        if event is not None:
            found.append(Stored(replace(event, key=event.key or str(key)), float(ts)))
    return sorted(found, key=lambda each: each.seen)


def shown_at(stored: Sequence[Stored], now: float, more: Iterable[Event] = ()) -> tuple[Event, ...]:
    """Return what was known of the newest events at `now`, newest first."""
    known = [_as_of(each, now) for each in stored if each.seen <= now]
    return tuple(sorted((*known, *more), key=lambda each: -each.ts)[:_SHOWN])


def _as_of(stored: Stored, now: float) -> Event:
    """Return an event as it stood: not over yet, and with no more excess than its time so far had in the mean."""
    event = stored.event
    if event.until is None or event.until <= now:
        return event if stored.written <= now else _so_far(event, stored.written, now)
    lasting = event.kind in (INCIDENT, MARK)
    if not lasting:
        return replace(event, until=None)
    level = "warn" if event.level == "info" else event.level
    state = OPEN if event.state == CLOSED else event.state
    return _so_far(replace(event, until=None, level=level, state=state), event.until, now)


def _so_far(event: Event, end: float, now: float) -> Event:
    if event.excess_usd is None or end <= event.ts:
        return event
    share = min(max((now - event.ts) / (end - event.ts), 0.0), 1.0)
    per_hour = event.excess_usd / (end - event.ts) * 3600
    return replace(event, excess_usd=event.excess_usd * share, excess_usd_per_hour=per_hour)
