"""What a LiteLLM proxy served before its metrics page was first read, read back from its own books, once.

Days before that day are told by its daily activity, that day up to the moment of the first page by its spend logs: so
nothing is told by two. The moment is a bookmark, and so is how far the past was told. One question a poll.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from collectors import _litellm_daily as daily
from collectors import _litellm_logs as logs
from collectors._litellm_daily import Daily
from collectors._litellm_logs import Logs, Moved
from collectors._litellm_tally import Row, document
from collectors._provider_round import Told
from collectors._provider_time import month_begin
from infertop.engine.collector import State, Unavailable
from infertop.readings.model import Covered, Statement

if TYPE_CHECKING:
    from infertop.engine.http import Http

_SINCE, _TOLD = "metrics since", "past told"
_DAYS, _ALL = "days", "all"
_DAY, _LEAST_DAYS = 86400.0, 7
# The proxy writes its books every 10 s, and a request's row once it is over.
_SETTLES, _AGAIN = 120.0, 3600.0
_NO_DATABASE, _FORBIDDEN = 500, 403
_NOT_THERE = (404, 405)
_TRIES = 3
# Only an administrator may ask about somebody else; anybody else's answer would be of his own use alone.
_NOBODY = "infertop-asks-whether-it-may"


class Past:
    """Reads the past of one proxy; `users` are the owners of keys, as far as they are known."""

    def __init__(self, source: str, base: str, http: Http) -> None:
        self._source, self._base, self._http = source, base, http
        self._since: float | None = None
        self._told = ""
        self._due = 0.0
        self._allowed = False
        self._daily: Daily | None = None
        self._asked: dict[str, str | int] = {}
        self._left: list[str] = []
        self._days: list[tuple[float, list[Statement]]] | None = None
        self._logs: Logs | None = None
        self._moved = 0
        self._odd = ""
        self.note = ""

    def resume(self, bookmarks: Mapping[str, str]) -> None:
        """Go on from where it was; a moment that cannot be read is one that nobody kept."""
        try:
            since = float(bookmarks.get(_SINCE, ""))
        except ValueError:
            return
        if math.isfinite(since) and since > 0:
            self._since, self._told = since, bookmarks.get(_TOLD, "")

    @property
    def bookmarks(self) -> dict[str, str]:
        """The moment at which the first page was read, and how far what was before it is told."""
        known = {} if self._since is None else {_SINCE: repr(self._since)}
        return known | ({_TOLD: self._told} if self._told else {})

    def begin(self, ts: float) -> None:
        """Take the time of a page: the first one's is where the past ends."""
        if self._since is None:
            self._since, self._due = ts, ts + _SETTLES

    async def read(self, ts: float, users: Mapping[str, str]) -> Told | None:
        """Ask the next question, where one is due; return what is told by now of a day, or of that day's part."""
        if self._since is None or self._told == _ALL or ts < max(self._due, self._since + _SETTLES):
            return None
        midnight = self._since // _DAY * _DAY
        try:
            return await (self._next_logs(midnight) if self._told else self._next_days(ts, midnight, users))
        except (Unavailable, ValueError) as error:
            self._due, self.note = ts + _AGAIN, _why(error)
            self._daily = self._logs = self._days = None
            return None

    async def _next_days(self, ts: float, midnight: float, users: Mapping[str, str]) -> Told | None:
        if self._days is not None:
            return self._next_told()
        first = min(month_begin(ts) // _DAY * _DAY, ts // _DAY * _DAY - _LEAST_DAYS * _DAY)
        starts = [first + number * _DAY for number in range(max(0, int((midnight - first) // _DAY)))]
        days = {_date(start): start for start in starts}
        if not days:
            self._told = _DAYS
            return Told([], [])
        asked: dict[str, str | int] = {"start_date": next(iter(days)), "end_date": _date(starts[-1])}
        if not self._allowed:
            await self._ask(daily.PATH, asked | {"user_id": _NOBODY})
            self._allowed = True
        elif self._daily is None:
            begun = Daily(days, users)
            begun.begin(await self._ask(daily.PATH, asked))
            self._daily, self._left, self._asked = begun, list(begun.models), asked
        elif self._left:
            model = self._left[0]
            self._daily.add(model, await self._ask(daily.PATH, self._asked | {"model": model}))
            self._left.pop(0)
        else:
            out = self._daily.left_out
            self._odd = f"LiteLLM's daily activity of {out} days does not add up: not read back" if out else ""
            self.note = self._odd
            self._days = self._daily.told(self._source)
            return self._next_told()
        return None

    def _next_told(self) -> Told:
        """Return the next day; it replaces all that was said inside it, also by pages of which no moment was kept."""
        said = self._days.pop(0) if self._days else None
        if not self._days:
            self._told, self._days, self._daily = _DAYS, None, None
        if said is None:
            return Told([], [])
        start, statements = said
        return Told(statements, [Covered(start, start + _DAY)])

    async def _next_logs(self, midnight: float) -> Told | None:
        assert self._since is not None
        if self._logs is None:
            self._logs = Logs(midnight, self._since)
        try:
            whole = self._logs.take(await self._ask(logs.PATH, self._logs.params))
        except Moved:
            self._logs, self._moved = None, self._moved + 1
            if self._moved % _TRIES == 0:
                raise ValueError(f"{logs.PATH} changes while it is read") from None
            return None
        if not whole:
            return None
        said = list(self._logs.statements(self._source))
        self._told, self._logs, self.note = _ALL, None, self._odd
        return Told(said, [Covered(midnight, self._since)] if said else [])

    async def _ask(self, path: str, params: Mapping[str, str | int]) -> Row:
        return document((await self._http.get(self._base + path, params)).body, path)


def _date(ts: float) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%d")


def _why(error: Exception) -> str:
    """Return why the past is not told, in a sentence."""
    if isinstance(error, Unavailable):
        if error.status == _NO_DATABASE:
            return "LiteLLM has no database that answers: what it served before infertop read it is not known"
        if error.state is State.AUTH or error.status == _FORBIDDEN:
            return "what LiteLLM served before infertop read it needs an administrator's key of LiteLLM"
        if error.status in _NOT_THERE:
            return "this release of LiteLLM does not tell what it served before infertop read it"
    return f"what LiteLLM served before infertop read it is not told whole: {error}"
