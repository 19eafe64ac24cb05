"""How long requests took, minute by minute, of engines that tell it: from the roll-ups of their histograms."""

from __future__ import annotations

import json
import sqlite3
from typing import NamedTuple

from infertop.history.codec import weight

METRIC = "request_seconds"
_NEW = """
    SELECT s.id, o.name, s.labels FROM series s JOIN sources o ON o.id = s.source WHERE s.metric = ? AND s.id > ?"""
_MOST = 2000


class Took(NamedTuple):
    """What the requests of one model on one source took together, in the minute that starts at `start`."""

    start: int
    source: str
    model: str
    seconds: float
    requests: float


class Latencies:
    """Remembers which series tell it."""

    def __init__(self) -> None:
        self._series: dict[int, tuple[str, str]] = {}
        self._newest = 0

    def read(self, connection: sqlite3.Connection, since: int, until: int) -> list[Took]:
        """Return what was finished in each minute of [since, until)."""
        for number, source, labels in connection.execute(_NEW, (METRIC, self._newest)).fetchall():
            self._newest = max(self._newest, number)
            model = json.loads(labels).get("model")
            if model and len(self._series) < _MOST:
                self._series[number] = (source, str(model))
        found = []
        for number, (source, model) in self._series.items():
            rows = connection.execute(
                "SELECT ts, inc FROM minute WHERE series = ? AND ts >= ? AND ts < ? AND typeof(inc) = 'blob'",
                (number, since, until),
            )
            for ts, content in rows.fetchall():
                requests, seconds = weight(content)
                if requests > 0 and seconds >= 0:
                    found.append(Took(ts, source, model, seconds, requests))
        return found
