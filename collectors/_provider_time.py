"""Times as APIs take and tell them, and when a month begins that must be read whole, wherever its user lives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_FURTHEST_ZONE = timedelta(hours=14)
_LONGEST = 40


def month_begin(ts: float) -> float:
    """Return when the month of `ts` begins in the zone where it begins first, in epoch seconds.

    Budgets follow the user's zone, which a collector does not know: what is read before it begins there is kept, too.
    """
    now = datetime.fromtimestamp(ts, UTC)
    behind = now - _FURTHEST_ZONE  # where it may still be the month before
    begin = behind.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (begin - _FURTHEST_ZONE).timestamp()


def rfc3339(ts: float) -> str:
    """Return a time in UTC as APIs take it, in whole seconds."""
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_seconds(said: object) -> int | None:
    """Return a time that is told as text in epoch seconds, None where it is none; without a zone it is UTC."""
    if not isinstance(said, str) or len(said) > _LONGEST:
        return None
    try:
        at = datetime.fromisoformat(said)
        return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp())
    except (OverflowError, ValueError, OSError):
        return None
