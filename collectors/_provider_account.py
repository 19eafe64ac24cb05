"""A provider's account, read piece by piece: usage by the plan, and chores (bills, names, limits) by the hour.

One part's trouble is a sentence and delays no other. What was read before it stands.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from collectors._provider_plan import MINUTE, Plan, Span
from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.readings.account import Account
from infertop.readings.model import Batch, Covered, Statement

if TYPE_CHECKING:
    from infertop.engine.http import Http

_T = TypeVar("_T")

SPANS_A_POLL = 8
_AGAIN_SECONDS = 1.0
_RETRY_SECONDS = 300.0
_REFUSALS = 2


class Told(NamedTuple):
    """What one question about usage was answered: whole buckets, and a note where they may not be all."""

    statements: list[Statement]
    covered: list[Covered]
    note: str = ""
    rejected: int = 0


Chore = Callable[[float], Awaitable[tuple[Account, str]]]
"""Reads something besides usage at a time; returns it with a note, empty where nothing was odd."""


class Usage(Protocol):
    """A provider's usage API."""

    async def read(self, span: Span, ts: float) -> Told:
        """Return what was used in a span; raise Unavailable where that cannot be known now."""
        ...


@dataclass(slots=True)
class _Due:
    """A chore, how often it is done, and when it is next."""

    run: Chore
    every: float
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Habits:
    """How often each family's minutes and each chore are asked; usage is whole `lag_seconds` after it happened."""

    families: Mapping[str, float]
    chores: Mapping[str, float] = field(default_factory=dict)
    lag_seconds: float = 600.0
    most_hours: int = 168


class AccountReader:
    """Reads one account: a collector's `collect`. `begin` is as in `Plan`."""

    def __init__(
        self,
        config: SourceConfig,
        http: Http,
        usage: Usage,
        chores: Mapping[str, Chore],
        habits: Habits,
        begin: Callable[[float], float],
    ) -> None:
        self.kind = config.kind
        self.config = config
        self._http = http
        self._usage = usage
        self._plan = Plan(habits.families, begin, habits.most_hours)
        self._chores = {name: _Due(run, habits.chores[name]) for name, run in chores.items()}
        self._lag = habits.lag_seconds
        self._notes: dict[str, str] = {}
        self._not_before: dict[str, float] = {}

    async def collect(self, ts: float) -> Batch:
        """Read what is due, at most so much of it; raise Unavailable where nothing at all could be read."""
        read = _Read()
        await self._usage_due(ts, read)
        if not read.more:
            await self._chores_due(ts, read)
        if read.trouble is not None and not read.parts:
            raise read.trouble
        return self._batch(ts, read)

    async def close(self) -> None:
        """Close the connection."""
        await self._http.close()

    async def _usage_due(self, ts: float, read: _Read) -> None:
        asked = 0
        for span in self._plan.due(ts):
            if ts < self._not_before.get(span.family, 0.0):
                continue
            if asked >= SPANS_A_POLL:
                read.more = True
                return
            asked += 1
            try:
                told = await self._usage.read(span, ts)
            except Unavailable as trouble:
                self._notes[span.family] = trouble.sentence
                read.fail(trouble)
                if read.hopeless:
                    return
                self._not_before[span.family] = ts + _RETRY_SECONDS
                continue
            self._plan.done(span, ts)
            read.take(span, told)
            self._notes[span.family] = told.note

    async def _chores_due(self, ts: float, read: _Read) -> None:
        for name, due in self._chores.items():
            if ts < due.at or read.hopeless:
                continue
            try:
                account, note = await due.run(ts)
            except Unavailable as trouble:
                self._notes[name] = trouble.sentence
                due.at = ts + max(_RETRY_SECONDS, trouble.retry_seconds or 0.0)
                read.fail(trouble)
                continue
            due.at = ts + due.every - 1
            self._notes[name] = note
            read.add(account)

    def _batch(self, ts: float, read: _Read) -> Batch:
        days = self._plan.left_days(ts)
        notes = [f"reading back: {days} days are left"] if days else []
        again = _AGAIN_SECONDS if read.more else None
        if read.trouble is not None and read.trouble.retry_seconds:
            again = read.trouble.retry_seconds
        complete = read.account
        if read.minutes_until:
            complete = replace(complete, complete_until=min(read.minutes_until, (ts - self._lag) // MINUTE * MINUTE))
        return Batch(
            self.config.name,
            ts,
            (),
            (),
            statements=tuple(read.statements),
            notes=tuple(dict.fromkeys([*notes, *filter(None, self._notes.values())])),
            rejected=read.rejected,
            covered=tuple(read.covered),
            account=complete,
            again_seconds=again,
        )


@dataclass(slots=True)
class _Read:
    """What one poll has read so far."""

    statements: list[Statement] = field(default_factory=list)
    covered: list[Covered] = field(default_factory=list)
    account: Account = field(default_factory=Account)
    rejected: int = 0
    parts: int = 0
    minutes_until: float | None = None
    more: bool = False
    refusals: int = 0
    trouble: Unavailable | None = None

    def take(self, span: Span, told: Told) -> None:
        """Take an answer about usage."""
        self.statements += told.statements
        self.covered += told.covered
        self.rejected += told.rejected
        self.parts += 1
        if span.width == MINUTE:
            self.minutes_until = min(span.end, self.minutes_until or span.end)

    def add(self, account: Account) -> None:
        """Take what a chore read."""
        self.parts += 1
        self.account = together(self.account, account)

    def fail(self, trouble: Unavailable) -> None:
        """Keep the first trouble."""
        self.trouble = self.trouble or trouble
        self.refusals += trouble.state is State.AUTH

    @property
    def hopeless(self) -> bool:
        """Whether what went wrong is that of the whole account: its host, too many requests, a key good for nothing."""
        if self.trouble is None:
            return False
        whole = self.trouble.retry_seconds is not None or self.trouble.state is State.STALE
        return whole or (self.refusals >= _REFUSALS and not self.parts)


def together(one: Account, other: Account) -> Account:
    """Return what either says."""

    return Account(
        bills=(*one.bills, *other.bills),
        names=_both(one.names, other.names),
        balances=_both(one.balances, other.balances),
        allowances=_both(one.allowances, other.allowances),
        rate_limits=_both(one.rate_limits, other.rate_limits),
        complete_until=one.complete_until if other.complete_until is None else other.complete_until,
    )


def _both(one: tuple[_T, ...] | None, other: tuple[_T, ...] | None) -> tuple[_T, ...] | None:
    return None if one is None and other is None else (*(one or ()), *(other or ()))
