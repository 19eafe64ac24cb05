"""Where a price is from and how old it is, in words."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime

from infertop.readings.safe import safe
from infertop.views.facts import Facts
from infertop.views.wording import span

_DATED = re.compile(r"(default rates|snapshot) (\d{4}-\d\d-\d\d)")
_LINE = re.compile(r".+:\d+")
_DAY_SECONDS = 86_400


def origin(facts: Facts, source: str, since: str = "") -> str:
    """Return where a price is from, from when on it holds, and its age.

    "pricing.toml:4, loaded 3 h ago", "default rates 2026-11-22, read 0 days ago", "snapshot 2026-11-10, 12 days old".
    """
    said = safe(source, 80) + (f", holds from {safe(since, 30)}" if since else "")
    if match := _DATED.match(source):
        days = _days(facts.now, match[2])
        if days is None:
            return said
        return f"{said}, {days} days old" if match[1] == "snapshot" else f"{said}, read {days} days ago"
    if _LINE.fullmatch(source) and facts.prices_loaded_at is not None:
        return f"{said}, loaded {span(facts.now - facts.prices_loaded_at)} ago"
    return said


def _days(now: float, day: str) -> int | None:
    try:
        then = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC).timestamp()
    except ValueError:
        return None
    return max(int((now - then) // _DAY_SECONDS), 0)
