"""The tape, the roll-ups and the ledger as they grow in memory, and what of them waits to be stored."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from infertop.history.account_notes import KIND, AccountNotes
from infertop.history.accounts import Entry
from infertop.history.bills import mark_due, write_bills
from infertop.history.cells import minute_row, write_minutes
from infertop.history.connect import put
from infertop.history.deriver import Deriver
from infertop.history.hours import HOUR, write_hour
from infertop.history.ledger import Ledger
from infertop.history.meta import Watermark, read_meta, write_meta, write_watermark
from infertop.history.names import write_names
from infertop.history.notes import Notes
from infertop.history.price_log import PriceLog
from infertop.history.recalls import Recalled, Recalls, Span
from infertop.history.recovery import recover
from infertop.history.rollup import MINUTE, Rollups
from infertop.history.settled import settle_due
from infertop.history.stated import Changes, rebook
from infertop.history.tape_writer import TapeWriter
from infertop.readings.account import BillPage, Name
from infertop.readings.model import Batch

GRACE_SECONDS = 15.0


class Books:
    """All that is recorded. Making it goes on where the last session stopped; see `recovery`.

    `closed` is the end of the last closed minute, `tick` the number of the last tick that was stored, `renamed` whether
    it changed what ids are called.
    """

    def __init__(
        self, connection: sqlite3.Connection, deriver: Deriver, notes: Notes, ts: float, memory_rows: int
    ) -> None:
        self.deriver = deriver
        self.notes = notes
        self.tape = TapeWriter(connection, memory_rows)
        self.ledger = Ledger(connection)
        self.prices = PriceLog(connection)
        self._rollups = Rollups()
        self.recalls = Recalls(connection)
        found = recover(connection, deriver, self._rollups, ts, self.recalls)
        self.closed = found.closed
        self.notice = found.notice
        self.tick = int(read_meta(connection, "tick", "0"))
        self._polled = found.last
        self._minutes: list[tuple[Any, ...]] = []
        self._coverage: dict[int, int] = {}
        self._hours = {(found.closed - MINUTE) // HOUR * HOUR} if found.closed else set[int]()
        self._mark = False
        self._bills: list[BillPage] = []
        self._names: list[Name] = []
        self.accounts = AccountNotes()
        self.renamed = False

    def take(self, batch: Batch) -> None:
        """Take one poll. Its time is cut to milliseconds first, so that the tape gives back what was derived from."""
        ts = round(batch.ts * 1000) / 1000
        batch = replace(batch, ts=ts)
        shape = self.tape.add(batch)
        self._rollups.add(shape.source, shape.series, shape.ids, batch.ts, batch.values, batch.started)
        if self.recalls.begins(batch):
            self.deriver.forget(batch.source)
        self.deriver.advance(batch)
        if batch.account:
            self._bills += batch.account.bills
            self._names += batch.account.names or ()
            if (rows := self.accounts.take(batch.source, batch.account, batch.ts)) is not None:
                self.notes.inventory(f"{KIND}{batch.source}", rows)
        self._polled[batch.source] = batch.ts

    def recall(self, span: Span, *, gap: bool) -> None:
        """Leave a span to the reading back; its end is cut to milliseconds as polls are."""
        self.recalls.open(span._replace(until=round(span.until * 1000) / 1000), gap=gap)

    def recalled(self, recalled: Recalled) -> bool:
        """Take lines that were read back, unless their spans are not open any more."""
        good = self.recalls.is_open(recalled.left)
        if good:
            self.ledger.close(recalled.lines)
            self.recalls.take(recalled)
        return good

    def apply(self, change: Callable[[Deriver], None]) -> None:
        """Change the deriver between two polls, its prices for instance.

        The watermark moves here, because what came before must not be derived again under what comes now.
        """
        change(self.deriver)
        self._mark = True

    def mark(self) -> None:
        """Move the watermark with the next tick."""
        self._mark = True

    def closable(self, ts: float) -> int:
        """Return the end of the last minute that is over: every source was polled after it, or it is long past."""
        recent = [polled for polled in self._polled.values() if ts - MINUTE < polled <= ts]
        return int(max(ts - GRACE_SECONDS, min(recent, default=0.0)) // MINUTE * MINUTE)

    def close(self, until: int) -> tuple[list[Entry], dict[int, int]]:
        """Close the minutes that end by `until`; return their lines, and their recorded milliseconds."""
        covered = {minute: ms for minute, ms in self.covered_ms().items() if minute < until}
        self._coverage |= covered
        entries = self.ledger.close(self.deriver.close_before(until))
        cells = self._rollups.close(until)
        self._minutes += [minute_row(*cell, self.tape.encode) for cell in cells]
        self._hours |= {minute // HOUR * HOUR for _, minute, _ in cells}
        self.closed = until
        self._mark = True
        return entries, covered

    def covered_ms(self) -> dict[int, int]:
        """Return the recorded milliseconds of each open minute."""
        return {minute: self.deriver.coverage_ms(minute) for minute in self.deriver.open_minutes()}

    def write(self, connection: sqlite3.Connection) -> Changes:
        """Store all that waits and return what statements changed; call `written` once the transaction stands."""
        touched = self.tape.write(connection)
        changes = rebook(connection, self.ledger.accounts, self.deriver.statement_lines, touched)
        for page in self._bills:
            write_bills(connection, page)
        mark_due(connection, touched)
        self.renamed = bool(self._names) and write_names(connection, self._names)
        settled = settle_due(connection, self.ledger.accounts, self.closed)
        self.prices.write(connection)
        self.ledger.write(connection)
        write_minutes(connection, self._minutes)
        for hour in sorted(self._over()):
            write_hour(connection, hour)
        coverage = self._coverage | self.covered_ms()
        put(connection, "INSERT OR REPLACE INTO coverage VALUES (?,?)", coverage.items())
        self.recalls.write(connection)
        self.notes.write(connection, self.tick + 1)
        write_meta(connection, "tick", self.tick + 1)
        if self._mark or self.tape.torn:
            write_meta(connection, "closed", self.closed)
            write_watermark(connection, Watermark(self.tape.last_seq, self.closed, self.deriver.dump()))
        return Changes(changes.gone + settled.gone, changes.new + settled.new)

    def written(self) -> None:
        """Forget what waited."""
        for part in (self.tape, self.prices, self.ledger, self.notes, self.recalls):
            part.written()
        self._minutes.clear()
        self._bills.clear()
        self._names.clear()
        self._coverage.clear()
        self._hours -= self._over()
        self._mark = False
        self.tick += 1

    def restart(self, ts: float) -> None:
        """Begin again in another, empty database; what waits is stored there."""
        self.tape.restart()
        self.prices.restart()
        self.ledger.restart()
        self.notes.restart(ts)
        self.recalls.restart()
        self._mark = True

    def _over(self) -> set[int]:
        return {hour for hour in self._hours if hour + HOUR <= self.closed}
