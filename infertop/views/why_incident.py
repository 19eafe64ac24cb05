"""Why an incident: the ledger's windows that it is compared with are read, and what is unusual is named."""

from __future__ import annotations

from datetime import tzinfo

from infertop.money.baseline import Scope
from infertop.money.detect.fault import Fault
from infertop.money.detect.scopes import IDLE, LATENCIES
from infertop.money.lines import NANO
from infertop.money.why.incident import Read, explain_incident
from infertop.money.why.windows import Span
from infertop.views.event_shapes import Comparison
from infertop.views.idle import idle_comparison
from infertop.views.moments import moment
from infertop.views.slow import slow_comparison
from infertop.views.why import comparison_of, dimensions_of
from infertop.views.wording import span

_BEFORE_SECONDS = 3600.0


def fault_comparison(
    metric: str, scope: Scope, since: float, until: float, used: Read, zone: tzinfo, beyond_usd: float | None = None
) -> Comparison:
    """Return why a figure of `scope` has an incident since `since`, as of `until` (epoch seconds).

    `used` reads windows of `scope`, or of everything where `metric` is idle time. Of latencies it is what was asked.
    `beyond_usd` is how much an hour was beyond the expected.
    """
    if metric != IDLE and metric not in LATENCIES:
        return incident_comparison(scope, since, until, used, zone, beyond_usd=beyond_usd)
    spans = (since - _BEFORE_SECONDS, since), (since, until)
    usages, begun = used(spans), moment(since, until, zone)
    if metric == IDLE:
        return idle_comparison(*spans, usages[0], usages[1], begun)
    return slow_comparison(scope, *spans, usages[0], usages[1], begun)


def beyond_usd(fault: Fault) -> float | None:
    """Return by how many USD an hour a fault was beyond the expected in the mean of its time, None where unknown."""
    last = fault.last
    if last is None or last.excess_usd is None or not last.hours:
        return None
    return last.excess_usd / last.hours


def seen_in(fault: Fault, why: Comparison) -> Scope:
    """Return the scope in which a fault was seen, where what it is of cost nothing before; else nothing.

    Requests that move to another model are new there, and that is no cause: who sends them asked another model before.
    """
    is_new = not why.before_usd_per_hour and bool(why.after_usd_per_hour)
    return fault.lead.scope if is_new and fault.lead.scope != fault.scope else ()


def incident_comparison(
    scope: Scope,
    since: float,
    until: float,
    used: Read,
    zone: tzinfo,
    *,
    rises: bool = True,
    beyond_usd: float | None = None,
) -> Comparison:
    """Return why `scope` costs another amount since `since`, as of `until` (epoch seconds); times are told in `zone`.

    It is compared with the time right before, or with the one of the past that is most like it but for what is unusual.
    `rises` says whether more than is expected is spent, or less, `beyond_usd` how much an hour.
    """
    nano = None if beyond_usd is None else beyond_usd * NANO
    found = explain_incident(since, until, used, dimensions_of(scope), rises=rises, beyond_nano=nano)
    begun = moment(since, until, zone)
    than = _window(found.before, since, zone)
    return comparison_of(scope, found.before, found.after, found.why, begun, 1 if rises else -1, than)


def _window(before: Span, since: float, zone: tzinfo) -> str:
    """Return which window of the past an incident that began at `since` is compared with."""
    if before[1] == since:
        return f"the {span(before[1] - before[0])} before"
    return f"{moment(before[0], since, zone)} to {moment(before[1], before[0], zone)}"
