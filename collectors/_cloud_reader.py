"""What the accounts with clouds share: options, and bills that are asked once a day, over restarts too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Protocol

from collectors._provider_account import AccountReader, Chore, Closes, Habits, Usage
from collectors._provider_time import month_begin
from infertop.engine.collector import SourceConfig
from infertop.readings.account import Account
from infertop.readings.model import Batch

_ASKED = "bills_asked_at"
_DAY = 86_400.0
_EARLY = 600.0  # a poll that comes a little early is the day's all the same


class Bills(Protocol):
    """An API of bills that costs money, or that may be asked seldom."""

    async def ask(self, ts: float) -> tuple[Account, str]:
        """Return the bills of the days that are over, and a note."""
        ...

    async def close(self) -> None:
        """Close the connection."""
        ...


class CloudReader(AccountReader):
    """Reads an account with a cloud; `bills` are asked once a day, by whoever ran before too. `others` are chores."""

    def __init__(
        self,
        config: SourceConfig,
        connection: Closes,
        usage: Usage,
        habits: Habits,
        bills: Bills | None = None,
        others: Mapping[str, Chore] | None = None,
    ) -> None:
        chores: dict[str, Chore] = {**(others or {}), **({"costs": self._daily} if bills else {})}
        super().__init__(config, connection, usage, chores, habits, month_begin)
        self._bills = bills
        self._asked_at: float | None = None
        self._note = ""

    def resume(self, bookmarks: Mapping[str, str]) -> None:
        """Take when bills were asked last and which hours were read, by whoever ran before."""
        super().resume(bookmarks)
        try:
            self._asked_at = float(bookmarks.get(_ASKED) or "")
        except ValueError:
            self._asked_at = None

    async def collect(self, ts: float) -> Batch:
        """Return what was read since the last poll, as `AccountReader` does."""
        batch = await super().collect(ts)
        if self._asked_at is not None:
            batch = replace(batch, bookmarks={**batch.bookmarks, _ASKED: f"{self._asked_at:.0f}"})
        return batch

    async def close(self) -> None:
        """Stop reading and close the connections."""
        await super().close()
        if self._bills is not None:
            await self._bills.close()

    async def _daily(self, ts: float) -> tuple[Account, str]:
        asked = self._asked_at
        if self._bills is not None and (asked is None or not 0 <= ts - asked < _DAY - _EARLY):
            told, self._note = await self._bills.ask(ts)
            self._asked_at = ts
            return told, self._note
        return Account(), self._note


def flag(config: SourceConfig, name: str) -> bool:
    """Return an option that is on or off; raise ValueError where it is neither."""
    value = config.options.get(name, False)
    if not isinstance(value, bool):
        raise ValueError(f"{config.name}: {name} must be true or false")
    return value


def word(config: SourceConfig, name: str, *, needed: bool = False) -> str:
    """Return an option that is text, empty where it is not set; raise ValueError where it is none, or is `needed`."""
    value = config.options.get(name, "")
    if not isinstance(value, str) or (needed and not value):
        raise ValueError(f"{config.name}: {config.kind} needs {name}, in quotes" if needed else _no_text(config, name))
    return value


def not_below(config: SourceConfig, least: float) -> float:
    """Return how often a source is polled in seconds; raise ValueError where that is more often than makes sense."""
    if config.interval_seconds < least:
        raise ValueError(f"{config.name}: interval must be {least:g} s or more: its figures are by the minute")
    return config.interval_seconds


def _no_text(config: SourceConfig, name: str) -> str:
    return f"{config.name}: {name} must be text in quotes"
