"""Times of day and dates as text, in the time zone that budgets and reports follow."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from tui.format import UNKNOWN, known

_DAY_SECONDS = 86_400.0


@lru_cache(maxsize=8)
def zone(name: str) -> tzinfo:
    """Return the time zone called `name`, or UTC where the machine does not have it."""
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return UTC


def _local(ts: float | None, timezone: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(ts, zone(timezone)) if known(ts) else None
    except (OverflowError, ValueError, OSError):
        return None


def stamp(ts: float | None, timezone: str) -> str:
    """Return `Sun 04:30 CET`."""
    local = _local(ts, timezone)
    return f"{local:%a %H:%M %Z}" if local else UNKNOWN


def dated(ts: float | None, timezone: str) -> str:
    """Return `Sun 22 Nov 04:30 CET`."""
    local = _local(ts, timezone)
    return f"{local:%a} {local.day} {local:%b %H:%M %Z}" if local else UNKNOWN


def clock(ts: float | None, timezone: str) -> str:
    """Return `04:30`."""
    local = _local(ts, timezone)
    return f"{local:%H:%M}" if local else UNKNOWN


def day_clock(ts: float | None, timezone: str) -> str:
    """Return `Sun 04:30`."""
    local = _local(ts, timezone)
    return f"{local:%a %H:%M}" if local else UNKNOWN


def day(ts: float | None, timezone: str) -> str:
    """Return `Sun 22 Nov`."""
    local = _local(ts, timezone)
    return f"{local:%a} {local.day} {local:%b}" if local else UNKNOWN


def exact(ts: float | None, timezone: str) -> str:
    """Return `04:30:12`."""
    local = _local(ts, timezone)
    return f"{local:%H:%M:%S}" if local else UNKNOWN


def when(ts: float | None, now: float, timezone: str) -> str:
    """Return a moment as exactly as its distance from `now` needs: `21:40`, `Sun 21:40`, `Sun 29 Nov`, `3 Mar 2027`."""
    local = _local(ts, timezone)
    today = _local(now, timezone)
    if local is None or today is None or ts is None:
        return UNKNOWN
    if local.date() == today.date():
        return f"{local:%H:%M}"
    if abs(ts - now) < 2 * _DAY_SECONDS:
        return f"{local:%a %H:%M}"
    if abs(ts - now) < 180 * _DAY_SECONDS:
        return f"{local:%a} {local.day} {local:%b}"
    return f"{local.day} {local:%b %Y}"
