"""Where hours of the day and of the week are counted."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

LATEST = 253_402_300_000.0  # the year 9999, after which no calendar goes


def offset_seconds(ts: float, zone: tzinfo | None) -> float:
    """Return how far clocks in `zone` are ahead of UTC at `ts` (epoch seconds), 0 where there is none."""
    if zone is None:
        return 0.0
    offset = datetime.fromtimestamp(ts, UTC).astimezone(zone).utcoffset()
    return offset.total_seconds() if offset else 0.0
