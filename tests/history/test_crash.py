"""Whatever was acknowledged survives kill -9, and the ledger is that of a run without a break."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from infertop.history.open import Mode
from tests.history.world import START, ledger, opened, record, rows, writer

KILLS = 10
CHILD = """
import sys
from pathlib import Path
from tests.history.world import START, polls, writer
path, second = Path(sys.argv[1]), int(sys.argv[2])
to = writer(path, START + second)
while True:
    to.tick(polls(second, restarted_at=1000), START + second + 0.9)
    print(second, flush=True)
    second += 1
"""

MINUTES = """
    SELECT s.metric, s.labels, m.ts, m.n, m.low, m.high, round(m.total, 6), m.last, m.inc, m.resets
    FROM {table} m JOIN series s ON s.id = m.series ORDER BY 1, 2, 3"""


def last_second(path: Path) -> int:
    found = rows(path, "SELECT max(ts) FROM polls")[0][0]
    return -1 if found is None else int(found // 1000) - START


def run_and_kill(path: Path, first: int, seconds: float) -> int:
    """Let a writer record from `first` on, kill it, and return the last second that it acknowledged."""
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(path), str(first)], stdout=subprocess.PIPE, text=True, cwd=os.getcwd()
    )
    assert child.stdout is not None
    said = child.stdout.readline()
    time.sleep(seconds)
    child.send_signal(signal.SIGKILL)
    lines = [said, *child.stdout.readlines()]
    child.stdout.close()
    child.wait()
    whole = [line for line in lines if line.endswith("\n")]
    return int(whole[-1])


def uninterrupted(path: Path, seconds: int) -> None:
    made = writer(path, START)
    record(made, 0, seconds, restarted_at=1000)
    made.finish(START + seconds)


def minutes(path: Path, table: str, before: int) -> list[tuple[Any, ...]]:
    return [row for row in rows(path, MINUTES.format(table=table)) if row[2] < before]


def test_nothing_acknowledged_is_lost_and_the_ledger_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "killed" / "infertop.db"
    chance = random.Random(5)
    second = 0
    for _ in range(KILLS):
        acknowledged = run_and_kill(path, second, chance.uniform(0.0, 0.1))
        stored = last_second(path)
        assert acknowledged <= stored <= acknowledged + 1
        assert rows(path, "PRAGMA integrity_check") == [("ok",)]
        second = stored + 1

    again = writer(path, START + second)
    again.finish(START + second)
    whole = tmp_path / "whole" / "infertop.db"
    uninterrupted(whole, second)
    assert ledger(path) == ledger(whole)
    closed = int(rows(whole, "SELECT value FROM meta WHERE key = 'closed'")[0][0])
    for table in ("minute", "hour"):
        assert minutes(path, table, closed) == minutes(whole, table, closed)
    assert rows(path, "SELECT * FROM coverage") == rows(whole, "SELECT * FROM coverage")
    assert rows(path, "SELECT count(*) FROM sessions WHERE ended IS NULL") == [(KILLS,)]


def test_a_restart_at_any_second_gives_the_ledger_of_a_run_without_one(tmp_path: Path) -> None:
    whole = tmp_path / "whole" / "infertop.db"
    uninterrupted(whole, 200)
    for stop in (1, 59, 60, 61, 75, 119, 133):
        path = tmp_path / str(stop) / "infertop.db"
        first = writer(path, START)
        record(first, 0, stop, restarted_at=1000)
        abandon(first)
        second = writer(path, START + stop)
        record(second, stop, 200, restarted_at=1000)
        second.finish(START + 200)
        assert ledger(path) == ledger(whole)
        assert minutes(path, "minute", START + 180) == minutes(whole, "minute", START + 180)


def abandon(made: Any) -> None:
    """Let go of the files as a process that is killed does, without storing anything."""
    made._keeper.store.close()


def test_a_pause_between_two_sessions_is_one_line_over_the_gap(tmp_path: Path) -> None:
    path = tmp_path / "infertop.db"
    first = writer(path, START)
    record(first, 0, 100)
    first.finish(START + 100)
    second = writer(path, START + 7200)
    record(second, 7200, 7300)
    second.finish(START + 7300)
    gaps = [line for line in ledger(path) if line[11] == "gap"]
    assert {(line[0], line[1]) for line in gaps} == {(START + 99, START + 7201)}
    (tokens,) = [line[7] for line in gaps if line[5] == "output"]
    assert tokens == (7200 - 99) * 40


def test_a_store_that_is_in_use_is_not_recorded_into(tmp_path: Path) -> None:
    path = tmp_path / "infertop.db"
    first = writer(path, START)
    assert opened(path).mode is Mode.VIEWER
    first.finish(START + 1)


def test_a_clock_that_was_set_back_is_said(tmp_path: Path) -> None:
    path = tmp_path / "infertop.db"
    first = writer(path, START)
    record(first, 0, 100)
    first.finish(START + 100)
    second = writer(path, START - 3600)
    summary = second.tick((), START - 3600)
    assert summary.notices == (
        "this machine's clock is 62 minutes behind the last recording; what is read until then may not be counted",
    )
    second.finish(START - 3599)
