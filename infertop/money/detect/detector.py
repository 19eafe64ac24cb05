"""The detector of one series: each part says how rare its figure is in its own past, and the mean of them is the score.

Times are epoch seconds. Nothing is looked at before its time. Hours of the day and week are those of a time zone, else
UTC's: there a change of clocks moves what people do at an hour.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from math import isfinite
from typing import Any, NamedTuple

from infertop.money.detect.alarm import Alarm
from infertop.money.detect.change import Apart, Extremes, Jump
from infertop.money.detect.flat import Flat
from infertop.money.detect.local_time import LATEST, offset_seconds
from infertop.money.detect.ranks import Ranks
from infertop.money.detect.season import Season
from infertop.money.detect.tail import Tail

FORMAT = 1
PARTS = ("season", "jump", "value", "level", "slow level", "spread")
"""What is looked at: distance from the expected value, jump from the last one, rank among past values, change of the
level (short and long), change of the spread."""

_MOST = 1e100  # squares and sums stay finite
_EXTREME_MOST = 4.0
_FLAT_MOST = 4.0


class Verdict(NamedTuple):
    """What is said of one value.

    score: 0 is usual, or told already. unusual: the score before cool-down and habituation. expected: what this value
    was to be; plan: the same without what the last few values say. parts: rarities (-log10 of a share of the past) in
    PARTS' order. extreme: the share of the range so far by which the value lies outside. flat: the rarity of a run of
    equal values. points, seconds: the history that all of it stands on, without this value.
    """

    score: float
    unusual: float
    expected: float
    plan: float
    parts: tuple[float, ...]
    extreme: float
    flat: float
    points: int
    seconds: float


class Detector:
    """A series that is watched: `add` takes its values in the order of time."""

    __slots__ = (
        "_alarm",
        "_extremes",
        "_first",
        "_flat",
        "_jump",
        "_last",
        "_level",
        "_offset",
        "_points",
        "_ranks",
        "_season",
        "_slow",
        "_spread",
        "_tails",
        "_zone",
    )

    def __init__(self, zone: tzinfo | None = None) -> None:
        self._zone = zone
        self._offset = (float("nan"), 0.0)  # of the hour that was asked last
        self._first = 0.0
        self._last = 0.0
        self._points = 0
        self._season = Season()
        self._jump = Jump()
        self._ranks = Ranks()
        self._level = Apart(0.05, 0.002)
        self._slow = Apart(0.05, 0.0005)
        self._spread = Apart(0.05, 0.002)
        self._extremes = Extremes()
        self._flat = Flat()
        self._tails = tuple(Tail() for _ in range(5))
        self._alarm = Alarm()

    def add(self, ts: float, value: float) -> Verdict | None:
        """Return what is to be said of `value` at `ts`; None, and nothing learnt, where one is no finite number.

        A time that is not after the one before counts as that one.
        """
        if not (isfinite(value) and isfinite(ts)):
            return None
        value = max(-_MOST, min(_MOST, value))
        if not self._points:
            self._first = self._last = ts
        elapsed = max(0.0, ts - self._last)
        self._last += elapsed
        distance = self._season.distance(self._local(self._last), elapsed, value)
        season, jump, level, slow, spread = self._tails
        parts = (
            season.rarity(abs(distance)),
            jump.rarity(self._jump.size(value)),
            self._ranks.rarity(value),
            level.rarity(self._level.level(distance)),
            slow.rarity(self._slow.level(distance)),
            spread.rarity(self._spread.spread(distance)),
        )
        extreme, flat = self._extremes.beyond(value), self._flat.rarity(value)
        unusual = (sum(parts) + _extreme_rarity(extreme) + min(_FLAT_MOST, flat)) / len(parts)
        verdict = Verdict(
            self._alarm.score(unusual),
            unusual,
            self._season.expected,
            self._season.plan,
            parts,
            extreme,
            flat,
            self._points,
            self._last - elapsed - self._first,
        )
        self._points += 1
        return verdict

    def _local(self, ts: float) -> float:
        """Return what clocks show where hours are counted, as if it were UTC."""
        hour = ts // 3600
        if self._zone is not None and hour != self._offset[0] and abs(ts) < LATEST:
            self._offset = (hour, offset_seconds(ts, self._zone))
        return ts + self._offset[1]

    def dump(self) -> dict[str, Any]:
        """Return all that is known, for JSON; `load` goes on from it as if nothing had happened."""
        return {
            "format": FORMAT,
            "plain": [self._first, self._last, self._points],
            "tails": [tail.dump() for tail in self._tails],
            **{name: getattr(self, f"_{name}").dump() for name in _STATES},
        }

    @classmethod
    def load(cls, state: Mapping[str, Any], zone: tzinfo | None = None) -> Detector:
        """Return the detector that `dump` told of; raise ValueError where the state is of another format."""
        if state.get("format") != FORMAT:
            raise ValueError(f"a detector's state has format {state.get('format')}, and {FORMAT} is read")
        detector = cls(zone)
        detector._first, detector._last, detector._points = state["plain"]
        for tail, each in zip(detector._tails, state["tails"], strict=True):
            tail.load(each)
        for name in _STATES:
            getattr(detector, f"_{name}").load(state[name])
        return detector


_STATES = ("season", "jump", "ranks", "level", "slow", "spread", "extremes", "flat", "alarm")


def _extreme_rarity(share: float) -> float:
    return min(_EXTREME_MOST, 1 + 8 * share) if share else 0.0
