"""From scores to incidents: one at a time in a series, opened, followed with what it adds up to, and closed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from infertop.money.detect.detector import Verdict

HOUR = 3600.0
_NOTHING = 1e-12


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes an incident: all of these at once.

    score: how unusual its first value is, at least. ratio: the least of value to plan, either way. excess: the least
    that it adds up to, in units of the series times hours. points, seconds: how many values in a row, over how long,
    have to be beyond the ratio; one beyond `at_once` times the plan waits for no other. calm_points, calm_seconds: how
    many values within half of the ratio, over how long, close it. longest_seconds: after that it is what is usual now.
    in_usd: the figure is $/hour itself. floor_usd: the least that has to be at stake. rises, falls: which way counts.
    """

    score: float = 1.8
    ratio: float = 1.5
    excess: float = 0.0
    points: int = 2
    seconds: float = 60.0
    at_once: float = 5.0
    calm_points: int = 3
    calm_seconds: float = 300.0
    longest_seconds: float = 86400.0
    in_usd: bool = True
    floor_usd: float = 0.0
    rises: bool = True
    falls: bool = False


@dataclass(frozen=True, slots=True)
class Incident:
    """Something unusual that lasts, or did: `until` is None while it does.

    since, until: epoch seconds of its first value and of the first that was usual again. score and part: of the value
    that began it. expected: what was planned for that one. peak: the value furthest from its plan. excess: the sum of
    what was beyond the plan, in units of the series times hours, negative where it fell short; excess_per_hour: what
    the last value adds to it; both in USD too, where dollars are known. opened: start of the span that made it one.
    history_seconds: the past that `expected` stands on.
    """

    since: float
    until: float | None
    score: float
    part: str
    expected: float
    value: float
    peak: float
    excess: float
    points: int
    opened: float = 0.0
    excess_per_hour: float = 0.0
    excess_usd: float | None = None
    excess_usd_per_hour: float | None = None
    history_seconds: float = 0.0


class Incidents:
    """The incidents of one series: give it each verdict in turn."""

    def __init__(self, rule: Rule = Rule()) -> None:
        self.rule = rule
        self._now: Incident | None = None
        self._opened = False
        self._last = 0.0
        self._farthest = 0.0
        self._calm = 0
        self._calm_since = 0.0

    @property
    def current(self) -> Incident | None:
        """The incident that lasts, None where there is none."""
        return self._now if self._opened else None

    def add(self, ts: float, value: float, verdict: Verdict) -> Incident | None:
        """Take a value and what the detector said of it; return the incident where it was opened or closed by this."""
        far = value - verdict.plan
        times = _times(value, verdict.plan)
        if self._now is None:
            if verdict.unusual < self.rule.score or times < self.rule.ratio:
                return None
            self._begin(ts, value, verdict)
        hours = max(0.0, ts - self._last) / HOUR
        self._last = max(ts, self._last)
        return self._follow(ts, value, far, times, hours)

    def _begin(self, ts: float, value: float, verdict: Verdict) -> None:
        self._now = Incident(ts, None, verdict.unusual, verdict.strongest, verdict.plan, value, value, 0.0, 0)
        self._last, self._farthest, self._calm = ts, 0.0, 0

    def _follow(self, ts: float, value: float, far: float, times: float, hours: float) -> Incident | None:
        now = self._now
        assert now is not None, "only what has begun is followed"
        least = (1 + self.rule.ratio) / 2 if self._opened else self.rule.ratio
        if times < least or far * (now.value - now.expected) < 0:
            return self._calmer(ts)
        self._calm = 0
        if abs(far) > self._farthest:
            self._farthest = abs(far)
            now = replace(now, peak=value)
        self._now = now = replace(now, excess=now.excess + far * hours, points=now.points + 1)
        if self._opened:
            return self._close(ts) if ts - now.since > self.rule.longest_seconds else None
        self._opened = self._lasts(now, ts, times)
        return now if self._opened else None

    def _lasts(self, now: Incident, ts: float, times: float) -> bool:
        rule = self.rule
        if abs(now.excess) < rule.excess:
            return False
        return times >= rule.at_once or (now.points >= rule.points and ts - now.since >= rule.seconds)

    def _calmer(self, ts: float) -> Incident | None:
        if not self._opened:  # a moment, and nothing that lasts
            self._now = None
            return None
        if not self._calm:
            self._calm_since = ts
        self._calm += 1
        if self._calm < self.rule.calm_points or ts - self._calm_since < self.rule.calm_seconds:
            return None
        return self._close(self._calm_since)

    def _close(self, until: float) -> Incident | None:
        closed = replace(self._now, until=until) if self._now else None
        self._now, self._opened = None, False
        return closed

    def dump(self) -> dict[str, Any]:
        """Return the state, for JSON."""
        now = asdict(self._now) if self._now else None
        return {"now": now, "plain": [self._opened, self._last, self._farthest, self._calm, self._calm_since]}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up a state that `dump` returned."""
        self._now = Incident(**state["now"]) if state["now"] else None
        self._opened, self._last, self._farthest, self._calm, self._calm_since = state["plain"]


def _times(value: float, expected: float) -> float:
    """Return how many times the one is the other, 1 or more; of different signs or with 0 it is as much as can be."""
    low, high = sorted((abs(value), abs(expected)))
    if value * expected < 0 or (low <= _NOTHING < high):
        return float("inf")
    return high / low if low > _NOTHING else 1.0
