"""What a person may write for `--since` and `--until`, as epoch seconds."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_ROLLING = re.compile(r"(\d{1,6})([mhdw])")
_SECONDS = {"m": 60, "h": 3600, "d": 86400, "w": 604800}
FORMS = "90m, 24h, 7d, 2w, today, yesterday, month, a date or RFC 3339"


def parse_instant(text: str, now: float, zone: ZoneInfo) -> float:
    """Return the time that `text` means at `now`; raise ValueError with a sentence where it means none.

    Rolling spans count back from `now`, floored to the minute. "today", "yesterday" and "month" are the starts of the
    local day, the one before and the month; a date or a time without an offset is local in `zone`.
    """
    word = text.strip().lower()
    if match := _ROLLING.fullmatch(word):
        amount, unit = match.groups()
        return now // 60 * 60 - int(amount) * _SECONDS[unit]
    today = datetime.fromtimestamp(now, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"today": today, "yesterday": today - timedelta(days=1), "month": today.replace(day=1)}
    if word in named:
        return named[word].timestamp()
    if word == "now":
        return now
    try:
        at = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(f'"{text}" is no time that infertop knows; write one of: {FORMS}') from None
    return (at if at.tzinfo else at.replace(tzinfo=zone)).timestamp()
