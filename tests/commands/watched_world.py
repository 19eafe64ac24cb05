"""A ledger of minutes for who watches: whatever a test wants to have been used, without anybody who metered it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from infertop.commands.watching_work import Asked, Done, Work
from infertop.history.accounts import Account
from infertop.history.open import open_store
from infertop.history.watch_state import Known, Wish, write_watched
from infertop.money.detect.fault import Step

MONDAY = 1_790_553_600  # 2026-09-28, a Monday, 00:00 UTC
MINUTE = 60
OPENAI, LOCAL = "openai", "vllm@a:1"


class World:
    """A database with minutes of lines, and the work that watches it; `until` is the end of the last minute."""

    def __init__(self, path: Path, begin: int = MONDAY) -> None:
        store = open_store(path, float(begin))
        assert store.connection is not None
        self.path = path
        self.connection = store.connection
        self.connection.execute("PRAGMA synchronous=OFF")  # a test that is cut off is begun again
        self.until = begin
        self.tells = True  # whether the provider says up to when it told all
        self._accounts: dict[Account, int] = {}
        self.work = Work(store.uri)
        self.asked = Asked(0.0, 0)
        self.saves: dict[str, Known] = {}
        self.steps: list[Step] = []

    def account(
        self, model: str, resource: str, *, source: str = OPENAI, price: str | None = "a", flags: str = "", **of: str
    ) -> int:
        """The id of an account; `of` are its dimensions."""
        unit = {"requests": "requests", "gpu_busy": "ms", "gpu_idle": "ms"}.get(resource, "tokens")
        provider = "local" if source == LOCAL else source
        basis = "measured" if source == LOCAL else "computed"
        made = Account(source, provider, model or None, resource, tuple(sorted(of.items())), unit, price, basis, flags)
        if made not in self._accounts:
            self._accounts[made] = len(self._accounts) + 1
            row = (self._accounts[made], *made[:4], json.dumps(made.dimensions), *made[5:])
            self.connection.execute("INSERT INTO accounts VALUES (?,?,?,?,?,?,?,?,?,?)", row)
        return self._accounts[made]

    def minute(
        self, lines: Mapping[int, tuple[int, int | None]], covered_ms: int = 60_000, width: int = MINUTE
    ) -> None:
        """Close a minute with these lines: by account, quantity and 1e-9 USD."""
        start = self.until
        rows = [(start, start + width, number, amount, nano, 0) for number, (amount, nano) in lines.items()]
        self.connection.executemany("INSERT INTO lines VALUES (?,?,?,?,?,?)", rows)
        if covered_ms:
            self.connection.execute("INSERT INTO coverage VALUES (?,?)", (start, covered_ms))
        self.until = start + MINUTE

    def used(self, places: Iterable[tuple[str, str, float, float]], price: str = "a", covered_ms: int = 60_000) -> None:
        """Close a minute in which each (model, key) cost so much an hour, with so many requests of 1,000 tokens."""
        lines: dict[int, tuple[int, int | None]] = {}
        for model, key, usd_per_hour, requests in places:
            nano = round(usd_per_hour / 60 * 1e9)
            lines[self.account(model, "input", price=price, key=key)] = (round(requests / 60 * 1000), nano)
            lines[self.account(model, "requests", price=None, key=key)] = (round(requests / 60), None)
        self.minute(lines, covered_ms)

    def watch(self, told_until: float | None = None, seconds: float = 1e9, wishes: tuple[Wish, ...] = ()) -> Done:
        """Let the work go on with all that is closed; what it wants to be stored waits in `saves`."""
        told = {OPENAI: self.until if told_until is None else told_until} if self.tells else {}
        asked = replace(self.asked, now=self.until + 15.0, closed=self.until, told=told, wishes=wishes)
        done = self.work.advance(asked, seconds)
        self.saves |= {each.key: each for each in done.saves}
        self.steps += done.steps
        return done

    def store(self) -> None:
        """Store what waits, as the recorder does."""
        write_watched(self.connection, self.saves)
        self.saves.clear()

    def kill(self) -> None:
        """Lose all that is not stored, and begin again."""
        self.work.close()
        self.saves.clear()
        self.work = Work(f"file:{self.path}?mode=ro")

    def opened(self) -> list[str]:
        """The keys of the faults that were opened so far."""
        return [each.fault.key for each in self.steps if each.opened]


def rows(connection: sqlite3.Connection) -> list[Known]:
    """What is stored."""
    return [Known(*row) for row in connection.execute("SELECT key, until, content FROM watched ORDER BY key")]
