"""The story of a recording: what a recorder that watches would have told of it, minute by minute.

It reads the same minutes in the same order, and knows nothing of what came after them. What it once told is kept, so
that going back in a replay shows what was told by then. It belongs to one thread at a time.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from infertop.commands import planning
from infertop.commands.levels import Levels
from infertop.commands.replay_past import Annals
from infertop.commands.watching_heard import LEARNS_SECONDS
from infertop.commands.watching_news import news_event
from infertop.commands.watching_work import Asked, Work
from infertop.history.reader import Reader
from infertop.history.replay_sums import PastSums
from infertop.history.scopes import Scopes
from infertop.history.used_between import used_between
from infertop.money.detect.fault import Fault
from infertop.money.detect.scopes import IDLE, Scope
from infertop.money.detect.stakes import rule_of
from infertop.money.dimensions import Names
from infertop.money.overlap import Choices
from infertop.money.settings import Settings
from infertop.money.why.usage import Usage
from infertop.views.event_shapes import Comparison, Event
from infertop.views.incident_text import incident_event
from infertop.views.why_incident import beyond_usd, fault_comparison, seen_in

DAY, MINUTE = 86_400, 60
WHY_SECONDS = 600
_PLAN_SECONDS = 600
# The least that is known before anything is told.
_LEARNS_SECONDS = 2 * 3600
_MOST = 100_000
_LEARNING = 0.8  # of the way to the first minute that is shown


class Told(NamedTuple):
    """An event as it was told at `at`."""

    at: float
    event: Event


@dataclass(slots=True)
class _Why:
    at: float
    made: Comparison


class Story:
    """Tells of the day before `at`, and of all that comes after, as far as it is asked to go on.

    `upto` is the end of the last minute that it knows of, `done` the share of what it was asked for, `caught_up` says
    whether it has come as far as it was asked to at some time.
    """

    def __init__(self, where: str, annals: Annals, settings: Settings, choices: Choices, at: float) -> None:
        first = annals.recorded.start
        begin = max(at - DAY, min(first + DAY, at - _LEARNS_SECONDS), first)
        self.upto = self._left = int(begin // MINUTE * MINUTE)
        self.told: list[Told] = []
        self.done = 0.0
        self.caught_up = False
        self._annals, self._settings, self._choices = annals, settings, choices
        self._reader = Reader(where)
        self._work = Work(where, anew=True)
        self._scopes = Scopes(settings, choices.counts, choices.spans)
        self._sums = PastSums(self._scopes)
        self._levels = Levels()
        self._planning = planning.Planning(self._scopes, written=False)
        self._rule = rule_of(settings)
        self._learned, self._before = False, _LEARNING
        self._names: Names = {}
        self._whys: dict[str, _Why] = {}

    def reach(self, upto: float, seconds: float) -> bool:
        """Go on towards the minute that `upto` is in for so many seconds; return whether it was reached.

        Raise Unreadable where the history cannot be read.
        """
        deadline = time.monotonic() + seconds
        target = int(upto // MINUTE * MINUTE)
        if not self._learned:
            self._learned = self._learn(deadline)
        while self._learned and self.upto < target:
            if time.monotonic() > deadline:
                gone = (self.upto - self._left) / (target - self._left)
                self.done = self._before + (1 - self._before) * gone
                return False
            self._minute(self.upto + MINUTE)
        if self._learned:
            self._left, self._before, self.caught_up = self.upto, 0.0, True
        return self._learned

    def close(self) -> None:
        """Let go of the history."""
        self._work.close()
        self._reader.close()

    def _learn(self, deadline: float) -> bool:
        """Learn what is usual from the days before; return whether that is done."""
        if not self._sums.upto:
            self._reader.ask(self._sums.begin, self.upto)
            self._names = self._sums.names
            list(self._levels.cross(self._sums.as_of(self.upto), self._settings, self.upto))
        done = self._work.advance(self._asked(self.upto), max(deadline - time.monotonic(), 0.05))
        since = max(self._annals.recorded.start, self.upto - LEARNS_SECONDS)
        self.done = self._before * min(max((self._work.newest - since) / max(self.upto - since, 1.0), 0.0), 1.0)
        return not done.behind

    def _minute(self, upto: int) -> None:
        self._reader.ask(self._sums.go_on, upto)
        summary = self._sums.as_of(upto)
        if upto % _PLAN_SECONDS == 0 and self._scopes.budgets:
            asked = planning.Asked(self._scopes, summary, float(upto))
            self._levels.plans = self._reader.ask(self._planning.make, asked)
        for key, event in self._levels.cross(summary, self._settings, float(upto)):
            self._tell(upto, replace(event, key=key))
        done = self._work.advance(self._asked(upto), 60.0)
        for fault in {step.fault.key: step.fault for step in done.steps}.values():
            why = self._why(fault, upto)
            self._tell(upto, incident_event(fault, upto, self._settings.zone, self._names, why))
        for news in done.news:
            key, event = news_event(news, self._names)
            self._tell(upto, replace(event, key=key))
        self.upto = upto

    def _asked(self, closed: int) -> Asked:
        told = {source: float(closed) for source in self._sums.telling()}
        return Asked(float(closed), closed, told, choices=self._choices, rule=self._rule, zone=self._settings.zone)

    def _why(self, fault: Fault, now: int) -> Comparison | None:
        """Return what was found out about a fault, looked into anew from time to time and at its end."""
        known = self._whys.get(fault.key)
        if known is not None and fault.until is None and now - known.at < WHY_SECONDS:
            return known.made
        until = max(float(fault.until or now), fault.since + MINUTE)
        made = self._compare(fault, fault.scope, until)
        if wider := seen_in(fault, made):
            made = self._compare(fault, wider, until)
        self._whys[fault.key] = _Why(now, made)
        return made

    def _compare(self, fault: Fault, scope: Scope, until: float) -> Comparison:
        metric, scope = fault.lead.metric, tuple(sorted(scope))

        def used(spans: Sequence[tuple[float, float]]) -> list[Usage]:
            return self._reader.ask(used_between, () if metric == IDLE else scope, spans, self._scopes)

        return fault_comparison(metric, scope, fault.since, until, used, self._settings.zone, beyond_usd(fault))

    def _tell(self, at: float, event: Event) -> None:
        if len(self.told) < _MOST:
            self.told.append(Told(at, event))


def told_by(told: Iterable[Told], now: float) -> list[Event]:
    """Return the last that was told of each event by `now`."""
    found: dict[str, Event] = {}
    for at, event in told:
        if at > now:
            break
        found[event.key] = event
    return list(found.values())


def is_watched(connection: sqlite3.Connection) -> bool:
    """Say whether whoever recorded watched for incidents."""
    try:
        return connection.execute("SELECT 1 FROM watched LIMIT 1").fetchone() is not None
    except sqlite3.OperationalError:
        return False
