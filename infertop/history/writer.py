"""One tick of the history: take what came, derive the ledger, and store it all in one transaction.

Everything is done in memory first and stored after. So nothing is lost while the database cannot be written: the ledger
is derived from every batch, and what waits is stored as soon as that is possible again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

from infertop.history.allowed import allowance_budgets
from infertop.history.bills import mark_all_due
from infertop.history.books import Books
from infertop.history.deriver import Deriver
from infertop.history.drops import file_bytes
from infertop.history.keeper import Keeper
from infertop.history.meta import write_meta
from infertop.history.notes import Notes
from infertop.history.open import Mode, Store
from infertop.history.recalls import Recalled, Span
from infertop.history.reprice import Repricing, reprice
from infertop.history.reprice_stated import reprice_stated
from infertop.history.scopes import Scopes
from infertop.history.settled import settle_due
from infertop.history.stated import Changes
from infertop.history.summarise import Summariser
from infertop.history.summary import Summary
from infertop.history.upkeep import Limits, Upkeep
from infertop.money.rates import PriceBook
from infertop.money.repricing import Repricing as Repriced
from infertop.money.repricing import SeenGpu
from infertop.money.restating import Restating
from infertop.readings.model import Batch

_IDLE_TICKS = 10
_MEMORY_BYTES = 64_000_000


class Writer:
    """The one writer of a store that has a connection. It belongs to one thread; time is given to it.

    Making it derives again what the tape has behind the watermark. `notes` may be added to between two ticks.
    """

    def __init__(
        self,
        store: Store,
        deriver: Deriver,
        ts: float,
        *,
        scopes: Scopes | None = None,
        limits: Limits | None = None,
        version: str = "",
    ) -> None:
        assert store.connection is not None
        limits = limits or Limits()
        if store.mode is Mode.MEMORY:
            limits = replace(limits, db_bytes=min(limits.db_bytes, file_bytes(store.connection) + _MEMORY_BYTES))
        self.notes = Notes(store.connection, ts, version)
        self._books = Books(store.connection, deriver, self.notes, ts, limits.memory_rows)
        self._keeper = Keeper(store, self._books.restart)
        self._upkeep = Upkeep(limits, self._books.tape)
        self._summariser = Summariser(self._books.ledger.accounts.by_id, scopes or Scopes())
        self._scopes = scopes or Scopes()
        self._allowed_of: object = None
        self._works: list[Callable[[sqlite3.Connection], object]] = []
        self._changes = Changes([], [])
        self._load = True
        self._turned = self._kept_up = -1
        self._idle = 0
        self._bytes = 0
        self._note_tick()

    @property
    def saved(self) -> bool:
        """Whether the last tick was stored."""
        return not self._keeper.status

    def tick(self, batches: Iterable[Batch], ts: float) -> Summary:
        """Take the polls that came since the last tick, store what there is to store, and return the sums."""
        self.take(batches)
        self._allow()
        until = self._books.closable(ts)
        if until > self._books.closed:
            self._summariser.close(*self._books.close(until))
        self._books.ledger.replace_open(self._books.deriver.open_lines())
        self._turn(ts)
        status = self._keeper.status
        if self._keeper.run(self._write, ts):
            self._stored(ts)
        self._tell(status, ts)
        self._rest()
        return self._summary(ts)

    def take(self, batches: Iterable[Batch]) -> None:
        """Take polls that are stored with the next tick."""
        for batch in sorted(batches, key=lambda batch: batch.ts):
            self._books.take(batch)
            self._idle = 0

    def apply(self, change: Callable[[Deriver], None]) -> None:
        """Change the deriver before the next poll is taken."""
        self._books.apply(change)

    def recall(self, span: Span, *, gap: bool) -> None:
        """Leave a span of a source's past to the reading back, before the poll at its end is taken."""
        self._books.recall(span, gap=gap)

    def recalled(self, recalled: Recalled) -> None:
        """Take what was read back, in the next transaction."""
        if self._books.recalled(recalled):
            self._works.append(_sums_changed)

    def rescope(self, scopes: Scopes) -> None:
        """Sum by other settings from the next tick on."""
        self._scopes = replace(scopes, allowances=self._scopes.allowances)
        self._allowed_of = None
        self._summariser.rescope(self._scopes)
        self._load = True

    def _allow(self) -> None:
        """Sum by the limits that providers keep too, as they are told."""
        accounts = self._books.accounts.by_source
        if accounts is self._allowed_of:
            return
        self._allowed_of = accounts
        allowed = allowance_budgets(accounts, (each.name for each in self._scopes.settings.budgets))
        if allowed != self._scopes.allowances:
            self._scopes = replace(self._scopes, allowances=allowed)
            self._summariser.rescope(self._scopes)
            self._load = True

    def reprice(self, repricing: Repricing) -> None:
        """Price the closed lines again, in the next transaction."""
        accounts = self._books.ledger.accounts
        self._works.append(lambda connection: reprice(connection, accounts, repricing))

    def set_prices(self, prices: PriceBook, gpus: Mapping[str, SeenGpu], ts: float) -> None:
        """Price by these from `ts` on, and what was before as far as they hold for it; `gpus` are all ever seen."""
        history = self._books.prices.take(prices, ts)
        repricing, restating = Repriced(history, gpus), Restating(history)
        self.apply(lambda deriver: deriver.reprice(repricing))
        self.reprice(repricing)
        accounts, say = self._books.ledger.accounts, self._books.deriver.statement_lines
        self._works.append(lambda connection: reprice_stated(connection, accounts, say, restating))

    def finish(self, ts: float) -> Summary:
        """Store what waits, with all that a restart needs, let go of the database and return the last sums."""
        self._books.mark()
        self._works.append(lambda connection: self.notes.end(connection, ts))
        summary = self.tick((), ts)
        self._keeper.finish()
        return summary

    def _write(self, connection: sqlite3.Connection) -> None:
        self._changes = self._books.write(connection)
        for work in self._works:
            work(connection)
        if self._works:
            mark_all_due(connection)
            settle_due(connection, self._books.ledger.accounts, self._books.closed)
        if self._works or self._changes.new or self._changes.gone or self._books.renamed:
            write_meta(connection, "revision", self._books.tick)

    def _stored(self, ts: float) -> None:
        self._books.written()
        self._load |= bool(self._works) or self._books.renamed
        self._works.clear()
        self._amend(ts)
        self._note_tick()
        if int(ts // 60) != self._kept_up:
            self._kept_up = int(ts // 60)
            self._keep_up(ts)

    def _amend(self, ts: float) -> None:
        """Let the sums follow what statements changed."""
        connection, changes = self._keeper.store.connection, self._changes
        self._changes = Changes([], [])
        if self._load or connection is None or not (changes.new or changes.gone):
            return
        try:
            self._summariser.amend(connection, ts, changes.gone, changes.new)
        except sqlite3.Error as error:
            self._load = True
            self._keeper.failed(error, ts)

    def _keep_up(self, ts: float) -> None:
        connection = self._keeper.store.connection
        assert connection is not None
        self.notes.outbox.forget(ts)
        try:
            for sentence in self._upkeep.run(connection, ts):
                self._event("size", sentence, ts)
            self._bytes = file_bytes(connection)
        except sqlite3.Error as error:
            self._keeper.failed(error, ts)
        self._keeper.look(ts)

    def _turn(self, ts: float) -> None:
        """Ask the database for the sums that are missing."""
        connection = self._keeper.store.connection
        if connection is None or (not self._load and int(ts // 60) == self._turned):
            return
        ask = self._summariser.load if self._load else self._summariser.turn
        try:
            ask(connection, ts, self._books.closed, self._books.ledger.closed)
        except sqlite3.Error as error:
            self._keeper.failed(error, ts)
        else:
            self._load = False
            self._turned = int(ts // 60)

    def _tell(self, before: str, ts: float) -> None:
        status = self._keeper.status
        if status != before:
            self._event("history", status or "history is being written again", ts)

    def _event(self, kind: str, sentence: str, ts: float) -> None:
        level = "warn" if self._keeper.status else "info"
        content = {"ts": ts, "level": level, "kind": kind, "text": sentence, "until": ts}
        self.notes.event(f"{kind}:{ts:.3f}", ts, content)

    def _note_tick(self) -> None:
        lock = self._keeper.store.lock
        if lock is not None:
            lock.note(self._books.tick)

    def _rest(self) -> None:
        self._idle += 1
        if self._idle == _IDLE_TICKS:
            self._keeper.checkpoint()

    def _summary(self, ts: float) -> Summary:
        notices = [*self._keeper.store.notices, self._books.notice]
        return replace(
            self._summariser.summary(ts, self._books.ledger.open_entries(), self._books.covered_ms()),
            tick=self._books.tick,
            told=self.notes.told,
            wishes=self.notes.wishes,
            closed=self._books.closed,
            db_bytes=self._bytes,
            lost_samples=self._books.tape.lost,
            status=self._keeper.status,
            in_memory=self._keeper.store.mode is Mode.MEMORY,
            notices=tuple(each for each in notices if each),
            accounts=self._books.accounts.by_source,
        )


def _sums_changed(_connection: sqlite3.Connection) -> None:
    """Work of nothing: that there is work lets every sum be asked for again, here and by viewers."""
