"""LiteLLM's spend logs: one row for each request, added up by the hour in which it ended, of a part of a day.

Wire format: GET /spend/logs/v2 of litellm/proxy/spend_tracking/spend_management_endpoints.py, times in UTC. A day's
part is told whole or not at all. Requests that run over midnight are of the day in which they began, as in LiteLLM's
days.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import UTC, datetime

from collectors._litellm_books import Amounts
from collectors._litellm_tally import (
    ANSWERED,
    FAILED,
    OUTPUT,
    PROMPT,
    READ,
    SPEND,
    WRITTEN,
    Row,
    Tally,
    count,
    figures,
    label,
    spender,
)
from infertop.readings.model import Statement

PATH = "/spend/logs/v2"
PAGE, MOST_PAGES = 500, 40
SCOPE = "logs|"
_HOUR, _DAY = 3600.0, 86400.0
_LONGEST_SECONDS = 600.0  # how long a request may have run that is found by when it began
_LONGEST = 40
_USER_AGENT = ("user-agent:", "user agent:")


class Moved(Exception):  # noqa: N818 - it says what happened
    """The rows changed while their pages were read."""


class Logs:
    """The requests that ended in [start, end), epoch seconds, page by page."""

    def __init__(self, start: float, end: float) -> None:
        self._start, self._end = start, end
        self._hours: dict[float, Tally] = {}
        self._seen: set[str] = set()
        self._total: int | None = None
        self._page = 1

    @property
    def params(self) -> dict[str, str | int]:
        """What to ask next, by when requests began."""
        begun = max(self._start - _LONGEST_SECONDS, self._start // _DAY * _DAY)
        first, last = (datetime.fromtimestamp(math.floor(at), UTC) for at in (begun, math.ceil(self._end)))
        text = "%Y-%m-%d %H:%M:%S"
        asked: dict[str, str | int] = {"start_date": first.strftime(text), "end_date": last.strftime(text)}
        return asked | {"page": self._page, "page_size": PAGE, "sort_by": "startTime", "sort_order": "asc"}

    def take(self, said: Row) -> bool:
        """Take a page, say whether it was the last one; raise ValueError with a sentence, Moved to begin anew."""
        rows, total = said.get("data"), count(said, "total")
        if not isinstance(rows, list) or said.get("total") is None:
            raise ValueError(f"{PATH} answers with no data and total")
        if total > PAGE * MOST_PAGES or said.get("total_is_capped") is True:
            raise ValueError(f"more than {PAGE * MOST_PAGES} requests are too many to be read back one by one")
        if self._total not in (None, total):
            raise Moved
        self._total = total
        for row in rows:
            self._one(row)
        if len(self._seen) < total:
            if len(rows) < PAGE:
                raise Moved
            self._page += 1
            return False
        return True

    def statements(self, source: str) -> Iterator[Statement]:
        """Yield what was used in each hour; the first one begins and the last one ends with the span."""
        for start, tally in self._hours.items():
            yield from tally.statements(source, SCOPE, max(start, self._start), min(start + _HOUR, self._end))

    def _one(self, row: object) -> None:
        known = label(row.get("request_id")) if isinstance(row, dict) else None
        if not isinstance(row, dict) or known is None:
            raise ValueError(f"{PATH} answers with rows that are no requests")
        if known in self._seen:
            raise Moved
        self._seen.add(known)
        ended, model = _instant(row.get("endTime")), label(row.get("model"))
        if ended is None:
            raise ValueError(f"{PATH} answers with requests that have no end")
        counted = self._counted(ended, _instant(row.get("startTime")))
        if model is None or counted is None:
            return
        about = row.get("metadata")
        about = about if isinstance(about, dict) else {}
        who = spender(
            row.get("custom_llm_provider"),
            model,
            key=label(about.get("user_api_key_alias")) or row.get("api_key"),
            team=label(about.get("user_api_key_team_alias")) or row.get("team_id"),
            user=row.get("user"),
            customer=row.get("end_user"),
            tag=_tags(row.get("request_tags")),
        )
        self._hours.setdefault(counted // _HOUR * _HOUR, Tally()).add(who, _amounts(row, about))

    def _counted(self, ended: float, began: float | None) -> float | None:
        """Return when a request counts, None where that is in no part of the span."""
        if self._end % _DAY == 0 and ended >= self._end and began is not None and began < self._end:
            ended = self._end - 1
        return ended if self._start <= ended < self._end else None


def _amounts(row: Row, about: Row) -> Amounts:
    if row.get("status") == "failure":
        return {FAILED: 1}
    usage = about.get("usage_object")
    usage = usage if isinstance(usage, dict) else {}
    inner = usage.get("prompt_tokens_details")
    inner = inner if isinstance(inner, dict) else {}
    said = {name: row.get(name) for name in (PROMPT, OUTPUT, SPEND)}
    said[READ] = usage.get(READ) or inner.get("cached_tokens")
    said[WRITTEN] = usage.get(WRITTEN) or inner.get("cache_write_tokens") or inner.get("cache_creation_tokens")
    return figures(said) | {ANSWERED: 1}


def _tags(said: object) -> str:
    tags = {text for each in said if (text := label(each))} if isinstance(said, list) else set()
    return ",".join(sorted(tag for tag in tags if not tag.lower().startswith(_USER_AGENT)))


def _instant(said: object) -> float | None:
    if not isinstance(said, str) or len(said) > _LONGEST:
        return None
    try:
        at = datetime.fromisoformat(said)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (OverflowError, ValueError, OSError):
        return None
