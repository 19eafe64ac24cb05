"""What a figure may come to, and what it should: from the last hour, and from what the same hour of the day and of the
week did to the hour before it.

Values are means of ten minutes, called slots (epoch seconds / 600). They are kept for a week.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import exp, inf, log
from typing import Any

SLOT = 600
DAY, WEEK = 144, 1008
_THURSDAY = 3  # the weekday of 1970-01-01, counted from Monday
_RING = 1200  # a week, and what an incident of a day makes old
_NEAR = 6  # slots that say what is usual now
_LEAST = 3
_LATE, _BEYOND_LATE = 3, 1.1  # recent slots, and times their highest: what goes down was usual, and is no more
_AROUND = 1  # slots before and after that a pattern may be early or late
_STEEPEST = 10.0
_FLOOR_SHARE = 0.1  # of the week's mean: below it, ratios say little about money
_NOTHING = 1e-9
_STEEP = log(4.0)  # log: what rises by more is held against what it comes to, and not against the hour before
_ALIKE = 2.0
_RAMP = 0.1  # log: what is less is no pattern
_TRUST = 2.0  # half of what a pattern said came true: it is followed
_HEEDED = 500.0  # slots that told of a ramp, after which one counts for nothing
_DESCENT = 0.7  # of a fall that every known day made: so much of it is expected today
_DIP = 0.6  # of other days' last hour: below it is an outage, and what follows it the way back
_FELL_EVERY, _FELL_WITHIN = 12, 72  # slots back at which is looked what stood before a fall
_ODD, _FEW = 1, 3  # a day that may have been otherwise, of more than so many
_STALE = 7  # slots without a value after which the last hour says nothing of now


class Usual:
    """A week of slots, the recent ones among them, and the week's mean.

    `recent` are those that count as usual now, as (slot, value), oldest first; who judges decides which do. `mean` says
    that values are means of requests.
    """

    __slots__ = ("_followed", "_growth", "_mean", "_news", "_ring", "_told", "level", "newest", "recent", "slots")

    def __init__(self, mean: bool = False) -> None:
        self._mean = mean
        self._ring: list[float | None] = [None] * _RING
        self.recent: list[tuple[int, float]] = []
        self._news: list[int] = []  # slots of incidents that were the first of their time of day and week
        self.newest: int | None = None
        self.slots = 0
        self.level = 0.0
        self._growth = 0.0
        self._told = self._followed = 1.0

    @property
    def floor(self) -> float:
        """What is added to both sides of a ratio: a little more than almost nothing is not many times as much."""
        return _FLOOR_SHARE * abs(self.level) + _NOTHING

    @property
    def near(self) -> float:
        """The mean of the recent slots, 0 where there are none."""
        return sum(value for _, value in self.recent) / len(self.recent) if self.recent else 0.0

    @property
    def known(self) -> int:
        """How many of the kept slots have a value."""
        return sum(each is not None for each in self._ring)

    def at(self, slot: int, shifts: Sequence[int] = (0, 0)) -> tuple[float, float] | None:
        """Return the most that a value at `slot` may be and still be usual, and what it should be; None if unknown.

        `shifts` are the slots by which clocks were put forward since a week and a day ago.
        """
        if len(self.recent) < _LEAST:
            return None
        values = sorted((value for _, value in self.recent), reverse=True)
        near, floor = sum(values) / len(values), self.floor
        late = _BEYOND_LATE * (max(value for _, value in self.recent[-_LATE:]) + floor) - floor
        most, plans, changes = min((values[0] + values[1]) / 2, late), [near], []
        for back in self._backs(shifts):
            if (day := self._day(slot, back)) is None or self._is_news(slot - back):
                continue
            before, now = (max(each, 0.0) + floor for each in day)  # of what is below nothing there is no ratio
            changes.append(log(now / before))
            plans.append((near + floor) * min(_STEEPEST, now / before) - floor)
        self._growth = max(0.0, *changes, 0.0)
        if len(changes) > 1 and max(changes) < 0:
            most = (most + floor) * exp(_DESCENT * max(changes)) - floor
        growth = min(log(_STEEPEST), self._growth) * min(1.0, _TRUST * self._followed / self._told)
        plan = max(sorted(plans)[len(plans) // 2], self._each_day(slot, near, shifts) if self._growth > _STEEP else 0.0)
        return max(most, plan, self._way_back(slot, near, shifts), (near + floor) * exp(growth) - floor), plan

    def _day(self, slot: int, back: int) -> tuple[float, float] | None:
        """Return what stood `back` slots before the last hour, and what did around then; None where it is unknown."""
        then = self._then(back)
        now = [each for i in range(-_AROUND, _AROUND + 1) if (each := self.value(slot - back + i)) is not None]
        return (then, sum(now) / len(now)) if now and then is not None else None

    def _each_day(self, slot: int, near: float, shifts: Sequence[int]) -> float:
        """Return the second most of what stood now on days like today in the hour before; 0 of fewer than two.

        What runs each night comes to as much each night, not to as many times what the hour before happened to be.
        """
        floor, backs = self.floor, (WEEK - shifts[0], *(each - shifts[1] for each in range(DAY, WEEK, DAY)))
        days, hour = [each for back in backs if (each := self._day(slot, back))], max(near, 0.0) + floor
        alike = sorted(now for before, now in days if hour / _ALIKE < max(before, 0.0) + floor < hour * _ALIKE)
        return alike[-2] if len(alike) >= 2 else 0.0

    def _way_back(self, slot: int, near: float, shifts: Sequence[int]) -> float:
        """Return what stood now on other days, where the last hour lies well below theirs; else 0.

        Traffic that comes back after an outage is no rise. That this day of the week stood higher and most others did
        is enough, as a weekend is two quiet days; else all days but one have to, since a series whose days differ would
        never be judged on a quiet one. In the first week, whose weekend may be what lies below, it is the most that any
        day had. After it, it is no more than what today would be if it had gone on as some hours ago: a day that was
        quiet from its beginning has nowhere to come back to.
        """
        if self._mean:
            return 0.0
        week, day = shifts
        backs = [*(each - day for each in range(DAY, WEEK, DAY)), WEEK - week]
        back = self._of_days(slot, near, WEEK - week, backs)
        return min(back, self._unfallen(slot, backs)) if back and self.slots > WEEK else back

    def _of_days(self, slot: int, near: float, week: int, backs: Sequence[int]) -> float:
        """Return what days `backs` had now, where the last hour lies well below theirs; `week` is the one alike."""
        days = [each for back in backs if (each := self._day(slot, back))]
        if len(days) < 2:
            return 0.0
        low = (near + self.floor) / _DIP - self.floor
        if self.slots > WEEK and (alike := self._day(slot, week)) and alike[0] >= low:
            above = sorted(now for before, now in days if before >= low)
            return above[len(above) // 2] if 2 * len(above) > len(days) else 0.0
        odd = len(days) - 1 if self.slots <= WEEK else _ODD if len(days) > _FEW else 0
        return sorted(now for _, now in days)[odd] if sorted(before for before, _ in days)[odd] >= low else 0.0

    def _unfallen(self, slot: int, backs: Sequence[int]) -> float:
        """Return what stood now if one of the last twelve hours had gone on as other days did: the second most."""
        now, floor, wholes = self._hours(slot + _NEAR // 2, backs), self.floor, []
        for ago in range(_FELL_EVERY, _FELL_WITHIN + 1, _FELL_EVERY):
            mine, then = self._hours(slot - ago, (0,)), self._hours(slot - ago, backs)
            if mine and then and now:
                wholes.append((mine[0] + floor) * (_median(now) + floor) / (_median(then) + floor) - floor)
        return sorted(wholes)[max(len(wholes) - 2, 0)] if wholes else inf

    def _hours(self, slot: int, backs: Sequence[int]) -> list[float]:
        """Return the means of the hours before `slot`, so many slots back, that are known."""
        hours = ([self.value(slot - back - each) for each in range(1, _NEAR + 1)] for back in backs)
        known = ([each for each in hour if each is not None] for hour in hours)
        return [sum(hour) / len(hour) for hour in known if hour]

    def heed(self, value: float) -> None:
        """Learn from the value of a slot that `at` was asked of how far patterns of other days are to be followed."""
        if self._growth > _RAMP and self.recent:
            real = log(max(value, 0.0) + self.floor) - log(max(self.near, 0.0) + self.floor)
            self._told += self._growth * self._growth - self._told / _HEEDED
            self._followed += self._growth * max(0.0, min(self._growth, real)) - self._followed / _HEEDED

    def _backs(self, shifts: Sequence[int]) -> Iterable[int]:
        """Return how many slots back to look: a week and a day; in the first week at every day of it."""
        week, day = shifts
        known = {WEEK, WEEK - week, DAY, DAY - day}
        return known if self.slots > WEEK else known.union(range(2 * DAY, WEEK, DAY))

    def _then(self, back: int) -> float | None:
        """Return the mean of what stood `back` slots before each recent one, None where too few are known."""
        known = [each for slot, _ in self.recent if (each := self.value(slot - back)) is not None]
        return sum(known) / len(known) if len(known) >= _LEAST else None

    def value(self, slot: int) -> float | None:
        """Return what stood at a kept slot, None where that is unknown."""
        if self.newest is None or not self.newest - _RING < slot <= self.newest:
            return None
        return self._ring[slot % _RING]

    def note(self, slot: int, shifts: Sequence[int]) -> None:
        """Note that `slot` is part of an incident, which is no rhythm yet: the next one at this time is another.

        The second at its time of the day or week is one, and is told as well; the third is usual. In the first week,
        of which nobody knows the rhythm, one is enough.
        """
        self._news = [each for each in self._news if slot - each < _RING]
        if self.slots > WEEK and not any(self._is_news(slot - back) for back in (WEEK - shifts[0], DAY - shifts[1])):
            self._news.append(slot)

    def _is_news(self, slot: int) -> bool:
        """Return whether an incident that was no rhythm stood at `slot`, or around it."""
        return any(abs(each - slot) <= _AROUND for each in self._news)

    def keep(self, slot: int, value: float | None, seconds: float) -> None:
        """Keep a closed slot, after the newest; None is one that says nothing of other days."""
        if self.newest is not None:
            for each in range(max(self.newest + 1, slot - _RING), slot):
                self._ring[each % _RING] = None
        self.newest = slot
        self.change(slot, value)
        if value is not None:
            self.slots += 1
            self.level += max(1 / self.slots, min(0.5, seconds / (WEEK * SLOT))) * (value - self.level)

    def change(self, slot: int, value: float | None) -> None:
        """Put another value in the place of a kept slot."""
        self._ring[slot % _RING] = None if value is None else float(f"{value:.6g}")

    def mean_of(self, slot: int, slots: int) -> float | None:
        """Return the mean of so many slots from `slot` on, None where one of them is unknown."""
        known = [value for each in range(slot, slot + slots) if (value := self.value(each)) is not None]
        return sum(known) / slots if len(known) == slots else None

    def means_before(self, slot: int, slots: int) -> list[float]:
        """Return the means of each so many slots in a row that are kept and end before `slot`, oldest first."""
        means, run, total = [], 0, 0.0
        for each in range(slot - _RING, slot):
            if (value := self.value(each)) is None:
                run, total = 0, 0.0
                continue
            run, total = run + 1, total + value
            if run > slots:
                total -= self.value(each - slots) or 0.0
            if run >= slots:
                means.append(total / slots)
        return means

    def is_first_monday(self, slot: int) -> bool:
        """Return whether `slot` is of a Monday (UTC) before which a weekend is known and nothing else."""
        day, today = divmod(slot, DAY)
        return (day + _THURSDAY) % 7 == 0 and today < self.slots <= 2 * DAY + today and not self._mean

    def accept(self, values: Sequence[tuple[int, float]]) -> None:
        """Count slots as recent, and so as usual."""
        self.recent = [*self.recent, *values][-_NEAR:]

    def stale(self, slot: int, step_slots: float) -> bool:
        """Return whether so much time has passed before `slot` that the last hour says nothing of it."""
        return self.newest is not None and slot - self.newest > max(_STALE, 3 * step_slots)

    def day_before(self, slot: int) -> float | None:
        """Return the median of the day before `slot`, None where nothing is known of it."""
        known = sorted(each for back in range(1, DAY + 1) if (each := self.value(slot - back)) is not None)
        return known[len(known) // 2] if known else None

    def most_of(self, share: float) -> float:
        """Return the value that `share` of the kept slots do not exceed."""
        known = sorted(each for each in self._ring if each is not None)
        return known[int(share * (len(known) - 1))] if known else 0.0

    def rebase(self, factor: float) -> None:
        """Multiply all that is known."""
        self._ring = [None if each is None else float(f"{each * factor:.6g}") for each in self._ring]
        self.recent = [(slot, value * factor) for slot, value in self.recent]
        self.level *= factor

    def dump(self) -> dict[str, Any]:
        """Return the state, for JSON."""
        recent = [list(each) for each in self.recent]
        plain = [self.newest, self.slots, self.level, self._growth, self._told, self._followed]
        return {"ring": list(self._ring), "recent": recent, "plain": plain, "news": list(self._news)}

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up a state that `dump` returned."""
        self._ring = list(state["ring"])
        self._news = list(state.get("news", ()))  # a state of before knows of none
        self.recent = [(slot, value) for slot, value in state["recent"]]
        self.newest, self.slots, self.level, *plain = state["plain"]
        self._growth, self._told, self._followed = plain
        if len(self._ring) != _RING:
            raise ValueError(f"a week of slots has {_RING} places, not {len(self._ring)}")


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
