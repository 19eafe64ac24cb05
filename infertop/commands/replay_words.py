"""Times of a replay, as a person writes and reads them."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from infertop.history.replay_span import Recorded
from infertop.readings.safe import safe
from infertop.views.since import parse_instant

_AGO = " ago"


def day_and_time(ts: float, zone: ZoneInfo) -> str:
    """Return `Sun 22 Nov 14:05`."""
    at = datetime.fromtimestamp(ts, zone)
    return f"{at:%a} {at.day} {at:%b %H:%M}"


def begins_at(text: str | None, recorded: Recorded, zone: ZoneInfo) -> float:
    """Return where a replay is to begin: by default with the last 24 hours that were recorded.

    Forms are those of `--since`; what counts back counts from the end of the recording, which is now where it goes on.
    Raise ValueError with a sentence where the text is no time, or nothing was recorded then.
    """
    if text is None:
        return max(recorded.last_day, recorded.start)
    ts = parse_instant(text.strip().removesuffix(_AGO), recorded.end, zone)
    if recorded.start - 60 <= ts < recorded.end:
        return max(ts, recorded.start)
    ends = (day_and_time(each, zone) for each in recorded)
    raise ValueError(f"nothing was recorded at {safe(text, 60)}: the history reaches from {' to '.join(ends)} ({zone})")
