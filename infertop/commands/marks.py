"""Figures that left their baseline: $/hour and tokens/request, by model and in all, minute by closed minute."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from math import inf

from infertop.commands.minutes import minute_usd_per_hour
from infertop.history.summary import Minute, Summary, Totals
from infertop.money.baseline import Baselines, Change, Key, Mark, Scope
from infertop.money.lines import NANO
from infertop.readings.registry import TOKEN_CLASSES
from infertop.views.shapes import Event

MARK = "mark"
_MINUTE = 60
# A provider that is later than that all the time is in no figure of now.
TIMELY_SECONDS = 2700.0
USD, TOKENS = "usd_per_hour", "tokens_per_request"
_WORDS = {USD: ("$/hour", "{:,.2f}"), TOKENS: ("tokens/request", "{:,.0f}")}


def figures(minute: Minute) -> dict[Key, float | None]:
    """Return the figures of a closed minute that have a baseline: in all and by model, see `Baselines`."""
    return of_sources(minute, lambda _source: True) | in_all(minute)


def of_sources(minute: Minute, of: Callable[[str], bool]) -> dict[Key, float | None]:
    """Return the figures of the models of some sources."""
    values: dict[Key, float | None] = {}
    for key, usd in minute_usd_per_hour(minute).items():
        if key is not None and key[1] is not None and of(key[0]) and key not in minute.spread:
            values[_scope(key[0], key[1]), USD] = usd
    for (source, model), row in minute.totals.items():
        requests = row.quantities.get("requests", 0)
        if model is not None and requests > 0 and of(source) and (source, model) not in minute.spread:
            values[_scope(source, model), TOKENS] = _tokens(row) / requests
    return values


def in_all(minute: Minute, without: Collection[str] = ()) -> dict[Key, float | None]:
    """Return the figures of all that counts, without some sources."""
    # An hour's mean says nothing of how far minutes are from it: beside it every burst would be unusual.
    told_wide = any(minute.counted(key) for key in minute.spread if key[0] not in without)
    usd = None if told_wide else minute_usd_per_hour(minute)[None]
    for key, row in minute.totals.items():
        if usd is not None and key[0] in without:
            usd -= min(sum(row.stated.values()), minute.counted(key) or 0) / NANO * 60
    values: dict[Key, float | None] = {((), USD): usd}
    served = requested = 0
    for key, row in minute.totals.items():
        requests = row.quantities.get("requests", 0)
        if key[1] is not None and requests > 0 and key not in minute.apart | minute.spread and key[0] not in without:
            served, requested = served + _tokens(row), requested + requests
    if requested:
        values[(), TOKENS] = served / requested
    return values


def _tokens(row: Totals) -> int:
    return sum(row.quantities.get(name, 0) for name in TOKEN_CLASSES)


def _scope(source: str, model: str) -> Scope:
    return (("model", model), ("source", source))


class Marks:
    """The baselines, brought up to date with the ledger's minutes. While `paused`, those that close wait.

    A provider tells a minute long after it closed: its models' figures are looked at once it has told all of it, and
    those in all once every provider has. So what only fills up late is no fall.
    """

    def __init__(self, sigma: float) -> None:
        self.baselines = Baselines(sigma)
        self.paused = False
        self._newest = self._newest_all = -1
        self._newest_of: dict[str, int] = {}
        self._timely: set[str] = set()

    def load(self, minutes: Iterable[Minute], told_until: float = inf) -> None:
        """Take the minutes of an earlier run, oldest first; behind `told_until` providers may not have told all."""
        for minute in minutes:
            self._newest = max(self._newest, minute.start)
            telling = {key[0] for key, row in minute.totals.items() if row.stated}
            if telling and minute.start >= told_until:
                self._add(minute, of_sources(minute, (telling ^ {key[0] for key in minute.totals}).__contains__))
            else:
                self._newest_all = max(self._newest_all, minute.start)
                self._add(minute, figures(minute))

    def take(self, summary: Summary) -> list[Change]:
        """Take the minutes that closed, or were told, since the last time; return marks begun and ended."""
        if self.paused:
            return []
        told = {name: each.complete_until for name, each in summary.accounts.items() if each.complete_until}
        closed = [each for each in summary.minutes if each.start < summary.closed]
        changes: list[Change] = []
        for minute in (each for each in closed if each.start > self._newest):
            changes += self._add(minute, of_sources(minute, lambda source: source not in told))
            self._newest = minute.start
        for source, until in told.items():
            since = self._newest_of.get(source, -1)
            for minute in (each for each in closed if since < each.start <= until - _MINUTE):
                changes += self._add(minute, of_sources(minute, source.__eq__))
                self._newest_of[source] = minute.start
        return changes + self._take_all(summary, closed, told)

    def _take_all(self, summary: Summary, closed: Iterable[Minute], told: Mapping[str, float]) -> list[Change]:
        """Take the figures in all, of minutes that every provider has told; who never tells in time is left out."""
        self._timely |= {name for name, until in told.items() if summary.ts - until < TIMELY_SECONDS}
        upto = min((until for name, until in told.items() if name in self._timely), default=inf)
        slow = told.keys() - self._timely
        changes: list[Change] = []
        for minute in (each for each in closed if self._newest_all < each.start <= upto - _MINUTE):
            changes += self._add(minute, in_all(minute, slow))
            self._newest_all = minute.start
        return changes

    def lasting(self) -> frozenset[str]:
        """Return the keys of the marks that last."""
        return frozenset(map(mark_key, self.baselines.marks()))

    def _add(self, minute: Minute, values: Mapping[Key, float | None]) -> list[Change]:
        if minute.covered_ms <= 0:  # what providers tell of it holds all the same; of the rest nothing is known
            values = {key: value for key, value in values.items() if key[0]}
        return self.baselines.add(minute.start, values)


def mark_key(mark: Mark) -> str:
    """Return the key of a mark's event: the same while it lasts, and when it ends."""
    return f"{MARK} {mark.metric} {mark.since} {list(mark.scope)}"


def mark_event(change: Change) -> Event:
    """Return the event of a mark that began or ended."""
    mark = change.mark
    words, form = _WORDS[mark.metric]
    scope = dict(mark.scope)
    value, usual, deviation = (form.format(x) for x in (mark.value, mark.usual.mean, mark.usual.deviation))
    return Event(
        ts=mark.since,
        level="warn" if change.until is None else "info",
        kind=MARK,
        text=f"{scope.get('model', 'in all')}: {words} {value}, usually {usual}, give or take {deviation}",
        scope=scope,
        metric=mark.metric,
        value=mark.value,
        expected=mark.usual.mean,
        until=change.until,
    )
