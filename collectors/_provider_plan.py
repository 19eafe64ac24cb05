"""Which spans of a usage API are asked when, so that every second is told once and restatements are heard.

Hours from the beginning of the month (7 days at least) up to two full hours ago: once, over restarts too, and the last
three days before they were read last again at the start and whenever an hour is over. Minutes from there on, at every
poll. Both are aligned to the hour, so that minutes take the place of whole hours and later whole hours that of minutes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

MINUTE, HOUR, DAY = 60, 3600, 86_400
_LIVE_HOURS = 2
_AGAIN_HOURS = 72
_LEAST_DAYS = 7
_LONGEST_GAP = 31 * DAY


class Span(NamedTuple):
    """What to ask: one family of usage over [start, end) in buckets of `width` seconds (a minute or an hour)."""

    family: str
    start: int
    end: int
    width: int

    @property
    def buckets(self) -> int:
        """How many buckets it has."""
        return (self.end - self.start) // self.width


@dataclass(slots=True)
class _Family:
    """How far one family is read: when minutes were, the last hour that was, and from where on everything is.

    `here`: the last hours were read since the start; `read` is the last span of hours that was.
    """

    every: float
    minutes_ts: float | None = None
    hours_until: int | None = None
    back_to: int | None = None
    here: bool = False
    read: Span | None = None


class Plan:
    """What of each family is due. `families` maps a family to the least seconds between two polls of its minutes.

    `begin` returns when the month of a time begins (epoch seconds). `most_hours` is the most buckets of an hour that
    one question may ask for.
    """

    def __init__(self, families: Mapping[str, float], begin: Callable[[float], float], most_hours: int = 168) -> None:
        self._families = {name: _Family(every) for name, every in families.items()}
        self._begin = begin
        self._most = most_hours * HOUR

    def due(self, now: float) -> Iterator[Span]:
        """Iterate over what is due, in the order in which it is needed: minutes, the last days, the rest backwards.

        What is asked may be marked `done` in between.
        """
        yield from self.fresh(now)
        yield from self.back(now)

    def fresh(self, now: float) -> Iterator[Span]:
        """Iterate over what is new: minutes, and hours of the last days, or since they were read last."""
        edge = _edge(now)
        for name, family in self._families.items():
            if family.minutes_ts is None or now - family.minutes_ts >= family.every - 1:
                yield Span(name, edge, int(now // MINUTE * MINUTE), MINUTE)
        for name, family in self._families.items():
            if not family.here or family.hours_until is None or family.hours_until < edge:
                yield from self._hours(name, family, edge)

    def _hours(self, name: str, family: _Family, edge: int) -> Iterator[Span]:
        """Iterate over what may have changed since hours were read last, oldest first: so no gap is left."""
        again = edge - _AGAIN_HOURS * HOUR
        known = family.hours_until
        since = again if known is None else min(again, known - _AGAIN_HOURS * HOUR)
        while since < edge:
            span = Span(name, since, min(since + self._most, edge), HOUR)
            yield span
            if family.read != span:
                return  # it was not read: what follows waits
            since = span.end

    def back(self, now: float) -> Iterator[Span]:
        """Iterate over what was before, as far as the month's first hour, backwards."""
        first = self._first(now)
        for name, family in self._families.items():
            while family.back_to is not None and family.back_to > first:
                before = family.back_to
                yield Span(name, max(first, before - self._most), before, HOUR)
                if family.back_to == before:
                    break

    def done(self, span: Span, now: float) -> None:
        """Note that a span was read whole."""
        family = self._families[span.family]
        if span.width == MINUTE:
            family.minutes_ts = now
            return
        family.read = span
        family.here = family.here or span.end >= (family.hours_until or span.end)
        family.hours_until = max(span.end, family.hours_until or span.end)
        family.back_to = min(span.start, family.back_to or span.start)

    def bookmark(self, name: str) -> str:
        """Return what tells `resume` which hours of a family were read, empty where none were."""
        family = self._families[name]
        return "" if family.hours_until is None else f"{family.back_to} {family.hours_until}"

    def resume(self, name: str, bookmark: str, now: float) -> None:
        """Take which hours of a family were read by whoever ran before; what cannot be true or is old tells nothing."""
        try:
            back_to, until = map(int, bookmark.split())
        except ValueError:
            return
        if back_to < until <= now and until > now - _LONGEST_GAP and not (back_to % HOUR or until % HOUR):
            family = self._families[name]
            family.back_to, family.hours_until = back_to, until

    def left_days(self, now: float) -> int:
        """Return how many days, of all families together the most, are not read back yet."""
        first, edge = self._first(now), _edge(now)
        back = [edge if each.back_to is None else each.back_to for each in self._families.values()]
        return max(0, -(-(max(back) - first) // DAY)) if back else 0

    def _first(self, now: float) -> int:
        return oldest(self._begin, now)


def oldest(begin: Callable[[float], float], now: float) -> int:
    """Return from where on everything is asked: the month's first day, and 7 days at least.

    Days are UTC's, and whole: a bill settles what a day has, and half of one would be settled by the bill of all of it.
    """
    return int(min(begin(now), now - _LEAST_DAYS * DAY) // DAY * DAY)


def last_days(read_ts: float | None, now: float, again: int, begin: Callable[[float], float]) -> int:
    """Return from which midnight (UTC) on days are read: the last `again`, and since they were read last.

    Where they never were (`read_ts` None), all of which usage is read. Today is not counted among them.
    """
    return oldest(begin, now) if read_ts is None else int((min(now, read_ts) - again * DAY) // DAY) * DAY


def _edge(now: float) -> int:
    """Return from where on minutes are asked: a full hour, two hours ago or a little more."""
    return int((now - _LIVE_HOURS * HOUR) // HOUR * HOUR)
