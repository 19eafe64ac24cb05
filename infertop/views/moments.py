"""Times of day as sentences tell them."""

from __future__ import annotations

from datetime import datetime, tzinfo


def moment(ts: float, now: float, zone: tzinfo) -> str:
    """Return a time of day (epoch seconds), with its day where that is not the day of `now`."""
    at, today = datetime.fromtimestamp(ts, zone), datetime.fromtimestamp(now, zone)
    return f"{at:%H:%M}" if at.date() == today.date() else f"{at:%b} {at.day} {at:%H:%M}"
