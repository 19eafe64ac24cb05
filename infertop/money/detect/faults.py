"""What is wrong: each fault with the figures that bear it out. One is opened, moved to where it is, and closed.

Dollars lead. What else rises with them is evidence; without them a figure waits a few minutes before it stands alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from infertop.money.detect.costs import all_of_it, costs
from infertop.money.detect.fault import Fault, Figure, Step, fault_content, fault_of
from infertop.money.detect.grouping import EXPLAINS, Moved, explained, rise_in, scope_of_rise, whose
from infertop.money.detect.incidents import HOUR, Incident
from infertop.money.detect.mixing import MEANS
from infertop.money.detect.scopes import EVERYTHING, IDLE, PER_MILLION, PER_REQUEST, USD, Scope, is_in

TOGETHER_SECONDS = 1800.0
SETTLES_SECONDS = 1800.0
WAITS_SECONDS = 180.0
REMEMBERED_SECONDS = 7200.0
BEFORE_SECONDS = 3600.0
KNOWN_SECONDS = 3 * 3600.0
_MINUTE, _AGAIN_SECONDS = 60, 600
_MUCH_LARGER = 1.5
_RISEN = 0.5
_OWN = 0.4
_NET = 0.25

Look = Callable[[str, float, float | None], Sequence[Moved]]
"""Tells what of a metric every place had in the hour before some moment, and since then; up to another, or to now."""

Own = Callable[[Figure, float], float]
"""Tells which share of what a mean did since some moment is no matter of who is part of it."""

History = Callable[[Figure], float]
"""Tells how many seconds of the past of a figure are known, 0 of one that is not watched."""


class Faults:
    """All faults that last, and those of the last two hours, so that what trails them opens none."""

    def __init__(self) -> None:
        self.all: list[Fault] = []
        self._minute = 0
        self._lasting: Mapping[Figure, Incident] = {}
        self._look: Look = lambda _metric, _since, _until: ()
        self._own: Own = lambda _figure, _since: 1.0
        self._history: History = lambda _figure: 0.0

    @property
    def lasting(self) -> list[Fault]:
        """Those that last."""
        return [each for each in self.all if each.until is None]

    def follow(
        self,
        minute: int,
        lasting: Mapping[Figure, Incident],
        ended: Mapping[Figure, Incident],
        look: Look,
        history: History = lambda _figure: 0.0,
        own: Own = lambda _figure, _since: 1.0,
    ) -> list[Step]:
        """Take what lasts and what ended in a minute; return what that makes of the faults."""
        self._minute, self._lasting, self._look, self._history, self._own = minute, lasting, look, history, own
        steps = self._go_on(ended)
        self._forget()
        new = [each for each in lasting if self._of(each, lasting[each]) is None]
        for figure in sorted(new, key=lambda each: _order(each, lasting[each])):
            step = self._place(figure)
            if step is not None:
                steps.append(step)
        for step in steps:
            if step.opened:
                step.fault.lead = self._lead(step.fault) or step.fault.lead
                self._cost(step.fault, lasting[step.fault.lead], {})
        return steps

    def pass_over(self, figure: Figure, incident: Incident) -> None:
        """Tell nothing of an incident that is known to have begun long ago."""
        key = _key(figure, incident)
        self.all.append(
            Fault(key, figure, figure.scope, incident.since, {figure: incident.since}, until=incident.since)
        )

    def learned(self, before: Mapping[Figure, Incident], after: Mapping[Figure, Incident]) -> None:
        """Take that what is usual was learned again: what figures had that lasted is what they have now."""
        for fault in self.all:
            for figure, since in fault.members.items():
                if figure in after and figure in before and before[figure].since == since:
                    fault.members[figure] = after[figure].since

    def _forget(self) -> None:
        """Forget faults that are over, once nothing trails them."""
        for each in self.all:
            if each.until is not None:
                since = each.members.items()
                each.members = {
                    name: ts for name, ts in since if name in self._lasting and self._lasting[name].since == ts
                }
        self.all = [
            each
            for each in self.all
            if each.until is None or each.members or self._minute - each.until < REMEMBERED_SECONDS
        ]

    def _of(self, figure: Figure, incident: Incident) -> Fault | None:
        return next((each for each in self.all if each.members.get(figure) == incident.since), None)

    def _go_on(self, ended: Mapping[Figure, Incident]) -> list[Step]:
        steps = []
        for fault in self.lasting:
            lead = self._lead(fault)
            if lead is None:
                if fault.lead in ended:
                    self._cost(fault, ended[fault.lead], ended)
                until = fault.last.until if fault.last else None
                fault.until = float(self._minute) if until is None else until
                steps.append(Step(fault))
                continue
            fault.lead = lead
            self._cost(fault, self._lasting[lead], ended)
            steps.append(Step(fault, moved=self._move(fault)))
        return steps

    def _cost(self, fault: Fault, incident: Incident, ended: Mapping[Figure, Incident]) -> None:
        """Note what a fault's lead says of it, and what is known of the mean cost of its requests."""
        figure = Figure(fault.lead.scope, PER_REQUEST)
        for known in (self._lasting.get(figure), ended.get(figure)):
            if known is not None and fault.members.get(figure) == known.since:
                fault.paid = known
        if not fault.apart:
            fault.last = costs(fault.lead.metric, incident, fault.paid)
        elif incident.until is not None or self._is_due(fault):
            until = incident.until or float(self._minute + _MINUTE)
            (before, whole), (_, lately) = (self._usd(fault, each) for each in (until, None))
            fault.last = all_of_it(incident, before, whole, (until - fault.since) / HOUR, lately)

    def _is_due(self, fault: Fault) -> bool:
        """Say whether what a scope costs is added up in this minute."""
        return self._minute - fault.opened < BEFORE_SECONDS or self._minute % _AGAIN_SECONDS == 0

    def _usd(self, fault: Fault, until: float | None) -> tuple[float, float]:
        """Return what a fault's scope cost an hour before it began, and since: up to `until`, or lately."""
        inside = [each for each in self._look(USD, fault.since, until) if is_in(each.place, fault.scope)]
        return sum(each.before for each in inside), sum(each.after for each in inside)

    def _lead(self, fault: Fault) -> Figure | None:
        """Return the member that tells most of a fault, None where none that could lasts."""
        lasting = self._lasting
        last = [each for each, since in fault.members.items() if each in lasting and lasting[each].since == since]
        for metric in (USD, fault.lead.metric):
            if (at_home := Figure(fault.scope, metric)) in last:
                return at_home
        return fault.lead if fault.lead in last else None

    def _move(self, fault: Fault) -> bool:
        """Move a young fault to the scope that it turns out to be of."""
        if self._minute - fault.opened > SETTLES_SECONDS or fault.state:
            return False
        scope = self._scope(fault.lead.metric, fault.since, fault.scope)
        if scope == fault.scope or (fault.apart and whose(self._look(USD, fault.since, None), scope, fault.lead.scope)):
            return False
        self._put(fault, scope)
        return True

    def _put(self, fault: Fault, scope: Scope) -> None:
        """Let a fault be of a scope, or of whose rise that is."""
        its = whose(self._look(USD, fault.since, None), scope, fault.lead.scope)
        fault.scope, fault.apart = its or scope, its is not None
        fault.wider = _is_wider(scope, fault.lead.scope, self._look(fault.lead.metric, fault.since, None))

    def _scope(self, metric: str, since: float, seen: Scope) -> Scope:
        """Return the scope that a rise of a figure of `seen` is of, where that may be."""
        if metric == PER_MILLION:  # it is dearer because others are asked
            return seen
        moved = self._look(metric, since, None)
        scope = scope_of_rise(moved, seen)
        return seen if _is_wider(scope, seen, moved) and self._is_usual(scope, metric) else scope

    def _is_usual(self, scope: Scope, metric: str) -> bool:
        """Say whether a rise that was seen elsewhere is of what is well known, and nothing unusual there.

        A model that comes in bursts makes the sum of all burst too, which knows less of that than the model's own past.
        """
        there = [Figure((pair,), metric) for pair in scope] or [Figure(EVERYTHING, metric)]
        return not any(each in self._lasting for each in there) and min(map(self._history, there)) >= KNOWN_SECONDS

    def _place(self, figure: Figure) -> Step | None:
        """Find the fault that a figure bears out, or open one."""
        incident = self._lasting[figure]
        known = next((each for each in self.all if self._belongs(figure, incident, each)), None)
        if known is None and figure.metric == USD:
            known = self._parts(figure, incident)
        if known is not None:
            known.members[figure] = incident.since
            return None
        if figure.metric != USD and not self._stands_alone(figure, incident):
            return None
        scope = self._scope(figure.metric, incident.since, figure.scope)
        if figure.metric == USD and scope not in (figure.scope, EVERYTHING) and self._is_usual(scope, USD):
            return None
        key = _key(Figure(scope, figure.metric), incident)
        members = {figure: incident.since}
        fault = Fault(key, figure, scope, incident.since, members, last=incident, opened=float(self._minute))
        self._put(fault, scope)
        moved = self._look(USD, incident.since, None)
        if fault.apart and rise_in(moved, fault.scope) < _NET * rise_in(moved, scope):
            return None  # who asks it costs hardly more: others were asked before
        self.all.append(fault)
        return Step(fault, opened=True)

    def _stands_alone(self, figure: Figure, incident: Incident) -> bool:
        """Say whether a figure is a fault although no dollars lead.

        Dearer tokens are none where all of it costs no more: cheap ones were asked for less, and that is all. Nor are
        means that others are part of now.
        """
        if self._minute - incident.opened < WAITS_SECONDS:
            return False
        if figure.metric in MEANS:
            return self._own(figure, incident.since) >= _OWN
        if figure.metric != PER_MILLION:
            return True
        if self._minute - incident.opened > TOGETHER_SECONDS:  # what costs more by now began later
            return False
        rise = sum(each.rise for each in self._look(USD, incident.since, None) if is_in(each.place, figure.scope))
        return rise >= _RISEN * (incident.excess_usd_per_hour or 0.0)

    def _belongs(self, figure: Figure, incident: Incident, fault: Fault) -> bool:
        """Say whether a figure bears out a fault that lasts, or one that is over and began with it, told late."""
        together = abs(incident.since - fault.since) <= TOGETHER_SECONDS
        if fault.until is not None and not (together and incident.since < fault.until):
            return False
        if IDLE in (figure.metric, fault.lead.metric):
            return together and _as_large(incident, fault.last or incident)
        same = figure.scope in (fault.scope, fault.lead.scope)
        if same or (figure.metric == USD and not together):
            return same
        around = self._look(USD, incident.since, fault.until)
        if explained(around, figure.scope, [fault.scope]) >= EXPLAINS:
            return True
        if figure.metric == USD:
            return fault.lead.metric != USD and _is_inside(figure.scope, fault, around)
        its = self._look(figure.metric, incident.since, fault.until)
        return explained(its, figure.scope, [fault.scope]) >= EXPLAINS or _is_inside(figure.scope, fault, around)

    def _parts(self, figure: Figure, incident: Incident) -> Fault | None:
        """Return the largest of the faults that together explain a rise."""
        faults = [each for each in self.lasting if each.lead.metric == USD]
        around = self._look(USD, incident.since, None) if faults else ()
        if not faults or explained(around, figure.scope, [each.scope for each in faults]) < EXPLAINS:
            return None
        return max(faults, key=lambda each: explained(around, figure.scope, [each.scope]))

    def dump(self) -> list[dict[str, Any]]:
        """Return all of it, for JSON."""
        return [fault_content(each) for each in self.all]

    def load(self, state: Iterable[Mapping[str, Any]]) -> None:
        """Take up what `dump` told of; raise ValueError where it cannot be read."""
        try:
            self.all = [fault_of(each) for each in state]
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"the faults of before cannot be read: {error!r}") from None


def _as_large(one: Incident, other: Incident) -> bool:
    """Say whether of two incidents one is a good part of the other, by what they add an hour."""
    amounts = [each.excess_usd_per_hour or 0.0 for each in (one, other)]
    return min(amounts) * _MUCH_LARGER * 2 >= max(amounts)


def _is_wider(scope: Scope, seen: Scope, moved: Sequence[Moved]) -> bool:
    return scope != seen and all(is_in(each.place, scope) for each in moved if is_in(each.place, seen))


def _is_inside(scope: Scope, fault: Fault, around: Sequence[Moved]) -> bool:
    return fault.scope != EVERYTHING and explained(around, fault.scope, [scope]) >= EXPLAINS


def _order(figure: Figure, incident: Incident) -> tuple[bool, float, float, Figure]:
    """Dollars first, and of them the steepest: those are nearest to what happened."""
    times = incident.value / incident.expected if incident.expected > 0 else float("inf")
    return figure.metric != USD, incident.since, -times, figure


def _key(figure: Figure, incident: Incident) -> str:
    scope = json.dumps(dict(figure.scope))
    return f"incident {figure.metric} {incident.since:.0f} {scope}"
