"""Why an incident: the ledger's windows that it is compared with are read, and what is unusual is named."""

from __future__ import annotations

from datetime import datetime, tzinfo

from infertop.money.baseline import Scope
from infertop.money.why.incident import Read, explain_incident
from infertop.views.event_shapes import Comparison
from infertop.views.why import comparison_of, dimensions_of


def incident_comparison(
    scope: Scope, since: float, until: float, used: Read, zone: tzinfo, *, rises: bool = True
) -> Comparison:
    """Return why `scope` costs another amount since `since`, as of `until` (epoch seconds); times are told in `zone`.

    It is compared with the time right before, or with the one of the past that is most like it but for what is unusual.
    `rises` says whether more than is expected is spent, or less.
    """
    found = explain_incident(since, until, used, dimensions_of(scope), rises=rises)
    since_then = _moment(since, until, zone)
    return comparison_of(scope, found.before, found.after, found.why, since_then, 1 if rises else -1)


def _moment(ts: float, now: float, zone: tzinfo) -> str:
    """Return a time of day, with its day where that is not today."""
    at, today = datetime.fromtimestamp(ts, zone), datetime.fromtimestamp(now, zone)
    return f"{at:%H:%M}" if at.date() == today.date() else f"{at:%b} {at.day} {at:%H:%M}"
