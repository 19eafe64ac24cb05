"""Why an incident: the ledger's windows that it is compared with are read, and what is unusual is named."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

from infertop.money.baseline import Scope
from infertop.money.why.usage import Usage
from infertop.money.why.windows import Span, baseline, usable, windows_of
from infertop.views.event_shapes import Comparison
from infertop.views.why import comparison

Used = Callable[[Sequence[Span]], Sequence[Usage]]
"""What the scope used in each of these windows."""


def incident_comparison(scope: Scope, since: float, until: float, used: Used, zone: tzinfo) -> Comparison:
    """Return why `scope` costs another amount since `since`, as of `until` (epoch seconds); times are told in `zone`.

    It is compared with the time right before, or with one of the past that cost what is usual.
    """
    windows = windows_of(since, until)
    after, *past = used((windows.after, *windows.usual))
    at = baseline(past)
    usual = [each for each in past if usable(each)]
    spans = windows.usual[at], windows.after
    return comparison(scope, spans, (past[at], after), _moment(since, until, zone), usual)


def _moment(ts: float, now: float, zone: tzinfo) -> str:
    """Return a time of day, with its day where that is not today."""
    at, today = datetime.fromtimestamp(ts, zone), datetime.fromtimestamp(now, zone)
    return f"{at:%H:%M}" if at.date() == today.date() else f"{at:%b} {at.day} {at:%H:%M}"
