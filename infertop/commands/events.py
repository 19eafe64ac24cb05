"""What happened and is worth a line: shown newest first, and handed to the recorder to be kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from infertop.views.event_shapes import Event, content_of

_KEPT = 200


class Events:
    """The newest events. Each has a key under which it is stored; another with the same key takes its place."""

    def __init__(self) -> None:
        self.shown: tuple[Event, ...] = ()
        self._by_key: dict[str, Event] = {}
        self._news: dict[str, Event] = {}

    def add(self, key: str, event: Event) -> None:
        """Show an event, or what became of the one with the same key, and keep it."""
        event = replace(event, key=key)
        self._news[key] = event
        self.remember(key, event)

    def remember(self, key: str, event: Event) -> None:
        """Show an event that is stored already."""
        newest = sorted(({**self._by_key, key: event}).items(), key=lambda each: -each[1].ts)
        self._by_key = dict(newest[:_KEPT])
        self.shown = tuple(self._by_key.values())

    def find(self, key: str) -> Event | None:
        """Return the event with this key, as far as it is shown."""
        return self._by_key.get(key)

    def end(self, kind: str, lasting: frozenset[str], now: float) -> None:
        """End the events of a kind that last, except those with these keys."""
        for key, event in list(self._by_key.items()):
            if event.kind == kind and event.until is None and key not in lasting:
                self.add(key, replace(event, level="info", until=now))

    def take_news(self) -> Mapping[str, dict[str, object]]:
        """Return what is to be stored, by key and fit for JSON, and forget that it was."""
        news, self._news = self._news, {}
        return {key: content_of(event) for key, event in news.items()}
