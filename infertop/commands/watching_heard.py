"""Of which ten minutes of the past it was learned what is usual, and whether the ledger has more of it by now."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from typing import Any

from infertop.commands.watching_scope import Frontier
from infertop.history.figures import LEAST_COVERED_MS, MinuteFlows
from infertop.history.reader import Reader
from infertop.money.detect.usual import SLOT

LEARNS_SECONDS = 7 * 86400
LOOKS_SECONDS = 600
# So many ten minutes of a source that were not there have to be there by now: a late line changes no habit.
_LEAST = 6
_YOUNG_SECONDS = 1200  # what is newer may still be told
_LOOKED_SECONDS = 86400
_METERS = ""  # stands for all that is measured here
_TOLD = """
    SELECT DISTINCT accounts.source, lines.start / 600 FROM lines JOIN accounts ON accounts.id = lines.account
    WHERE lines.start >= ? AND lines.start < ? AND lines.until - lines.start = 60 AND NOT lines.open
        AND accounts.basis != 'measured' AND accounts.unit NOT IN ('ms', 'mJ')
        AND accounts.resource != 'adjustment' AND instr(accounts.flags, 'gap') = 0"""
_MEASURED = "SELECT DISTINCT minute / 600 FROM coverage WHERE minute >= ? AND minute < ? AND ms >= ?"


class Heard:
    """Of each source the ten minutes in which it told anything when they were learned from."""

    def __init__(self) -> None:
        self._slots: dict[str, set[int]] = {}

    def take(self, minute: MinuteFlows, frontier: Frontier) -> None:
        """Note who is in a minute that is learned from; of who is still read back it is learned again."""
        slot = minute.start // SLOT
        for source in minute.stated:
            if source in frontier.told or source not in frontier.unread:
                self._slots.setdefault(source, set()).add(slot)
        if minute.covered:
            self._slots.setdefault(_METERS, set()).add(slot)

    def missing(self, connection: sqlite3.Connection, since: int, until: int) -> dict[str, int]:
        """Return of each source how many ten minutes that start in [since, until) it told of and were not learned."""
        found: dict[str, int] = {}
        for source, slot in _in_ledger(connection, since, until):
            if slot not in self._slots.get(source, ()):
                found[source] = found.get(source, 0) + 1
        return found

    def take_all(self, connection: sqlite3.Connection, since: int, until: int) -> None:
        """Note all that the ledger has of [since, until): it was learned from."""
        for source, slot in _in_ledger(connection, since, until):
            self._slots.setdefault(source, set()).add(slot)

    def forget(self, before: int) -> None:
        """Forget what is older than any learning begins."""
        first = before // SLOT
        self._slots = {source: {each for each in slots if each >= first} for source, slots in self._slots.items()}

    def dump(self) -> dict[str, list[Any]]:
        """Return all of it, for JSON: the first of a source's ten minutes, and which follow as bits."""
        return {
            source: [min(slots), f"{sum(1 << (each - min(slots)) for each in slots):x}"]
            for source, slots in self._slots.items()
            if slots
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what `dump` told of; raise TypeError or ValueError where it is none."""
        for source, (first, content) in state.items():
            bits = int(str(content)[: LEARNS_SECONDS // SLOT], 16)
            self._slots[str(source)] = {int(first) + at for at in range(bits.bit_length()) if bits >> at & 1}


def _in_ledger(connection: sqlite3.Connection, since: int, until: int) -> list[tuple[str, int]]:
    measured = connection.execute(_MEASURED, (since, until, LEAST_COVERED_MS)).fetchall()
    return [*connection.execute(_TOLD, (since, until)).fetchall(), *((_METERS, slot) for (slot,) in measured)]


class Looking:
    """Looks through the ledger for what was not learned from, a day at a time."""

    def __init__(self) -> None:
        self._at = self._until = 0
        self._again_at = 0.0
        self._unread: frozenset[str] | None = None
        self._missing: dict[str, int] = {}

    @property
    def goes_on(self) -> bool:
        """Whether it has not come to the end."""
        return self._at < self._until

    def look(self, reader: Reader, heard: Heard, frontier: Frontier, now: float, deadline: float) -> bool:
        """Go on until `deadline` (monotonic) where it is time to; return whether there is a past to be learned."""
        if not self.goes_on:
            less = self._unread is not None and bool(self._unread - frontier.unread)
            if now < self._again_at and not less:
                return False
            self._until = frontier.closed - _YOUNG_SECONDS
            self._at = frontier.closed - LEARNS_SECONDS
            self._missing, self._unread, self._again_at = {}, frontier.unread, now + LOOKS_SECONDS
            heard.forget(self._at)
        while self.goes_on:
            end = min(self._at + _LOOKED_SECONDS, self._until)
            for source, slots in reader.ask(heard.missing, self._at, end).items():
                self._missing[source] = self._missing.get(source, 0) + slots
            self._at = end
            if time.monotonic() > deadline:
                break
        # Who is still read back is learned from when that is done: of meters it is not said which those are.
        waits = {*(frontier.unread - frontier.told.keys()), *([_METERS] if frontier.unread else ())}
        whole = (slots for source, slots in self._missing.items() if source not in waits)
        return not self.goes_on and max(whole, default=0) >= _LEAST
