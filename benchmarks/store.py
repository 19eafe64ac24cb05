"""What recording costs: CPU and disk per sample, from the queue to the closed minute.

    python benchmarks/store.py      exits with 1 where a target is missed

200 series x 120 ticks of a second: a quarter counters, a quarter that moves by whole steps and half random values, all
of which change at every tick. A null ledger is derived: that is measured elsewhere. Targets: 1 microsecond and 22 bytes
a sample. The peer in the same minute is SQLite alone: executemany of the same rows into a table (ts, series, value),
without looking what changed, roll-ups, or anything to query but readings.
"""

from __future__ import annotations

import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from infertop.history.open import open_store
from infertop.history.recorder import Recorder
from infertop.money.lines import Line
from infertop.money.repricing import Repricing
from infertop.money.statement_lines import PricedBefore
from infertop.readings.model import Batch, Series, Statement

SERIES, TICKS, RUNS = 200, 120, 7
START = 1_795_000_020.0
NAMES = tuple(
    Series.of("output_tokens" if i % 4 == 0 else "kv_cache_usage", model=f"model-{i}", rank="0") for i in range(SERIES)
)


class NullLedger:
    """A deriver that counts nothing."""

    def advance(self, batch: Batch) -> None: ...

    def statement_lines(self, statement: Statement, before: PricedBefore | None = None) -> list[Line]:
        return []

    def forget(self, source: str) -> None: ...

    def reprice(self, repricing: Repricing) -> None: ...

    def open_lines(self) -> list[Line]:
        return []

    def close_before(self, ts: float) -> list[Line]:
        return []

    def open_minutes(self) -> list[int]:
        return []

    def coverage_ms(self, minute: int) -> int:
        return 0

    def dump(self) -> dict[str, Any]:
        return {}

    def load(self, state: Mapping[str, Any]) -> None: ...


def plain(path: Path, polls: list[Batch]) -> float:
    """Store the same values with nothing but executemany, a transaction a second, and return the CPU seconds."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    columns = "ts INTEGER, series INTEGER, value REAL, PRIMARY KEY (ts, series)"
    connection.execute(f"CREATE TABLE raw ({columns}) WITHOUT ROWID")
    began = time.process_time()
    for batch in polls:
        ts = int(batch.ts * 1000)
        connection.execute("BEGIN IMMEDIATE")
        rows = [(ts, i, value) for i, value in enumerate(batch.values)]
        connection.executemany("INSERT INTO raw VALUES (?,?,?)", rows)
        connection.execute("COMMIT")
    spent = time.process_time() - began
    connection.close()
    return spent


def batches() -> list[Batch]:
    """Two minutes of one source."""
    chance = random.Random(1)
    made = []
    for tick in range(TICKS):
        values = tuple(
            float(tick * (i + 1)) if i % 4 == 0 else float(tick % 7) if i % 4 == 1 else chance.random() * 1e3
            for i in range(SERIES)
        )
        made.append(Batch("vllm@127.0.0.1:8000", START + tick, NAMES, values, START - 1000.0))
    return made


def record(path: Path, polls: list[Batch]) -> float:
    """Record two minutes, a transaction a second, and return the CPU seconds of put, ticks and roll-ups."""
    now = START
    recorder = Recorder(open_store(path, START), NullLedger(), lambda: now)
    writer = recorder._make(START)
    writer.tick((), START)  # the first tick writes the session and looks for what is due
    began = time.process_time()
    for batch in polls:
        recorder.put(batch)
        now = batch.ts + 0.5
        writer.tick(recorder._take(writer), now)
    writer.tick((), now + 60)  # closes the second minute
    spent = time.process_time() - began
    writer.finish(now + 61)
    return spent


def bytes_used(path: Path) -> tuple[float, float]:
    """Return bytes a sample of the readings alone (a fresh table of the same rows), and of the whole database."""
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT count(*) FROM raw").fetchone()[0]
    try:
        raw = connection.execute("SELECT sum(pgsize) FROM dbstat WHERE name = 'raw'").fetchone()[0]
    except sqlite3.OperationalError:
        raw = float("nan")
    empty = path.with_name("empty.db")
    open_store(empty, START).close()
    whole = os.path.getsize(path) - os.path.getsize(empty)
    connection.close()
    return raw / rows, whole / rows


def main() -> int:
    """Print the figures and return the exit status."""
    polls = batches()
    each = 1e6 / (SERIES * TICKS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peer = statistics.median(plain(folder / f"plain{run}.db", polls) * each for run in range(RUNS))
        ours = sorted(record(folder / f"{run}.db", polls) * each for run in range(RUNS))
        cpu = statistics.median(ours)
        raw, whole = bytes_used(folder / "0.db")
    print(f"executemany alone   {peer:6.2f} us of CPU a sample")
    print(f"recorded            {cpu:6.2f} us of CPU a sample [{ours[0]:.2f}-{ours[-1]:.2f}]  target 1.00")
    print(f"                    {cpu / peer:6.2f} x executemany alone")
    print(f"readings on disk    {raw:6.1f} B a sample")
    print(f"everything on disk  {whole:6.1f} B a sample, minutes included  target 22.0")
    return 0 if ours[0] <= 1.0 and whole <= 22.0 else 1


if __name__ == "__main__":
    sys.exit(main())
