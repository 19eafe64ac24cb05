"""What makes an incident, and what one is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

HOUR = 3600.0
_LASTING = (1.9, 1.8, 1.7, 1.6, 1.55)
_NOTHING = 1e-12
_SHORTEST = 10.0  # a value that is less of its plan is taken for that much of it


@dataclass(frozen=True, slots=True)
class Rule:
    """What makes an incident: all of these at once.

    score: its rarity in the figure's own history, at least (-log10 of the share of ten minutes that were as far above).
    ratio: how many times the most that is usual it is for an hour; what is shorter has to be more (1.2 times as much
    for 20 minutes), and `at_once` times needs no second value of five minutes or more, of shorter ones two in a row.
    floor_usd: the least that is at stake: what it came to, and what it adds in an hour more. in_usd: the figure is
    $/hour itself. rises, falls: which way counts. calm_ratio, calm_points, calm_seconds: how many values in a row are
    less than that many times their plan, over how long, when it is over. longest_seconds: after that it is usual.
    share: which share of the dollars that a figure is about is beyond, of value and plan; None: as much as of it. mean:
    it is one of requests, which no outage brings down: to rise to what other days had is no way back.
    """

    score: float = 1.5
    ratio: float = 1.55
    at_once: float = 5.0
    floor_usd: float = 0.0
    in_usd: bool = True
    rises: bool = True
    falls: bool = False
    calm_ratio: float = 1.4
    calm_points: int = 3
    calm_seconds: float = 900.0
    longest_seconds: float = 86400.0
    share: Callable[[float, float], float] | None = None
    mean: bool = False

    @property
    def steps(self) -> tuple[float, ...]:
        """The least ratios: at once, and over 20, 30, 40, 50 and 60 minutes."""
        scale = self.ratio / _LASTING[-1]
        lasting = tuple(max(1.01, each * scale) for each in _LASTING)
        return max(self.at_once, lasting[0]), *lasting


@dataclass(frozen=True, slots=True)
class Incident:
    """Something unusual that lasts, or did: `until` is None while it does.

    since, until: epoch seconds of its first value and of the first that was usual again; opened: of the value that made
    it one. score: -log10 of the share of the past that was as unusual; part: "jump", or "level" where it had to last.
    expected and value: the plan and the figure when it opened. peak: the value furthest from its plan. excess: the sum
    of what was beyond the plan, in units of the series times hours, negative where it fell short; excess_per_hour: by
    how much the last value was beyond it; both in USD too, None where no dollars are known. points: how many values it
    had, hours: for how long those stand. history_seconds: the past that `expected` stands on. latest: the last value.
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
    hours: float = 0.0
    latest: float | None = None
    total: float | None = 0.0  # value x hours; None of one that was stored without

    @property
    def now(self) -> tuple[float, float]:
        """The last value and what it should have been: what is beyond now is their difference."""
        value = self.expected + self.excess_per_hour if self.latest is None else self.latest
        return value, value - self.excess_per_hour

    @property
    def mean(self) -> tuple[float, float]:
        """The mean value of its time, and of what was expected: what was beyond is their difference times its hours."""
        if not self.hours:
            return self.peak, self.expected
        beyond = self.excess / self.hours
        value = self.expected + beyond if self.latest is None or self.total is None else self.total / self.hours
        return value, value - beyond

    def less(self, base: float) -> Incident:
        """Return the incident of the same figure without `base`, on top of which it was watched."""
        return replace(
            self,
            value=self.value - base,
            expected=max(self.expected - base, 0.0),
            peak=self.peak - base,
            latest=None if self.latest is None else self.latest - base,
            total=None if self.total is None else self.total - base * self.hours,
        )

    @property
    def stake_usd(self) -> float:
        """What it came to and will have come to in an hour more, 0 where no dollars are known."""
        return abs(self.excess_usd or 0.0) + abs(self.excess_usd_per_hour or 0.0)

    def grown(self, value: float, plan: float, hours: float, usd_per_hour: float | None) -> Incident:
        """Return the incident with one more value, that lasted for `hours`; `usd_per_hour` is what that was beyond."""
        far = value - plan
        usd = self.excess_usd
        if usd_per_hour is not None:
            usd = (usd or 0.0) + usd_per_hour * hours
        return replace(
            self,
            peak=value if abs(far) > abs(self.peak - self.expected) else self.peak,
            excess=self.excess + far * hours,
            latest=value,
            total=None if self.total is None else self.total + value * hours,
            points=self.points + 1,
            hours=self.hours + hours,
            excess_per_hour=far,
            excess_usd=usd,
            excess_usd_per_hour=usd_per_hour,
        )


def beyond_usd(rule: Rule, value: float, plan: float, usd_per_hour: float | None) -> float | None:
    """Return the $/hour by which `value` is beyond `plan`, negative where it falls short; None where that is unknown.

    Of a figure that is no $/hour it is that share of the dollars that it is about: with 3 times the tokens a request,
    two thirds of what those tokens cost are beyond.
    """
    if rule.in_usd:
        return value - plan
    if usd_per_hour is None:
        return None
    if rule.share is not None:
        return usd_per_hour * rule.share(value, plan)
    whole = max(abs(value), abs(plan) / _SHORTEST)
    return usd_per_hour * (value - plan) / whole if whole > _NOTHING else 0.0


def incident_content(incident: Incident | None) -> dict[str, Any] | None:
    """Return an incident for JSON."""
    return asdict(incident) if incident else None


def incident_of(content: Mapping[str, Any] | None) -> Incident | None:
    """Return the incident that was written as `content`."""
    return Incident(**{"total": None, **content}) if content else None
