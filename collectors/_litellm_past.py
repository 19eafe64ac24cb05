"""What a LiteLLM proxy served while nobody read its metrics page, read back from its own books.

That is the time before the first page, and each between the last page of a run and the first one of the next. Whole UTC
days of it are told by its daily activity, parts of a day by its spend logs: so nothing is told by two. What is not told
yet stands in a bookmark, as does the moment of the last page. One question a poll.
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

_UNTIL, _LEFT = "pages until", "not told"
_DAY, _LEAST_DAYS = 86400.0, 7
_MOST_PIECES = 16
_MOST_TOLD = 4000
# The proxy writes its books every 10 s, and a request's row once it is over.
_SETTLES, _AGAIN = 120.0, 3600.0
_NO_DATABASE, _FORBIDDEN = 500, 403
_NOT_THERE = (404, 405)
_TRIES = 3
# Only an administrator may ask about somebody else; anybody else's answer would be of his own use alone.
_NOBODY = "infertop-asks-whether-it-may"


Piece = tuple[float, float]
"""A span that is read at once, in epoch seconds: whole days, or a part of one."""


class Past:
    """Reads what is missing of one proxy; `users` are the owners of keys, as far as they are known."""

    def __init__(self, source: str, base: str, http: Http) -> None:
        self._source, self._base, self._http = source, base, http
        self._until: float | None = None
        self._begun = False
        self._pieces: list[Piece] = []
        self._due = 0.0
        self._allowed = False
        self._daily: Daily | None = None
        self._asked: dict[str, str | int] = {}
        self._models: list[str] = []
        self._days: list[tuple[float, list[Statement]]] | None = None
        self._logs: Logs | None = None
        self._moved = 0
        self._odd = ""
        self._said = ""

    def resume(self, bookmarks: Mapping[str, str]) -> None:
        """Go on from where it was; a moment that cannot be read is one that nobody kept."""
        until = _moment(bookmarks.get(_UNTIL, ""))
        if until is None:
            return
        self._until = until
        pairs = (each.split("..") for each in bookmarks.get(_LEFT, "").split())
        moments = [tuple(map(_moment, pair)) for pair in pairs if len(pair) == 2]
        self._pieces = [(start, end) for start, end in moments if start and end and start < end][-_MOST_PIECES:]

    @property
    def bookmarks(self) -> dict[str, str]:
        """The moment of the last page, and what of the time in which none was read is not told."""
        known = {} if self._until is None else {_UNTIL: repr(self._until)}
        return known | {_LEFT: " ".join(f"{start!r}..{end!r}" for start, end in self._pieces)}

    @property
    def note(self) -> str:
        """What stands in the way, or how much is left to be told; empty where there is nothing to say."""
        left = sum(end - start for start, end in self._pieces) / _DAY
        if self._said or not left:
            return self._said
        return f"reading back: {left:.0f} days are left" if left > 1 else "reading back: a part of a day is left"

    @property
    def more(self) -> bool:
        """Whether there is a question to be asked without delay."""
        return bool(self._pieces) and self._until is not None and self._until >= self._due

    def begin(self, ts: float) -> None:
        """Take the time of a page: the first one's is where what was missed ends."""
        if not self._begun:
            oldest = min(month_begin(ts) // _DAY * _DAY, ts // _DAY * _DAY - _LEAST_DAYS * _DAY)
            since = oldest if self._until is None else max(oldest, self._until)
            self._pieces = [*self._pieces, *_pieces(since, ts)][-_MOST_PIECES:]
            self._begun, self._due = True, ts + _SETTLES
        self._until = ts

    async def read(self, ts: float, users: Mapping[str, str]) -> Told | None:
        """Ask the next question, where one is due; return what is told by now of some days, or of a part of one."""
        if not self._pieces or ts < self._due:
            return None
        start, end = self._pieces[0]
        try:
            if start % _DAY or end % _DAY:
                return await self._next_logs(start, end)
            return await self._next_days(start, end, users)
        except (Unavailable, ValueError) as error:
            self._due, self._said = ts + _AGAIN, _why(error)
            self._daily = self._logs = self._days = None
            self._pieces = [*self._pieces[1:], self._pieces[0]]
            return None

    async def _next_days(self, first: float, end: float, users: Mapping[str, str]) -> Told | None:
        if self._days is not None:
            return self._next_told(end)
        days = {_date(first + number * _DAY): first + number * _DAY for number in range(int((end - first) // _DAY))}
        asked: dict[str, str | int] = {"start_date": next(iter(days)), "end_date": list(days)[-1]}
        if not self._allowed:
            await self._ask(daily.PATH, asked | {"user_id": _NOBODY})
            self._allowed = True
        elif self._daily is None:
            begun = Daily(days, users)
            begun.begin(await self._ask(daily.PATH, asked))
            self._daily, self._models, self._asked = begun, list(begun.models), asked
        elif self._models:
            model = self._models[0]
            self._daily.add(model, await self._ask(daily.PATH, self._asked | {"model": model}))
            self._models.pop(0)
        else:
            out = self._daily.left_out
            self._odd = f"LiteLLM's daily activity of {out} days does not add up: not read back" if out else ""
            self._days = self._daily.told(self._source)
            return self._next_told(end)
        return None

    def _next_told(self, end: float) -> Told:
        """Return the next days; each replaces all that was said inside it, by pages of which no moment was kept too."""
        said, covered = list[Statement](), list[Covered]()
        while self._days and len(said) < _MOST_TOLD:
            start, statements = self._days.pop(0)
            said += statements
            covered.append(Covered(start, start + _DAY))
        if self._days:
            self._pieces[0] = self._days[0][0], end
        else:
            self._days = self._daily = None
            self._done()
        return Told(said, covered)

    async def _next_logs(self, start: float, end: float) -> Told | None:
        if self._logs is None:
            self._logs = Logs(start, end)
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
        self._logs = None
        self._done()
        return Told(said, [Covered(start, end)] if said else [])

    def _done(self) -> None:
        self._pieces.pop(0)
        self._said = self._odd

    async def _ask(self, path: str, params: Mapping[str, str | int]) -> Row:
        return document((await self._http.get(self._base + path, params)).body, path)


def _pieces(start: float, end: float) -> list[Piece]:
    """Return a span as the part of its first day, whole days, and the part of its last day, as far as there are any."""
    first, last = math.ceil(start / _DAY) * _DAY, end // _DAY * _DAY
    if last < first:
        return [(start, end)] if start < end else []
    return [(one, other) for one, other in ((start, first), (first, last), (last, end)) if one < other]


def _moment(said: str) -> float | None:
    try:
        found = float(said)
    except ValueError:
        return None
    return found if math.isfinite(found) and found > 0 else None


def _date(ts: float) -> str:
    return datetime.fromtimestamp(ts, UTC).strftime("%Y-%m-%d")


def _why(error: Exception) -> str:
    """Return why the past is not told, in a sentence."""
    if isinstance(error, Unavailable):
        if error.status == _NO_DATABASE:
            return "LiteLLM has no database that answers: what it served while infertop did not read it is not known"
        if error.state is State.AUTH or error.status == _FORBIDDEN:
            return "what LiteLLM served while infertop did not read it needs an administrator's key of LiteLLM"
        if error.status in _NOT_THERE:
            return "this release of LiteLLM does not tell what it served while infertop did not read it"
    return f"what LiteLLM served while infertop did not read it is not told whole: {error}"
