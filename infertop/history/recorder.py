"""The recorder: a thread that writes what the loops hand over, once a second, and publishes the ledger's sums."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from queue import Empty, SimpleQueue
from typing import NamedTuple

from infertop.history.deriver import Deriver
from infertop.history.notes import Content, Level
from infertop.history.open import Mode, Store
from infertop.history.outbox import Entry, Letter, Outbox
from infertop.history.recalls import Recalled, Span
from infertop.history.scopes import Scopes
from infertop.history.summary import Summary
from infertop.history.upkeep import Limits
from infertop.history.watch_state import Known, Wish
from infertop.history.writer import Writer
from infertop.money.rates import PriceBook
from infertop.money.repricing import SeenGpu
from infertop.readings.model import Batch

TICK_SECONDS = 1.0
_MOST_BATCHES = 20_000

_Order = Callable[[Writer], None]


class News(NamedTuple):
    """An event, or what became of the one with the same key, fit for JSON, and whom to tell of it."""

    key: str
    content: Content
    letters: Sequence[Letter] = ()


class Recorder:
    """Records into a store that this process may write. Every method may be called from any thread.

    `summary` and `outbox` are replaced after each tick. Nothing here waits for the disk, except `flush` and `close`.
    """

    def __init__(
        self,
        store: Store,
        deriver: Deriver,
        now: Callable[[], float],
        *,
        scopes: Scopes | None = None,
        limits: Limits | None = None,
        version: str = "",
        tick_seconds: float = TICK_SECONDS,
    ) -> None:
        if store.mode not in (Mode.WRITER, Mode.MEMORY):
            raise ValueError(f"a {store.mode} of the history cannot record")
        self.summary = Summary(ts=now(), notices=tuple(store.notices), in_memory=store.mode is Mode.MEMORY)
        self.outbox: tuple[Entry, ...] | None = None  # until it has been read
        self.uri = store.uri
        self._store = store
        self._now = now
        self._make = partial(Writer, store, deriver, scopes=scopes, limits=limits, version=version)
        self._tick_seconds = tick_seconds
        self._queue: SimpleQueue[Batch | _Order] = SimpleQueue()
        self._wake = threading.Event()
        self._stop = False
        self._done: list[threading.Event] = []
        self._dropped = 0
        self._thread = threading.Thread(target=self._run, name="infertop-recorder", daemon=True)

    def start(self) -> None:
        """Begin: first what the last session left is derived, then every tick what has come."""
        self._thread.start()

    def put(self, batch: Batch) -> None:
        """Hand over a poll; raise ValueError where series and values do not fit together."""
        if len(batch.series) != len(batch.values):
            raise ValueError(f"{batch.source} has {len(batch.series)} series and {len(batch.values)} values")
        self._queue.put(batch)
        if self._queue.qsize() > _MOST_BATCHES:
            self._drop_one()

    def put_health(self, source: str, content: Content) -> None:
        """Note how the polls of a source go, fit for JSON."""
        self._order(lambda writer: writer.notes.health(source, content))

    def put_inventory(self, kind: str, rows: Sequence[Content]) -> None:
        """Note all there is of a kind ("gpus", "processes", "models", "placement"), fit for JSON."""
        self._order(lambda writer: writer.notes.inventory(kind, rows))

    def put_event(self, key: str, ts: float, content: Content, letters: Sequence[Letter] = ()) -> None:
        """Note an event, or what became of the one with the same key, fit for JSON, and whom to tell of it."""
        self.put_news([News(key, content, letters)], (), ts)

    def mail(self, change: Callable[[Outbox], None]) -> None:
        """Note what became of letters; `outbox` has it with the next tick, which is at once."""
        self._order(lambda writer: change(writer.notes.outbox))
        self._wake.set()

    def put_news(self, news: Sequence[News], levels: Sequence[Level], ts: float) -> None:
        """Note events, whom to tell of them, and the budget levels that they announce, all in one transaction.

        `Summary.told` has the levels from then on.
        """

        def note(writer: Writer) -> None:
            for each in news:
                writer.notes.event(each.key, ts, each.content)
                for letter in each.letters:
                    writer.notes.outbox.post(letter)
            for level in levels:
                writer.notes.level(level, ts)

        self._order(note)
        if any(each.letters for each in news):
            self._wake.set()

    def put_watched(self, known: Sequence[Known], heard: Sequence[Wish]) -> None:
        """Note what is known of watched figures, all in one transaction, and which of the wishes were heard."""
        self._order(lambda writer: writer.notes.watched(known, heard))

    def recall(self, span: Span, *, gap: bool) -> None:
        """Leave a span to the reading back; with `gap` the poll at its end, handed over next, is a first one again."""
        self._order(lambda writer: writer.recall(span, gap=gap))

    def put_recalled(self, recalled: Recalled) -> None:
        """Hand over what was read back."""
        self._order(lambda writer: writer.recalled(recalled))

    def apply(self, change: Callable[[Deriver], None]) -> None:
        """Change the deriver (its prices, for instance) between two polls, in the recorder's thread."""
        self._order(lambda writer: writer.apply(change))

    def rescope(self, scopes: Scopes) -> None:
        """Sum by other settings: time zone, budgets, [[assign]]."""
        self._order(lambda writer: writer.rescope(scopes))

    def set_prices(self, prices: PriceBook, gpus: Mapping[str, SeenGpu]) -> None:
        """Price by these from now on, and what was before as far as they hold for it; `gpus` are all ever seen."""
        self._order(lambda writer: writer.set_prices(prices, gpus, self._now()))

    def flush(self, timeout: float = 5.0) -> bool:
        """Wait until all that was handed over has been through a tick; return whether it is stored."""
        done = threading.Event()
        self._order(lambda _writer: self._done.append(done))
        self._wake.set()
        return done.wait(timeout) and not self.summary.status

    def close(self, timeout: float = 10.0) -> None:
        """Store what is left and let go of the database."""
        self._stop = True
        self._wake.set()
        if self._thread.ident is None:
            self._store.close()
        else:
            self._thread.join(timeout)

    def _order(self, order: _Order) -> None:
        self._queue.put(order)

    def _run(self) -> None:
        try:
            self._record(self._make(self._now()))
        except BaseException as error:
            # The thread's end is reported by threading.excepthook; the screen must not look as if all were well.
            status = f"history stopped: {type(error).__name__} in the recorder; live figures go on"
            self.summary = replace(self.summary, status=status)
            raise

    def _record(self, writer: Writer) -> None:
        stopping = False
        while not stopping:
            stopping = self._stop
            batches = self._take(writer)
            summary = writer.tick(batches, self._now())
            self.outbox = writer.notes.outbox.entries
            self._publish(summary)
            if not stopping:
                self._wake.wait(self._tick_seconds)
                self._wake.clear()
        self._publish(writer.finish(self._now()))

    def _take(self, writer: Writer) -> list[Batch]:
        """Return the polls behind the last order; those before it are taken first, so that their order stands."""
        batches: list[Batch] = []
        for item in self._waiting():
            if isinstance(item, Batch):
                batches.append(item)
            else:
                writer.take(batches)
                batches = []
                item(writer)
        return batches

    def _waiting(self) -> list[Batch | _Order]:
        items: list[Batch | _Order] = []
        while True:
            try:
                items.append(self._queue.get_nowait())
            except Empty:
                return items

    def _publish(self, summary: Summary) -> None:
        lost = summary.lost_samples + self._dropped
        self.summary = replace(summary, lost_samples=lost) if self._dropped else summary
        for done in self._done:
            done.set()
        self._done.clear()

    def _drop_one(self) -> None:
        """Drop the oldest poll that waits, where the thread hangs in the disk; counters make up for it later."""
        try:
            item = self._queue.get_nowait()
        except Empty:
            return
        if isinstance(item, Batch):
            self._dropped += len(item.values)
        else:
            self._queue.put(item)
