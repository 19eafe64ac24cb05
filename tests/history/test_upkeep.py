"""The database stays small."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infertop.history.reader import Reader
from infertop.history.tape import Tape
from infertop.history.upkeep import Limits
from infertop.history.writer import Writer
from infertop.readings.model import Batch, Series
from tests.history.world import LLAMA, START, VLLM, ledger, polls, rows, totals, writer

DAY, HOUR = 86_400, 3600


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "infertop.db"


def spaced(to: Writer, first: int, last: int, step: int) -> None:
    for second in range(first, last, step):
        to.tick(polls(second), START + second + 0.9)


def test_readings_minutes_and_hours_are_dropped_by_their_age_and_the_ledger_is_not(path: Path) -> None:
    to = writer(path, START, limits=Limits(raw=HOUR, minute=2 * HOUR, hour=3 * HOUR))
    spaced(to, 0, 6 * HOUR, 12)
    now = START + 6 * HOUR
    oldest, newest = rows(path, "SELECT min(ts) / 1000, max(ts) / 1000 FROM polls")[0]
    assert now - HOUR - 300 < oldest <= now - HOUR + 60
    assert newest > now - 30
    assert rows(path, "SELECT min(poll) FROM raw") == rows(path, "SELECT min(seq) FROM polls")
    assert now - 3 * HOUR - 120 <= rows(path, "SELECT min(ts) FROM minute")[0][0] <= now - 2 * HOUR
    assert now - 5 * HOUR <= rows(path, "SELECT min(ts) FROM hour")[0][0] <= now - 3 * HOUR
    assert {line[0] for line in ledger(path)} == set(range(START, now, 60))
    to.finish(now)


def test_with_many_sources_readings_are_kept_for_a_shorter_time(path: Path) -> None:
    to = writer(path, START, limits=Limits(raw=DAY, raw_many=600, many_sources=3))
    spaced(to, 0, HOUR, 10)
    assert rows(path, "SELECT min(ts) / 1000 FROM polls")[0][0] > START + HOUR - 800
    to.finish(START + HOUR)


def noisy(second: int) -> Batch:
    """A source with much that changes: 60 series."""
    series = tuple(Series.of("running", model=f"m{i}") for i in range(60))
    return Batch("noisy", float(START + second), series, tuple(float(second * 31 % (i + 2)) + 0.5 for i in range(60)))


def test_beyond_the_limit_the_oldest_readings_are_dropped_then_minutes_and_it_is_said(path: Path) -> None:
    limit = 700_000
    to = writer(path, START, limits=Limits(db_bytes=limit))
    for second in range(0, 3 * HOUR, 5):
        to.tick([*polls(second), noisy(second)], START + second + 0.9)
    assert path.stat().st_size <= limit * 1.25
    assert rows(path, "SELECT min(ts) / 1000 FROM polls")[0][0] > START + HOUR
    assert {line[0] for line in ledger(path)} == set(range(START, START + 3 * HOUR, 60))
    said = [json.loads(content)["text"] for (content,) in rows(path, "SELECT content FROM events ORDER BY ts")]
    assert said[0].startswith("the history has reached --db-limit (0.7 MB): the oldest readings were dropped")
    assert len(said) <= 3
    to.finish(START + 3 * HOUR)


def test_a_ledger_larger_than_the_limit_is_kept_and_that_is_said(path: Path) -> None:
    to = writer(path, START, limits=Limits(db_bytes=100_000))
    spaced(to, 0, 2 * HOUR, 10)
    assert {line[0] for line in ledger(path)} == set(range(START, START + 2 * HOUR, 60))
    (text,) = {
        json.loads(content)["text"] for (content,) in rows(path, "SELECT content FROM events ORDER BY ts DESC LIMIT 1")
    }
    assert text == "the ledger alone is larger than --db-limit (0.1 MB); it is never dropped, so allow more"
    to.finish(START + 2 * HOUR)
    again = writer(path, START + 2 * HOUR)
    spaced(again, 2 * HOUR, 2 * HOUR + 300, 10)
    again.finish(START + 2 * HOUR + 300)
    reader = Reader(path)
    assert reader.ask(totals, START)[VLLM, LLAMA].quantities["output"] == (2 * HOUR + 290) * 40
    reader.close()


def test_series_that_nobody_refers_to_are_forgotten_and_those_alive_are_kept(path: Path) -> None:
    to = writer(path, START, limits=Limits(raw=600, minute=HOUR, hour=HOUR))
    pids = [Series.of("gpu_process_memory_bytes", gpu="GPU-0", pid=str(pid)) for pid in range(30)]
    for step in range(0, 4 * DAY, 600):
        alive = (pids[0], pids[1 + step // 600 % 5] if step < DAY else pids[0])
        series = tuple(dict.fromkeys(alive))
        to.tick([Batch("procs", float(START + step), series, (1.0,) * len(series))], START + step + 0.9)
    found = rows(path, "SELECT labels FROM series")
    assert found == [('{"gpu": "GPU-0", "pid": "0"}',)]
    connection = to._keeper.store.connection
    assert connection is not None
    assert [batch.series for batch in Tape(connection).batches(0)][-1] == (pids[0],)
    to.finish(START + 4 * DAY)
