"""A provider's account, read piece by piece: usage by the plan, and chores (bills, names, limits) by the hour.

One part's trouble is a sentence and delays no other. A round of reading goes on between polls: a poll hands over what
was read so far, so that neither slow pages nor a poll that is cut off lose anything.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from collectors._provider_plan import HOUR, MINUTE, Plan, Span
from collectors._provider_round import Read, Told, Tried, together
from collectors._provider_standing import Standing, is_pause
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.account import Account
from infertop.readings.model import Batch, Member
from infertop.readings.safe import safe

__all__ = ["AccountReader", "Aside", "Chore", "Habits", "Told", "Usage", "together"]

MOST_SPANS = 64
_ENOUGH_SECONDS = 1.5
_AGAIN_SECONDS = 1.0
_PAUSE_SECONDS = 60.0
_MOST_TRIES = 3
_WHOSE = "organization"


Chore = Callable[[float], Awaitable[tuple[Account, str]]]
"""Reads something besides usage at a time; returns it with a note, empty where nothing was odd."""

Aside = Callable[[float], Awaitable[tuple[Member | None, str]]]
"""Reads, at a time, what another source says through this account, None where that is nothing; with a note."""


class Closes(Protocol):
    """A connection, or several."""

    async def close(self) -> None:
        """Close it."""
        ...


class Usage(Protocol):
    """A provider's usage API."""

    async def read(self, span: Span, ts: float) -> Told:
        """Return what was used in a span; raise Unavailable where that cannot be known now."""
        ...


@dataclass(frozen=True, slots=True)
class Habits:
    """How often each family's minutes and each chore are asked; usage is whole `lag_seconds` after it happened.

    `advice` is what to do where the key is refused.
    """

    families: Mapping[str, float]
    chores: Mapping[str, float] = field(default_factory=dict)
    lag_seconds: float = 600.0
    most_hours: int = 168
    advice: str = ""


@dataclass(slots=True)
class _Due:
    """A chore, how often it is done, and when it is next."""

    run: Callable[[float], Awaitable[tuple[Account | Member | None, str]]]
    every: float
    at: float = 0.0


class AccountReader:
    """Reads one account: a collector's `collect`. `begin` is as in `Plan`.

    `asides` are chores that tell of other sources; how often each is done stands in `Habits.chores`. `whose` says which
    organization answers, empty where that is not known.
    """

    def __init__(
        self,
        config: SourceConfig,
        http: Closes,
        usage: Usage,
        chores: Mapping[str, Chore],
        habits: Habits,
        begin: Callable[[float], float],
        asides: Mapping[str, Aside] | None = None,
        whose: Callable[[], str] = str,
    ) -> None:
        self.kind = config.kind
        self.config = config
        self._http = http
        self._usage = usage
        self._habits = habits
        self._plan = Plan(habits.families, begin, habits.most_hours)
        self._chores = {name: _Due(run, habits.chores[name]) for name, run in chores.items()}
        self._chores |= {name: _Due(run, habits.chores[name]) for name, run in (asides or {}).items()}
        self._standing = Standing(habits.advice)
        self._round: asyncio.Task[None] | None = None
        self._read = Read()
        self._handed = asyncio.Event()
        self._more = False
        self._trouble: Unavailable | None = None
        self._paused_until = 0.0
        self._told_until: dict[str, int] = {}
        self._parts_left: dict[Span, tuple[float, int]] = {}
        self._place = f"hours|{hashlib.sha256(config.url.encode()).hexdigest()[:12]}|"
        self._known: dict[str, str] = {}
        self._marked: dict[str, str] = {}
        self._whose = whose
        self._before = ""

    def resume(self, bookmarks: Mapping[str, str]) -> None:
        """Take which hours were read by whoever ran before, of the same address: they are not asked for again."""
        self._known = {name: bookmarks.get(self._place + name, "") for name in self._habits.families}
        self._before = bookmarks.get(self._place + _WHOSE, "")
        self._marked = {name: mark for name, mark in {**self._known, _WHOSE: self._before}.items() if mark}

    async def collect(self, ts: float) -> Batch:
        """Return what was read since the last poll; raise Unavailable where nothing at all could be.

        It waits for all that is due, but no longer than a moment once there is something to tell.
        """
        if self._round is None or self._round.cancelled():
            self._round = asyncio.create_task(self._read_due(ts), name=f"read {self.config.name}")
        something, full = self._read.expect()
        await asyncio.wait({self._round, full}, timeout=_ENOUGH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({self._round, something}, return_when=asyncio.FIRST_COMPLETED)
        reading = not self._round.done()
        if not reading:
            over, self._round = self._round, None
            over.result()
        read, self._read = self._read, Read()
        self._handed.set()
        if not read.parts and self._trouble is not None:
            raise self._down(self._trouble, ts)
        return self._batch(ts, read, more=reading or self._more)

    async def close(self) -> None:
        """Stop reading and close the connection."""
        if self._round is not None:
            self._round.cancel()
            await asyncio.wait({self._round}, timeout=1.0)
        await self._http.close()

    async def _read_due(self, ts: float) -> None:
        """Read all that is due: what is new, then the rest of the account, then the month backwards."""
        tried = Tried()
        self._more = False
        while self._known:
            self._plan.resume(*self._known.popitem(), ts)
        if ts >= self._paused_until:
            await self._spans(self._plan.fresh(ts), ts, tried)
            await self._spans(self._left(ts), ts, tried)
            await self._chores_due(ts, tried)
            await self._spans(self._plan.back(ts), ts, tried)
        if tried.good:
            self._trouble = None
        elif tried.first is not None:
            self._trouble = tried.first

    async def _spans(self, spans: Iterable[Span], ts: float, tried: Tried) -> None:
        for span in spans:
            if tried.over:
                return
            if self._standing.waits(span.family, ts):
                continue
            if tried.spans >= MOST_SPANS:
                self._more = True
                return
            tried.spans += 1
            while self._read.is_full:
                self._handed.clear()
                await self._handed.wait()
            try:
                told = await self._usage.read(span, ts)
            except Unavailable as trouble:
                self._failed(span.family, trouble, ts, self._habits.families[span.family], tried)
                continue
            self._take(span, told, ts)
            tried.good += 1

    def _take(self, span: Span, told: Told, ts: float) -> None:
        """Keep an answer until it is handed over. What of a span of hours is missing or unreadable is asked again."""
        self._plan.done(span, ts)
        self._standing.good(span.family, told.note, span.width, (span.start, span.end))
        _, tries = self._parts_left.pop(span, (0.0, 0))
        if span.width == HOUR and (told.rejected or not told.whole) and tries < _MOST_TRIES:
            self._parts_left[span] = (ts + HOUR, tries + 1)
        if span.width == MINUTE and told.whole:
            self._told_until[span.family] = span.end
        self._read.take(told)

    def _left(self, ts: float) -> list[Span]:
        return [span for span, (at, _) in self._parts_left.items() if at <= ts]

    def _bookmarks(self) -> dict[str, str]:
        """Return how far hours were told, where that is new; of what is asked again nothing is marked."""
        missing = {span.family for span in self._parts_left}
        marks = {name: "" if name in missing else self._plan.bookmark(name) for name in self._habits.families}
        marks |= {_WHOSE: self._whose()} if self._whose() else {}
        new = {name: mark for name, mark in marks.items() if mark != self._marked.get(name, "")}
        self._marked |= new
        return {self._place + name: mark for name, mark in new.items()}

    async def _chores_due(self, ts: float, tried: Tried) -> None:
        for name, due in self._chores.items():
            if tried.over:
                return
            if ts < due.at or self._standing.waits(name, ts):
                continue
            try:
                told, note = await due.run(ts)
            except Unavailable as trouble:
                self._failed(name, trouble, ts, min(due.every, _PAUSE_SECONDS * 5), tried)
                continue
            due.at = ts + due.every - 1
            tried.good += 1
            self._standing.good(name, note)
            self._read.add(told)

    def _failed(self, part: str, trouble: Unavailable, ts: float, every: float, tried: Tried) -> None:
        self._standing.failed(part, trouble, ts, every)
        tried.fail(trouble)
        if is_pause(trouble):
            self._paused_until = ts + (trouble.retry_seconds or _PAUSE_SECONDS) - 1

    def _down(self, trouble: Unavailable, ts: float) -> Unavailable:
        """Return what stands in the way of everything, as the one sentence of the source."""
        retry = max(self._paused_until - ts, 0.0) or trouble.retry_seconds
        sentence = next(iter(self._standing.sentences()), trouble.sentence)
        return Unavailable(sentence, state=trouble.state, retry_seconds=retry, status=trouble.status)

    def _batch(self, ts: float, read: Read, *, more: bool) -> Batch:
        waits = any(self._standing.waits(family, ts) for family in self._habits.families)
        days = 0 if waits else self._plan.left_days(ts)
        notes = [f"reading back: {days} days are left"] if days else []
        if self._before and self._whose() not in ("", self._before):
            here, before = safe(self._whose(), 60), safe(self._before, 60)
            also = "another organization's use wants a [[source]] with a name of its own"
            notes.append(f"this key is of {here}, the one before was of {before}: {also}")
        paused = self._paused_until - ts
        account = read.account
        if self._told_until and read.covered:
            whole = int((ts - self._habits.lag_seconds) // MINUTE * MINUTE)
            account = replace(account, complete_until=min(whole, *self._told_until.values()))
        return Batch(
            self.config.name,
            ts,
            (),
            (),
            statements=tuple(read.statements),
            notes=tuple(dict.fromkeys([*notes, *self._standing.sentences()])),
            rejected=read.rejected,
            covered=tuple(read.covered),
            account=account,
            members=tuple(read.members),
            bookmarks=self._bookmarks(),
            again_seconds=paused if paused > 0 else _AGAIN_SECONDS if more else None,
        )
