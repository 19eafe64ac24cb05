"""When a month begins that must be read whole, wherever its user lives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_FURTHEST_ZONE = timedelta(hours=14)


def month_begin(ts: float) -> float:
    """Return when the month of `ts` begins in the zone where it begins first, in epoch seconds.

    Budgets follow the user's zone, which a collector does not know: what is read before it begins there is kept, too.
    """
    now = datetime.fromtimestamp(ts, UTC)
    behind = now - _FURTHEST_ZONE  # where it may still be the month before
    begin = behind.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (begin - _FURTHEST_ZONE).timestamp()
