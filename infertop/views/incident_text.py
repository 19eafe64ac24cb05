"""Incidents as events: what, how much, since when and what it came to, in one sentence for who pays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import tzinfo

from infertop.money.detect.fault import Fault
from infertop.money.detect.incidents import Incident
from infertop.money.detect.scopes import METRICS, USD, Metric, Scope
from infertop.money.dimensions import Names
from infertop.readings.model import LOCAL
from infertop.readings.safe import safe
from infertop.views.event_shapes import CLOSED, OPEN, PLANNED, Comparison, Event
from infertop.views.moments import moment
from infertop.views.wording import span

KIND = "incident"
MARK = "mark"
_MANY_TIMES = 100.0
_ALARM_TIMES = 3.0
_NAME_CELLS = 60
_WITH_KIND = {"key": "key ", "project": "project "}
_SAID = {("provider", LOCAL): "own machines"}


def incident_event(
    fault: Fault, now: float, zone: tzinfo, names: Names | None = None, why: Comparison | None = None
) -> Event:
    """Return the event of a fault as it stands at `now`, or as it ended; `why` is what was found out about it."""
    last = fault.last
    assert last is not None, "a fault has had an incident"
    metric = METRICS[USD if fault.apart else fault.lead.metric]
    state = CLOSED if fault.until is not None else fault.state or OPEN
    mean = _is_mean(fault, last)
    value, expected = (metric.shown(each) for each in (last.mean if mean else last.now))
    return Event(
        ts=fault.since,
        level=_level(fault, last),
        kind=KIND,
        text=_text(fault, last, metric, value, expected, now, zone, names or {}),
        scope=shown_scope(fault.scope, names or {}),
        metric=metric.name,
        value=value,
        expected=expected,
        until=fault.until,
        cause=why.sentence if why else "",
        key=fault.key,
        state=state,
        excess_usd=last.excess_usd,
        excess_usd_per_hour=None if fault.until is not None else last.excess_usd_per_hour,
        history_seconds=last.history_seconds,
        why=why,
    )


def unusual(events: Iterable[Event]) -> list[Event]:
    """Return the incidents that last, those that cost most an hour first, then the marks that do."""
    lasting = [each for each in events if each.kind in (KIND, MARK) and each.until is None]
    return sorted(lasting, key=lambda each: (each.kind != KIND, -(each.excess_usd_per_hour or 0.0)))


def shown_scope(scope: Scope, names: Names) -> dict[str, str]:
    """Return a scope with names in place of ids."""
    return {kind: names.get((kind, value), value) for kind, value in scope}


def subject(scope: Mapping[str, str]) -> str:
    """Return what a scope is about in a few words."""
    if not scope:
        return "in all"
    words = [_SAID.get((kind, value)) or _WITH_KIND.get(kind, "") + value for kind, value in scope.items()]
    return safe(", ".join(words), _NAME_CELLS)


def _is_mean(fault: Fault, last: Incident) -> bool:
    """Say whether the means of its time are told: of what is over, and while a single value is as expected."""
    return last.hours > 0 and (fault.until is not None or last.excess_per_hour <= 0)


def _level(fault: Fault, last: Incident) -> str:
    if fault.state == PLANNED:
        return "info"
    return "alarm" if fault.lead.metric == USD and last.peak >= _ALARM_TIMES * last.expected else "warn"


def _text(
    fault: Fault, last: Incident, metric: Metric, value: float, expected: float, now: float, zone: tzinfo, names: Names
) -> str:
    of = shown_scope(fault.scope if fault.apart else fault.lead.scope, names)
    mean = " on average" if _is_mean(fault, last) else ""
    figures = f"{metric.text(value)}{mean}, expected {metric.text(expected)}"
    if fault.apart and expected <= 0:
        said = f"{subject(of)}: {metric.text(value)}{mean}, nothing before"
    elif metric.name == USD:
        said = f"{subject(of)}: {_times(value, expected)}{figures}"
    else:
        said = f"{subject(of)}: {metric.words} {figures}"
    if fault.scope != fault.lead.scope and not fault.apart:
        said += f", {_elsewhere(fault, shown_scope(fault.scope, names))}"
    begun = moment(fault.since, now, zone)
    if fault.until is None:
        return f"{said}, since {begun}{_stakes(last)}"
    over = _ended(fault.since, fault.until, now, zone)
    return f"{said}, from {begun} to {over}; {_came_to(last, fault.until - fault.since)}"


def _elsewhere(fault: Fault, scope: Mapping[str, str]) -> str:
    """Return what a fault is of, where its figures are of something else."""
    if fault.wider:
        return f"with others of {subject(scope)}" if scope else "with all others"
    return f"most of it from {subject(scope)}"


def _ended(since: float, until: float, now: float, zone: tzinfo) -> str:
    """Return when it ended, with its day also where that is today and it began on another."""
    day_later = moment(until, since, zone)
    return day_later if day_later != moment(until, until, zone) else moment(until, now, zone)


def _times(value: float, expected: float) -> str:
    if expected <= 0 or value / expected >= _MANY_TIMES:
        return ""
    return f"{value / expected:.1f}x: " if value / expected < 10 else f"{value / expected:.0f}x: "


def _stakes(last: Incident) -> str:
    parts = []
    if last.excess_usd_per_hour:
        parts.append(f"{_signed(last.excess_usd_per_hour)}/h")
    if last.excess_usd:
        parts.append(f"${abs(last.excess_usd):,.2f} {'more' if last.excess_usd > 0 else 'less'} so far")
    return "; " + ", ".join(parts) if parts else ""


def _came_to(last: Incident, seconds: float) -> str:
    if not last.excess_usd:
        return f"it is as expected again, after {span(seconds)}"
    way = "more" if last.excess_usd > 0 else "less"
    return f"it came to ${abs(last.excess_usd):,.2f} {way} than expected in {span(seconds)}"


def _signed(usd: float) -> str:
    return f"{'+' if usd >= 0 else '-'}${abs(usd):,.2f}"
