"""What was never used before: a key, a model. That is news and no anomaly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from infertop.history.accounts import Account
from infertop.history.figures import MinuteFlows
from infertop.money.dimensions import Names
from infertop.views.event_shapes import Event
from infertop.views.incident_text import subject

FIRST_SECONDS = 3600
_DIMENSIONS = ("model", "key")
_MOST_AN_HOUR = 20
_MOST_KNOWN = 50_000
_NAMES_SHOWN = 3


class News(NamedTuple):
    """Values of a dimension that were used for the first time in the minute that starts at `minute`."""

    minute: int
    dimension: str
    values: tuple[str, ...]
    source: str


class Novelties:
    """Every key and model that was ever used. In the first hour of a history, and of a source, nothing is news."""

    def __init__(self) -> None:
        self._known: dict[str, set[str]] = {name: set() for name in _DIMENSIONS}
        self._sources: dict[str, int] = {}
        self._hour = 0
        self._told = 0

    def begin(self, accounts: Iterable[Account], first: int) -> None:
        """Begin with what the ledger has; it began at `first` (epoch seconds)."""
        for each in accounts:
            self._sources.setdefault(each.source, first)
            for name, value in _values(each.model, dict(each.dimensions).get("key")):
                self._known[name].add(value)

    def look(self, minute: MinuteFlows, is_old: Callable[[str, str, int], bool]) -> list[News]:
        """Return what is new in a minute; `is_old` says of (dimension, value, minute) whether the ledger had it."""
        new: dict[tuple[str, str], list[str]] = {}
        for place in minute.flows:
            since = self._sources.setdefault(place.source, minute.start)
            for name, value in _values(place.model, place.key):
                known = self._known[name]
                if value in known or len(known) >= _MOST_KNOWN:
                    continue
                known.add(value)
                if minute.start - since >= FIRST_SECONDS and not is_old(name, value, minute.start):
                    new.setdefault((name, place.source), []).append(value)
        return [
            News(minute.start, name, tuple(sorted(values)), source)
            for (name, source), values in new.items()
            if self._may_tell(minute.start)
        ]

    def _may_tell(self, minute: int) -> bool:
        hour = minute // 3600
        if hour != self._hour:
            self._hour, self._told = hour, 0
        self._told += 1
        return self._told <= _MOST_AN_HOUR

    def dump(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        known = {name: sorted(values) for name, values in self._known.items()}
        return {"known": known, "sources": self._sources, "told": [self._hour, self._told]}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what `dump` told of."""
        self._known = {name: set(map(str, state["known"].get(name, ()))) for name in _DIMENSIONS}
        self._sources = {str(name): int(since) for name, since in state["sources"].items()}
        self._hour, self._told = map(int, state["told"])


def _values(model: str | None, key: str | None) -> list[tuple[str, str]]:
    return [(name, value) for name, value in (("model", model), ("key", key)) if value]


def news_event(news: News, names: Names) -> tuple[str, Event]:
    """Return the event, and its key, of what was used for the first time."""
    shown = [names.get((news.dimension, each), each) for each in news.values[:_NAMES_SHOWN]]
    what = " and ".join([", ".join(subject({news.dimension: each}) for each in shown)])
    more = f" and {len(news.values) - len(shown)} more" if len(news.values) > len(shown) else ""
    scope = {news.dimension: shown[0]} if len(news.values) == 1 else {}
    text = f"{what}{more}: used for the first time, through {subject({'source': news.source})}"
    key = f"news {news.dimension} {news.minute} {news.source} {news.values[0]}"
    return key, Event(float(news.minute), "info", "news", text, scope, until=float(news.minute))
