"""One figure that is watched: its incidents behind one door.

Who watches gives each closed minute (or any other span) once, in the order of time: `add(start, value)`. Values may
come by the minute or by ten: what has to last is counted in time and in points. What lasts is judged by slots of ten
minutes into which minutes are averaged, also half of the one that is not over; what is many times the usual is judged
at once, by two minutes in a row. A minute without a value is left out; one that is not after the last is ignored (it
was told before). After more than an hour without values nothing is judged for half an hour. After a restart `load`
what `dump` returned and add what came since: the same values make the same incidents.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from math import isfinite
from typing import Any

from infertop.money.detect.given import Given
from infertop.money.detect.incidents import Incident, Rule
from infertop.money.detect.lane import Lane
from infertop.money.detect.local_time import LATEST, offset_seconds
from infertop.money.detect.usual import DAY, SLOT, WEEK

FORMAT = 1
USUAL = Rule()
_MOST = 1e100


class Watched:
    """The incidents of one figure: at most one lasts at a time.

    `rule` says what makes one. `zone` is where hours are counted, UTC where it is None: with it, a day that is an hour
    longer or shorter is no change of traffic.
    """

    def __init__(self, rule: Rule = USUAL, zone: tzinfo | None = None) -> None:
        self.rule = rule
        self.zone = zone
        ways = [falling for falling, watched in ((False, rule.rises), (True, rule.falls)) if watched]
        self._lanes = [Lane(rule, falling) for falling in ways]
        self._first: float | None = None
        self._last: float | None = None
        self._step = 0.0
        self._shifts = (0, 0)
        self._shifts_of: float | None = None

    @property
    def current(self) -> Incident | None:
        """The incident that lasts, with what it came to so far; None where there is none."""
        return next((lane.current for lane in self._lanes if lane.current), None)

    @property
    def plan(self) -> float | None:
        """What the last value should have been, None while that is unknown."""
        return next((lane.plan for lane in self._lanes), None)

    @property
    def history_seconds(self) -> float:
        """How long a past is known."""
        return 0.0 if self._first is None or self._last is None else self._last - self._first

    @property
    def known(self) -> int:
        """How many ten minutes of the last week are known."""
        return max((lane.surges.usual.known for lane in self._lanes), default=0)

    def add(self, ts: float, value: float, usd_per_hour: float | None = None, weight: float = 1.0) -> Incident | None:
        """Take the value of the span that starts at `ts`; return the incident that it opened or closed, if any.

        `usd_per_hour` is what the scope cost an hour in that span: of it the dollars at stake are reckoned where the
        figure itself is not $/hour (`Rule.in_usd`); None is unknown. `weight` is how much the value stands on where
        minutes are averaged: the requests behind tokens per request.
        """
        if not (isfinite(ts) and isfinite(value) and isfinite(weight) and weight > 0 and abs(ts) < LATEST):
            return None
        if self._last is not None and ts <= self._last:
            return None
        value, weight = max(-_MOST, min(_MOST, value)), min(_MOST, weight)
        self._pass(ts)
        given = Given(ts, value, weight, self._step or SLOT / 10, self.history_seconds, usd_per_hour)
        changes = [lane.add(given, self._shifts) for lane in self._lanes]
        return next((each for each in changes if each), None)

    def _pass(self, ts: float) -> None:
        if self._first is None or self._last is None:
            self._first = ts
        else:
            elapsed = ts - self._last
            self._step = min(elapsed, 2 * self._step) if self._step else elapsed
        self._last = ts
        hour = ts // 3600
        if self.zone is not None and hour != self._shifts_of:
            self._shifts_of = hour
            now = offset_seconds(ts, self.zone)
            self._shifts = (self._shift(now, ts - WEEK * SLOT), self._shift(now, ts - DAY * SLOT))

    def _shift(self, now: float, then: float) -> int:
        return round((now - offset_seconds(then, self.zone)) / SLOT)

    def know_no_first(self) -> None:
        """Say that a rise in its first hour tells nothing: more has come to be part of it."""
        for lane in self._lanes:
            lane.know_no_first()

    def rebase(self, factor: float) -> None:
        """Say that the same traffic has `factor` times the value from now on: a price was changed in the file."""
        if isfinite(factor) and factor > 0:
            for lane in self._lanes:
                lane.rebase(factor)

    def dump(self) -> dict[str, Any]:
        """Return the state, for JSON."""
        plain = [self._first, self._last, self._step]
        return {"format": FORMAT, "plain": plain, "lanes": {_way(lane): lane.dump() for lane in self._lanes}}

    @classmethod
    def load(cls, state: Mapping[str, Any], rule: Rule = USUAL, zone: tzinfo | None = None) -> Watched:
        """Return what `dump` told of, with the rule of today; raise ValueError where the state is of another format."""
        if state.get("format") != FORMAT:
            raise ValueError(f"a watched figure's state has format {state.get('format')}, and {FORMAT} is read")
        watched = cls(rule, zone)
        try:
            watched._first, watched._last, watched._step = state["plain"]
            for lane in watched._lanes:
                if _way(lane) in state["lanes"]:
                    lane.load(state["lanes"][_way(lane)])
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"a watched figure's state cannot be read: {error!r}") from None
        return watched


def _way(lane: Lane) -> str:
    return "falls" if lane.falling else "rises"
