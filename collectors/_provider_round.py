"""One round of reading an account: what was tried, and what was read and is not handed over yet."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from collectors._provider_standing import is_pause
from infertop.engine.collector import Unavailable
from infertop.readings.account import Account
from infertop.readings.model import Covered, Member, Statement

_T = TypeVar("_T")

MOST_STATEMENTS = 8000
_SILENCES = 2
_UNAUTHORIZED = 401


class Told(NamedTuple):
    """What one question about usage was answered: whole buckets, and a note where something was odd.

    `whole` says that everything in the span was read; else it is asked again later.
    """

    statements: list[Statement]
    covered: list[Covered]
    note: str = ""
    rejected: int = 0
    whole: bool = True


@dataclass(slots=True)
class Tried:
    """How a round goes: what went well and what did not."""

    spans: int = 0
    good: int = 0
    silences: int = 0
    paused: bool = False
    unknown: bool = False
    first: Unavailable | None = None

    def fail(self, trouble: Unavailable) -> None:
        """Take a failure; a host that does not answer is worse than one that refuses."""
        self.first = self.first or trouble
        self.silences += trouble.status is None
        self.unknown = self.unknown or trouble.status == _UNAUTHORIZED
        self.paused = self.paused or is_pause(trouble)

    @property
    def over(self) -> bool:
        """Whether nothing more is worth asking now: the host is silent, wants a pause, or does not know the key."""
        return self.paused or self.unknown or self.silences >= _SILENCES


@dataclass(slots=True)
class Read:
    """What was read and is not handed over yet."""

    statements: list[Statement] = field(default_factory=list)
    covered: list[Covered] = field(default_factory=list)
    account: Account = field(default_factory=Account)
    members: list[Member] = field(default_factory=list)
    rejected: int = 0
    parts: int = 0
    _expected: tuple[asyncio.Future[None], ...] = ()

    def expect(self) -> tuple[asyncio.Future[None], asyncio.Future[None]]:
        """Return what is done once there is something, and once there is as much as one poll should have."""
        loop = asyncio.get_running_loop()
        something: asyncio.Future[None] = loop.create_future()
        full: asyncio.Future[None] = loop.create_future()
        self._expected = (something, full)
        self._tell()
        return something, full

    @property
    def is_full(self) -> bool:
        """Whether it is as much as one transaction should take: what is read next waits."""
        return len(self.statements) >= MOST_STATEMENTS

    def take(self, told: Told) -> None:
        """Take an answer about usage. What it covers replaces what was read of that before."""
        if any(_overlap(one, other) for one in self.covered for other in told.covered):
            self.statements = [each for each in self.statements if not _replaced(each, told.covered)]
        self.statements += told.statements
        self.covered += told.covered
        self.rejected += told.rejected
        self._one_more()

    def add(self, told: Account | Member | None) -> None:
        """Take what a chore read."""
        if isinstance(told, Member):
            self.members.append(told)
        elif told is not None:
            self.account = together(self.account, told)
        self._one_more()

    def _one_more(self) -> None:
        self.parts += 1
        self._tell()

    def _tell(self) -> None:
        for done, future in zip((self.parts, self.is_full), self._expected, strict=False):
            if done and not future.done():
                future.set_result(None)


def _overlap(one: Covered, other: Covered) -> bool:
    return one.scope == other.scope and one.start < other.end and other.start < one.end


def _replaced(said: Statement, covered: Iterable[Covered]) -> bool:
    return any(
        span.start <= said.start and said.end <= span.end and said.key.startswith(span.scope) for span in covered
    )


def together(one: Account, other: Account) -> Account:
    """Return what either says."""
    return Account(
        bills=(*one.bills, *other.bills),
        names=_both(one.names, other.names),
        balances=_both(one.balances, other.balances),
        allowances=_both(one.allowances, other.allowances),
        rate_limits=_both(one.rate_limits, other.rate_limits),
        list_prices=_both(one.list_prices, other.list_prices),
        complete_until=one.complete_until if other.complete_until is None else other.complete_until,
    )


def _both(one: tuple[_T, ...] | None, other: tuple[_T, ...] | None) -> tuple[_T, ...] | None:
    return None if one is None and other is None else (*(one or ()), *(other or ()))
