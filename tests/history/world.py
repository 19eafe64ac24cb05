"""A small world to record: an engine, its GPU and the machine, the same for the same second."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from infertop.history.accounts import read_accounts
from infertop.history.drops import transaction
from infertop.history.ledger import Ledger
from infertop.history.open import Store, open_store
from infertop.history.recorder import Recorder
from infertop.history.scopes import Scopes
from infertop.history.summary import Key, Totals
from infertop.history.sums import account_sums
from infertop.history.totals import totals_by_key
from infertop.history.upkeep import Limits
from infertop.history.writer import Writer
from infertop.money.derive import Deriver
from infertop.money.lines import Line, Price
from infertop.money.rates import PriceBook
from infertop.money.settings import Settings
from infertop.readings.model import Batch, Buckets, Series
from tests.money.tape import LLAMA, START, VLLM, Gpu, book, host, nvml

INF = float("inf")
BOUNDS = (0.1, 0.5, 1.0, INF)
_ENGINE = (
    Series.of("output_tokens", model=LLAMA),
    Series.of("input_tokens", model=LLAMA),
    Series.of("requests", model=LLAMA, reason="stop"),
    Series.of("running", model=LLAMA),
    Series.of("ttft_seconds", model=LLAMA),
)
_shapes: dict[str, tuple[Series, ...]] = {}


def polls(second: int, restarted_at: int = 10**9) -> Iterator[Batch]:
    """The polls of one second after START; the engine begins anew at `restarted_at`."""
    ts = START + second
    life = second if second < restarted_at else second - restarted_at
    started = float(START - 100 if second < restarted_at else START + restarted_at)
    n = float(life // 2)
    ttft = Buckets(BOUNDS, (float(life // 8), float(life // 4), n, n), n * 0.25)
    values = (life * 40.0, life * 100.0 + 7, n, float(second % 5), ttft)
    yield Batch(VLLM, ts + 0.1234567, _ENGINE, values, started)
    busy = (second % 10) / 10
    yield _kept(replace(nvml(ts + 0.2, Gpu(utilization=busy, holders={VLLM: (70e9, busy)}, joules=second * 300.0))))
    if second % 2 == 0:
        yield _kept(host(ts + 0.3))


def _kept(batch: Batch) -> Batch:
    """The batch with the same `series` object as the source's last one."""
    series = _shapes.setdefault(batch.source, batch.series)
    return replace(batch, series=series if series == batch.series else batch.series)


def deriver() -> Deriver:
    """The real one, with a rented H100."""
    return Deriver(book("2.49"))


def writer(path: Path, ts: float, *, scopes: Scopes | None = None, limits: Limits | None = None) -> Writer:
    """A writer for the database at `path`."""
    return Writer(open_store(path, ts), deriver(), ts, scopes=scopes, limits=limits, version="test")


def record(to: Writer, first: int, last: int, **world: int) -> None:
    """Record the seconds from `first` to before `last`, a tick each."""
    for second in range(first, last):
        to.tick(polls(second, **world), START + second + 0.9)


def rows(path: Path, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """What a query says about the database, read by another connection."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        return connection.execute(query, parameters).fetchall()
    finally:
        connection.close()


LINES = """
    SELECT l.start, l.until, a.source, a.provider, a.model, a.resource, a.dimensions, l.quantity, l.usd_nano, a.price,
        a.basis, a.flags, l.open FROM lines l JOIN accounts a ON a.id = l.account
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 10, 12"""


def ledger(path: Path) -> list[tuple[Any, ...]]:
    """Every line of the ledger."""
    return rows(path, LINES)


class Dearer:
    """Prices that are so many times what they were."""

    def __init__(self, factor: int) -> None:
        self.factor = factor

    def concerns(self, _resource: str) -> bool:
        return True

    def edges(self) -> Sequence[float]:
        return ()

    def outdated(self, _resource: str, _dimensions: object, price: Price | None, _ts: float) -> bool:
        return price is not None

    def even(self, _lines: object) -> Sequence[Any]:
        return ()

    def lines(self, lines: Sequence[Line]) -> list[Line]:
        return [replace(each, usd_nano=each.usd_nano and each.usd_nano * self.factor) for each in lines]


def opened(path: Path, ts: float = START) -> Store:
    """The database as this process may use it."""
    return open_store(path, ts)


def recorded(path: Path, now: float, *batches: Batch) -> None:
    """Let a recorder write these to a database at `now`, at no price of one's own."""
    recorder = Recorder(open_store(path, now), Deriver(PriceBook(Settings())), lambda: now, tick_seconds=0.01)
    recorder.start()
    for batch in batches:
        recorder.put(batch)
    assert recorder.flush()
    recorder.close()


def booked(path: Path, now: float, lines: Sequence[Line], minutes: Iterable[int]) -> None:
    """Write closed lines to a database, and that these minutes (epoch seconds) were recorded whole."""
    store = open_store(path, now)
    assert store.connection is not None
    ledger = Ledger(store.connection)
    ledger.close(lines)
    with transaction(store.connection):
        ledger.write(store.connection)
        covered = [(minute, 60_000) for minute in minutes]
        store.connection.executemany("INSERT OR REPLACE INTO coverage VALUES (?,?)", covered)
    store.close()


def totals(connection: sqlite3.Connection, since: float, until: float = INF) -> dict[Key, Totals]:
    """What each model on each source has in [since, until), from the lines alone."""
    return totals_by_key(account_sums(connection, since, until), read_accounts(connection))
