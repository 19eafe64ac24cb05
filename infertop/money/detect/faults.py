"""What is wrong: each fault with the figures that bear it out. One is opened, moved to where it is, and closed.

Dollars lead. What else rises with them is evidence; without them a figure waits a few minutes before it stands alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from infertop.money.detect.fault import Fault, Figure, Step, fault_content, fault_of
from infertop.money.detect.grouping import EXPLAINS, Moved, explained, scope_of_rise
from infertop.money.detect.incidents import Incident
from infertop.money.detect.mixing import MEANS
from infertop.money.detect.scopes import EVERYTHING, IDLE, PER_MILLION, USD, Scope, is_in

TOGETHER_SECONDS = 1800.0
SETTLES_SECONDS = 600.0
WAITS_SECONDS = 180.0
REMEMBERED_SECONDS = 7200.0
BEFORE_SECONDS = 3600.0
KNOWN_SECONDS = 3 * 3600.0
_MUCH_LARGER = 1.5
_RISEN = 0.5
_OWN = 0.4


Look = Callable[[float], Sequence[Moved]]
"""Tells what every place cost an hour before some moment, and since then."""


Own = Callable[[Figure, float], float]
"""Tells which share of what a mean did since some moment is no matter of who is part of it."""


class Faults:
    """All faults that last, and those of the last two hours, so that what trails them opens none."""

    def __init__(self) -> None:
        self.all: list[Fault] = []
        self._own: Own = lambda _figure, _since: 1.0

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
        history: Callable[[Figure], float] = lambda _figure: 0.0,
        own: Own = lambda _figure, _since: 1.0,
    ) -> list[Step]:
        """Take what lasts and what ended in a minute; return what that makes of the faults.

        `history` tells how many seconds of the past of a figure are known, 0 of one that is not watched.
        """
        self._own = own
        looked: dict[float, Sequence[Moved]] = {}

        def moved(since: float) -> Sequence[Moved]:
            if since not in looked:
                looked[since] = look(since)
            return looked[since]

        steps = self._go_on(minute, lasting, ended, moved)
        self._forget(minute, lasting)
        new = [each for each in lasting if self._of(each, lasting[each]) is None]
        for figure in sorted(new, key=lambda each: _order(each, lasting[each])):
            step = self._place(minute, figure, lasting, moved, history)
            if step is not None:
                steps.append(step)
        for step in steps:
            if step.opened:
                step.fault.lead = self._lead(step.fault, lasting) or step.fault.lead
                step.fault.last = lasting[step.fault.lead]
        return steps

    def pass_over(self, figure: Figure, incident: Incident) -> None:
        """Tell nothing of an incident that is known to have begun long ago."""
        key = _key(figure, incident)
        self.all.append(
            Fault(key, figure, figure.scope, incident.since, {figure: incident.since}, until=incident.since)
        )

    def _forget(self, minute: int, lasting: Mapping[Figure, Incident]) -> None:
        """Forget faults that are over, once nothing trails them."""
        for each in self.all:
            if each.until is not None:
                since = each.members.items()
                each.members = {name: ts for name, ts in since if name in lasting and lasting[name].since == ts}
        self.all = [
            each for each in self.all if each.until is None or each.members or minute - each.until < REMEMBERED_SECONDS
        ]

    def _of(self, figure: Figure, incident: Incident) -> Fault | None:
        return next((each for each in self.all if each.members.get(figure) == incident.since), None)

    def _go_on(
        self, minute: int, lasting: Mapping[Figure, Incident], ended: Mapping[Figure, Incident], moved: Look
    ) -> list[Step]:
        steps = []
        for fault in self.lasting:
            lead = self._lead(fault, lasting)
            if lead is None:
                fault.last = ended.get(fault.lead, fault.last)
                until = fault.last.until if fault.last else None
                fault.until = float(minute) if until is None else until
                steps.append(Step(fault))
                continue
            fault.lead, fault.last = lead, lasting[lead]
            steps.append(Step(fault, moved=self._move(fault, minute, moved)))
        return steps

    def _lead(self, fault: Fault, lasting: Mapping[Figure, Incident]) -> Figure | None:
        """Return the member that tells most of a fault, None where none that could lasts."""
        last = [each for each, since in fault.members.items() if each in lasting and lasting[each].since == since]
        dollars = [each for each in last if each.metric == USD]
        at_home = [each for each in dollars if each.scope == fault.scope]
        if at_home:
            return at_home[0]
        if fault.lead in last:
            return fault.lead
        return None

    def _move(self, fault: Fault, minute: int, moved: Look) -> bool:
        """Move a young fault to the scope that it turns out to be of."""
        if fault.lead.metric != USD or minute - fault.since > SETTLES_SECONDS or fault.state:
            return False
        scope = scope_of_rise(moved(fault.since), fault.scope)
        if scope == fault.scope:
            return False
        fault.scope = scope
        return True

    def _place(
        self,
        minute: int,
        figure: Figure,
        lasting: Mapping[Figure, Incident],
        moved: Look,
        history: Callable[[Figure], float],
    ) -> Step | None:
        """Find the fault that a figure bears out, or open one."""
        incident = lasting[figure]
        around = moved(incident.since) if self.lasting or figure.metric == USD else ()
        known = next((each for each in self.lasting if _belongs(figure, incident, each, around)), None)
        if known is None and figure.metric == USD:
            known = self._parts(figure, around)
        if known is not None:
            known.members[figure] = incident.since
            return None
        if figure.metric != USD and not self._stands_alone(minute, figure, incident, moved):
            return None
        scope = scope_of_rise(around, figure.scope) if figure.metric == USD else figure.scope
        if scope != figure.scope and _is_usual(scope, lasting, history):
            return None
        fault = Fault(
            _key(Figure(scope, figure.metric), incident),
            figure,
            scope,
            incident.since,
            {figure: incident.since},
            last=incident,
        )
        self.all.append(fault)
        return Step(fault, opened=True)

    def _stands_alone(self, minute: int, figure: Figure, incident: Incident, moved: Look) -> bool:
        """Say whether a figure is a fault although no dollars lead.

        Dearer tokens are none where all of it costs no more: cheap ones were asked for less, and that is all. Nor are
        means that others are part of now.
        """
        if minute - incident.opened < WAITS_SECONDS:
            return False
        if figure.metric in MEANS:
            return self._own(figure, incident.since) >= _OWN
        if figure.metric != PER_MILLION:
            return True
        if minute - incident.opened > TOGETHER_SECONDS:  # what costs more by now began later
            return False
        rise = sum(each.rise for each in moved(incident.since) if is_in(each.place, figure.scope))
        return rise >= _RISEN * (incident.excess_usd_per_hour or 0.0)

    def _parts(self, figure: Figure, around: Sequence[Moved]) -> Fault | None:
        """Return the largest of the faults that together explain a rise."""
        scopes = [each.scope for each in self.lasting if each.lead.metric == USD]
        if not scopes or explained(around, figure.scope, scopes) < EXPLAINS:
            return None
        return max(
            (each for each in self.lasting if each.lead.metric == USD),
            key=lambda each: explained(around, figure.scope, [each.scope]),
        )

    def dump(self) -> list[dict[str, Any]]:
        """Return all of it, for JSON."""
        return [fault_content(each) for each in self.all]

    def load(self, state: Iterable[Mapping[str, Any]]) -> None:
        """Take up what `dump` told of; raise ValueError where it cannot be read."""
        try:
            self.all = [fault_of(each) for each in state]
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"the faults of before cannot be read: {error!r}") from None


def _belongs(figure: Figure, incident: Incident, fault: Fault, around: Sequence[Moved]) -> bool:
    """Say whether a figure bears out a fault that lasts."""
    if IDLE in (figure.metric, fault.lead.metric):
        return _of_idle(incident, fault)
    same = figure.scope == fault.scope or figure.scope == fault.lead.scope
    if figure.metric != USD:
        return (
            same
            or explained(around, figure.scope, [fault.scope]) >= EXPLAINS
            or _is_inside(figure.scope, fault, around)
        )
    if abs(incident.since - fault.since) <= TOGETHER_SECONDS:
        if same or explained(around, figure.scope, [fault.scope]) >= EXPLAINS:
            return True
        return fault.lead.metric != USD and _is_inside(figure.scope, fault, around)
    return same


def _is_usual(scope: Scope, lasting: Mapping[Figure, Incident], history: Callable[[Figure], float]) -> bool:
    """Say whether a rise that was seen elsewhere is of what is well known, and nothing unusual there.

    A model that comes in bursts makes the sum of all burst too, which knows less of that than the model's own past.
    """
    there = [Figure((pair,), USD) for pair in scope]
    return bool(there) and not any(each in lasting for each in there) and min(map(history, there)) >= KNOWN_SECONDS


def _of_idle(incident: Incident, fault: Fault) -> bool:
    """Say whether idle time and dollars are one fault: they began together, and one is a good part of the other."""
    one, other = (each.excess_usd_per_hour or 0.0 for each in (incident, fault.last or incident))
    together = abs(incident.since - fault.since) <= TOGETHER_SECONDS
    return together and min(one, other) * _MUCH_LARGER * 2 >= max(one, other)


def _is_inside(scope: Scope, fault: Fault, around: Sequence[Moved]) -> bool:
    return fault.scope != EVERYTHING and explained(around, fault.scope, [scope]) >= EXPLAINS


def _order(figure: Figure, incident: Incident) -> tuple[bool, float, float, Figure]:
    """Dollars first, and of them the steepest: those are nearest to what happened."""
    times = incident.value / incident.expected if incident.expected > 0 else float("inf")
    return figure.metric != USD, incident.since, -times, figure


def _key(figure: Figure, incident: Incident) -> str:
    scope = json.dumps(dict(figure.scope))
    return f"incident {figure.metric} {incident.since:.0f} {scope}"
