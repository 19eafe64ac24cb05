"""One figure in one direction: its values put into slots, its suspicion, and the incident that comes of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp, log10
from typing import Any

from infertop.money.detect.first import First, Stepped
from infertop.money.detect.given import Given, Suspect
from infertop.money.detect.incidents import HOUR, Incident, Rule, beyond_usd, incident_content, incident_of
from infertop.money.detect.inside import Inside
from infertop.money.detect.quick import Quick
from infertop.money.detect.standing import standing
from infertop.money.detect.surges import Surges
from infertop.money.detect.usual import SLOT

_MOST_SUSPECT = 120
_RISEN = 1.2
_WHOLE_SECONDS = 300.0  # a value that stands for so long counts as a slot
_COOL_SECONDS = 12 * HOUR
_COOL_SHARE = 0.5  # of what an incident came to: what follows it has to be more
_SMOOTH = 0.25
_MOST = 1e100  # of the inverse of next to nothing
_OFFSET_SHARE = 0.05  # of the mean, under the fraction, so that a figure of 0 has an inverse


class Lane:
    """Give it values in the order of time. `falling` judges the inverse of the values: what falls to a third is x3."""

    def __init__(self, rule: Rule, falling: bool = False) -> None:
        self.rule = rule
        self.falling = falling
        self.surges = Surges(rule.steps, rule.mean)
        self.incident: Incident | None = None
        self._open = False
        self._slot = 0
        self._sum = self._weight = self._seconds = 0.0
        self._most: tuple[float, float] | None = None
        self._asked: int | None = None
        self._fast = [-9.0, -9.0]  # the last value's ratio, and the slot's greatest that held at once
        self._calm = [0.0, 0.0, 0.0, 0.0]  # values in a row near the plan, since when, their sum, their plans'
        self._cool = [0.0, 0.0, 0.0]  # until when what is less than how much is no news; the level of the incident
        self._inside = Inside()
        self._quick = Quick()
        self._first = First()
        if falling or not rule.in_usd or rule.floor_usd <= 0:
            self._first.minutes = None
        self._since = 0.0
        self._suspect: list[Suspect] = []
        self._mean = 0.0

    @property
    def current(self) -> Incident | None:
        """The incident that lasts, None where there is none."""
        return self.incident if self._open else None

    def add(self, given: Given, shifts: Sequence[int]) -> Incident | None:
        """Take a value; return the incident that it opened or closed. `shifts` are those of `Usual.at`."""
        ts, value, weight, step, *_ = given
        figure = self._figure(value, step)
        slot = int(ts // SLOT)
        turns = self._asked is None or slot != self._slot
        if turns:
            self._turn(slot, step, shifts)
        self._sum += figure * weight
        self._weight += weight
        self._seconds += step
        stepped = self._first.add(ts, value, given.history) if self._first.minutes is not None else None
        stepped = stepped or (standing(self.surges.usual) if turns and not self.incident else None)
        if stepped and not self.incident:
            return self._begin_stepped(given, stepped)
        if self._most is None:
            self._begin_after(ts + step)
            return None
        most, plan = self._most
        if ts < self._cool[0]:
            most = max(most, self._cool[1])
        ratio = self.surges.ratio(figure, most)
        fast = ratio if step >= _WHOLE_SECONDS else min(ratio, self._fast[0])
        self._fast = [ratio, max(self._fast[1], fast)]
        quick = self._quick.fires(slot, ratio, step, self.surges.steps[1])
        if self.incident:
            if self._is_outdone():
                return self._end_for_more(ts)
            return self._follow(given, figure, plan)
        if not self.surges.held and ratio <= 0:
            self._begin_after(ts + step)
        else:
            far = beyond_usd(self.rule, value, self._plan(), given.usd_per_hour)
            self._suspect = [*self._suspect[1 - _MOST_SUSPECT :], Suspect(ts, value, self._plan(), step / HOUR, far)]
        whole = self.surges.ratio(self._sum / self._weight, most) if self._weight else ratio
        lasting = whole if self._seconds >= _WHOLE_SECONDS else -9.0
        if ratio <= 0 or not (quick or self.surges.fires(slot, lasting, fast)):
            return None
        return self._begin(given, whole, fast)

    def _figure(self, value: float, step: float) -> float:
        if not self.falling:
            return value
        self._mean += (abs(value) - self._mean) * (min(0.1, step / (24 * HOUR)) if self._mean else 1.0)
        least = max(value, 0.0) + _OFFSET_SHARE * self._mean
        return min(_MOST, 1 / least) if least else 0.0

    def _unfigure(self, figure: float) -> float:
        if not self.falling:
            return figure
        return max(0.0, 1 / figure - _OFFSET_SHARE * self._mean) if figure > 0 else self._mean

    def _turn(self, slot: int, step: float, shifts: Sequence[int]) -> None:
        """Close the slot that was, and begin `slot`."""
        surges = self.surges
        if self._asked is not None and self._weight:
            value = self._sum / self._weight
            if self.incident:
                surges.usual.keep(self._slot, value, self._seconds)
                surges.usual.note(self._slot, shifts)
                self._inside.take(self._slot, value, surges.ratio, surges.steps)
            else:
                ratio = surges.ratio(value, self._level_most()) if self._most else None
                plan = self._most[1] if self._most else value
                surges.close(self._slot, value, plan, ratio, self._fast[1], self._seconds)
            if surges.usual.stale(slot, step / SLOT):
                surges.forget_recent()
                self._quick.forget_minutes()
        self._asked = self._slot = slot
        self._sum = self._weight = self._seconds = 0.0
        self._fast[1] = -9.0
        self._most = surges.most(slot, shifts) or (self._most if self.incident else None)

    def _level_most(self) -> float:
        most = self._most[0] if self._most else 0.0
        return max(most, self._cool[1]) if self._slot * SLOT < self._cool[0] else most

    def _begin(self, given: Given, ratio: float, fast: float) -> Incident | None:
        surges, plan = self.surges, self._plan()
        rarity = surges.rarity.rarity(exp(ratio))
        # What is held is past by now, and as high as this: it does not make it usual.
        if rarity < min(self.rule.score, log10(max(1, (surges.usual.slots - 3) / (len(surges.held) + 1)))):
            return None
        jump = fast > 0 and not surges.held
        suspect, value = self._from_where_it_rose(), given.value
        begun = suspect[0].ts if len(suspect) < len(self._suspect) else min(self._since, given.ts)
        incident = Incident(
            begun, None, rarity, "jump" if jump else "level", plan, value, value, 0.0, 0, given.ts,
            history_seconds=given.history,
        )  # fmt: skip
        for each in suspect:
            incident = incident.grown(*each[1:])
        surges.held.append((self._slot, self._sum / self._weight, ratio, fast))
        surges.told()
        self.incident, self._suspect = incident, []
        self._inside = Inside()
        self._calm, self._cool = [0.0] * 4, [0.0, 0.0, self._sum / self._weight]
        return self._tell()

    def _begin_stepped(self, given: Given, stepped: Stepped) -> Incident | None:
        """Begin an incident of what became usual before it was sure: what was before the step is what is usual."""
        self._first.minutes = None
        slot = int(stepped.since // SLOT)
        self.surges.forget_recent()
        self.surges.usual.accept([(slot - back, stepped.mean) for back in (3, 2, 1)])
        self._most = (stepped.most, stepped.mean)
        self._since, self._suspect, plan = stepped.since, [], self._unfigure(stepped.mean)
        for ts, figure in stepped.values:
            value = self._unfigure(figure)
            far = beyond_usd(self.rule, value, plan, given.usd_per_hour)
            self._suspect.append(Suspect(ts, value, plan, stepped.seconds / HOUR, far))
        whole = self.surges.ratio(self._sum / self._weight, stepped.most)
        return self._begin(given, whole, 0.0)

    def know_no_first(self) -> None:
        """Say that what comes in the first hour is no rise: more is part of it."""
        self._first.minutes = None

    def _begin_after(self, ts: float) -> None:
        """Count what comes from `ts` on as part of the next incident."""
        self._since, self._suspect = ts, []

    def _from_where_it_rose(self) -> list[Suspect]:
        """Return what is part of the incident: the minutes before that were above the usual by chance are not."""
        floor = self.surges.usual.floor
        for at, each in enumerate(self._suspect):
            if self.falling or each.value + floor > _RISEN * (each.plan + floor):
                return self._suspect[at:]
        return self._suspect

    @property
    def plan(self) -> float | None:
        """What the last value should have been, None while that is unknown."""
        return self._plan() if self._most else None

    def _plan(self) -> float:
        return self._unfigure(self._most[1]) if self._most else 0.0

    def _tell(self) -> Incident | None:
        """Open the incident where enough is at stake."""
        if self._open or self.incident is None or self.incident.stake_usd < self.rule.floor_usd:
            return None
        self._open = True
        return self.incident

    def _follow(self, given: Given, figure: float, plan: float) -> Incident | None:
        ts, value, _, step, _, usd = given
        assert self.incident is not None, "only what has begun is followed"
        floor, calm = self.surges.usual.floor, self._calm
        if self._is_calm(given, figure, plan, floor):
            over = self._calm[0] >= self.rule.calm_points and ts + step - self._calm[1] >= self.rule.calm_seconds
            return self._close(self._calm[1]) if over else None
        self._cool[2] += _SMOOTH * (figure - self._cool[2])
        count = int(calm[0])  # what was calm for a while is part of it, as it goes on
        resting = [(self._unfigure(calm[2] / count), self._unfigure(calm[3] / count))] * count if count else []
        for each, past in [*resting, (value, self._unfigure(plan))]:
            self.incident = self.incident.grown(each, past, step / HOUR, beyond_usd(self.rule, each, past, usd))
        if ts - self.incident.since > self.rule.longest_seconds:
            self.surges.forget_recent()
            return self._close(ts)
        return self._tell()

    def _is_calm(self, given: Given, figure: float, plan: float, floor: float) -> bool:
        """Take a value into those in a row that are near the plan; of minutes their mean has to be, not each.

        Who asks once in some minutes is either far above a plan by the hour or at nothing.
        """
        ratio, (count, since, figures, plans) = self.rule.calm_ratio, self._calm
        figures, plans = figures + figure, plans + plan
        if not count or given.seconds >= _WHOLE_SECONDS:
            near = figure + floor < ratio * (plan + floor)
        else:
            near = figures / (count + 1) + floor < ratio * (plans / (count + 1) + floor)
        self._calm = [count + 1, since if count else given.ts, figures, plans] if near else [0.0, 0.0, 0.0, 0.0]
        return near

    def _is_outdone(self) -> bool:
        if self._seconds < _WHOLE_SECONDS:
            return False
        value = self._sum / self._weight
        return self._inside.outdone(self._slot, value, self.surges.ratio, self.surges.steps)

    def _end_for_more(self, ts: float) -> Incident | None:
        """Close the incident where what came is one by itself, which the next value opens."""
        inside, surges = self._inside, self.surges
        since = float(inside.beyond[0][0] * SLOT) if inside.beyond else ts
        surges.begin_at(inside.recent, inside.beyond)
        self._most = surges.most(self._slot, (0, 0))
        closed = self._close(since)
        self._begin_after(since)
        self._cool = [0.0, 0.0, 0.0]
        return closed

    def _close(self, until: float) -> Incident | None:
        assert self.incident is not None, "only what has begun is closed"
        closed = replace(self.incident, until=until) if self._open else None
        self._cool = [until + _COOL_SECONDS, _COOL_SHARE * self._cool[2], 0.0]
        self.incident, self._open = None, False
        return closed

    def rebase(self, factor: float) -> None:
        """Multiply what is known of the past by `factor`."""
        times = 1 / factor if self.falling else factor
        self.surges.rebase(times)
        self._inside.rebase(times)
        self._sum *= times
        self._first.rebase(factor)
        self._mean *= factor
        self._cool = [self._cool[0], self._cool[1] * times, self._cool[2] * times]
        self._most = (self._most[0] * times, self._most[1] * times) if self._most else None

    def dump(self) -> dict[str, Any]:
        """Return the state, for JSON."""
        plain = [self._open, self._slot, self._sum, self._weight, self._seconds, self._asked, self._since, self._mean]
        lists = {"plain": plain, "most": self._most, "fast": self._fast, "calm": self._calm, "cool": self._cool}
        return {
            "surges": self.surges.dump(),
            "inside": self._inside.dump(),
            "quick": self._quick.dump(),
            "first": self._first.minutes,
            "incident": incident_content(self.incident),
            "suspect": self._suspect,
            **lists,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up a state that `dump` returned."""
        self.surges.load(state["surges"])
        self._inside.load(state["inside"])
        if "quick" in state:  # a state of before knows of none
            self._quick.load(state["quick"])
        minutes = state.get("first")
        self._first.minutes = None if minutes is None else [(ts, value) for ts, value in minutes]
        self.incident = incident_of(state["incident"])
        self._open, self._slot, self._sum, self._weight, *plain = state["plain"]
        self._seconds, self._asked, self._since, self._mean = plain
        self._most = (state["most"][0], state["most"][1]) if state["most"] else None
        self._suspect = [Suspect(*each) for each in state.get("suspect", ())]
        self._fast, self._calm, self._cool = list(state["fast"]), [*state["calm"], 0.0, 0.0][:4], list(state["cool"])
