"""How long requests took, minute by minute, of engines and gateways that tell it: from the roll-ups of their meters.

An engine tells histograms of whole requests; where it does not, those of the first token and of the time between two
stand in for it. A gateway tells what all of its requests took together, and how many there were.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any, NamedTuple

from infertop.history.codec import weight
from infertop.money.detect.scopes import FIRST_TOKEN, INTER_TOKEN, LATENCY
from infertop.readings.model import LOCAL

_TOTAL, _REQUESTS = "request_seconds_total", "requests"
_NEW = f"""
    SELECT s.id, o.name, s.metric, s.labels FROM series s JOIN sources o ON o.id = s.source
    WHERE s.metric IN ('{LATENCY}', '{FIRST_TOKEN}', '{INTER_TOKEN}', '{_TOTAL}', '{_REQUESTS}') AND s.id > ?"""
_MOST = 2000

Where = tuple[str, str, str]
"""Source, provider, and model."""


class Took(NamedTuple):
    """What `number` requests (or tokens) of one model took together, in the minute that starts at `start`.

    `place` is whose they were (source, provider, model), `metric` one of the latencies of figures.
    """

    start: int
    place: Where
    metric: str
    seconds: float
    number: float


class Latencies:
    """Remembers which series tell it."""

    def __init__(self) -> None:
        self._series: dict[str, dict[int, Where]] = {}
        self._newest = 0

    def read(self, connection: sqlite3.Connection, since: int, until: int) -> list[Took]:
        """Return what was finished in each minute of [since, until)."""
        self._look(connection)
        whole = {*self._of(LATENCY).values(), *self._of(_TOTAL).values()}
        found = [*self._totals(connection, since, until)]
        for metric in (LATENCY, FIRST_TOKEN, INTER_TOKEN):
            for number, place in self._of(metric).items():
                if metric == LATENCY or place not in whole:
                    for start, content in _grown(connection, number, since, until, "blob"):
                        count, seconds = weight(content)
                        if count > 0 and seconds >= 0:
                            found.append(Took(start, place, metric, seconds, count))
        return found

    def _look(self, connection: sqlite3.Connection) -> None:
        for number, source, metric, labels in connection.execute(_NEW, (self._newest,)).fetchall():
            self._newest = max(self._newest, number)
            said, known = json.loads(labels), self._series.setdefault(metric, {})
            if said.get("model") and len(known) < _MOST:
                known[number] = (source, str(said.get("provider") or LOCAL), str(said["model"]))

    def _of(self, metric: str) -> dict[int, Where]:
        return self._series.get(metric, {})

    def _totals(self, connection: sqlite3.Connection, since: int, until: int) -> Iterator[Took]:
        """Yield what is told as one sum of all requests, of those whose number is told beside it."""
        places = set(self._of(_TOTAL).values()) - set(self._of(LATENCY).values())
        sums: dict[tuple[int, Where], list[float]] = {}
        for at, metric in enumerate((_TOTAL, _REQUESTS)):
            for number, place in self._of(metric).items():
                if place in places:
                    for start, grown in _grown(connection, number, since, until, "real"):
                        sums.setdefault((start, place), [0.0, 0.0])[at] += grown
        for (start, place), (seconds, count) in sums.items():
            if count > 0 and seconds > 0:
                yield Took(start, place, LATENCY, seconds, count)


def _grown(connection: sqlite3.Connection, series: int, since: int, until: int, kind: str) -> list[tuple[int, Any]]:
    """Return by how much a series grew in each minute."""
    query = "SELECT ts, inc FROM minute WHERE series = ? AND ts >= ? AND ts < ? AND typeof(inc) = ?"
    return connection.execute(query, (series, since, until, kind)).fetchall()
