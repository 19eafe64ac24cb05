"""The disk does not play along: what is said, what goes on, and that nothing of the ledger is lost."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from infertop.history.deriver import Deriver
from infertop.history.open import Store, open_store
from infertop.history.upkeep import Limits
from infertop.history.writer import Writer
from tests.history.world import START, deriver, ledger, polls, record, rows, writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "infertop.db"


@pytest.fixture
def whole(tmp_path: Path) -> list[tuple[object, ...]]:
    """The ledger of 300 seconds without any trouble."""
    made = writer(tmp_path / "whole.db", START)
    record(made, 0, 300)
    made.finish(START + 300)
    return ledger(tmp_path / "whole.db")


def made_on(path: Path) -> tuple[Writer, Store]:
    store = open_store(path, START)
    return Writer(store, deriver(), START), store


def test_a_full_disk_pauses_the_history_and_nothing_of_the_ledger_is_lost(
    path: Path, whole: list[tuple[object, ...]]
) -> None:
    to, store = made_on(path)
    assert store.connection is not None
    record(to, 0, 30)
    pages = store.connection.execute("PRAGMA page_count").fetchone()[0]
    store.connection.execute(f"PRAGMA max_page_count = {pages}")
    record(to, 30, 200)
    summary = to.tick((), START + 200)
    assert summary.status.endswith(", and it does once there is space again")
    assert summary.status.startswith(f"history paused since 16:00:44 UTC: disk full at {path}; live figures go on")
    assert summary.minutes[-1].start == START + 180
    assert sum(totals.quantities.get("output", 0) for totals in summary.today.values()) == 199 * 40
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    store.connection.execute("PRAGMA max_page_count = 1000000")
    record(to, 200, 300)
    assert to.finish(START + 300).status == ""
    assert ledger(path) == whole
    events = [json.loads(content) for (content,) in rows(path, "SELECT content FROM events ORDER BY ts")]
    assert (events[0]["level"], events[-1]["level"]) == ("warn", "info")
    assert "disk full" in events[0]["text"]
    assert events[-1]["text"] == "history is being written again"
    assert START + 30 <= events[0]["ts"] < events[-1]["ts"]


def test_while_paused_it_is_tried_again_ever_more_rarely(path: Path) -> None:
    to, store = made_on(path)
    assert store.connection is not None
    record(to, 0, 5)
    tried: list[int] = []
    now = 0

    def count(statement: str) -> None:
        if statement.startswith("BEGIN"):
            tried.append(now)

    store.connection.execute("PRAGMA max_page_count = 1")
    store.connection.set_trace_callback(count)
    for now in range(5, 125):
        to.tick(polls(now), START + now + 0.9)
    waits = [after - before for before, after in pairwise(tried)]
    assert waits[-1] == 30
    assert waits == sorted(waits)
    store.close()


def test_a_lock_held_by_another_program_is_waited_for(path: Path, whole: list[tuple[object, ...]]) -> None:
    to, _ = made_on(path)
    record(to, 0, 100)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    record(to, 100, 102)
    summary = to.tick((), START + 102)
    assert f"{path} is locked by another program; live figures go on" in summary.status
    other.execute("ROLLBACK")
    other.close()
    record(to, 102, 300)
    assert to.finish(START + 300).status == ""
    assert ledger(path) == whole


def test_a_reader_that_stays_does_not_hold_up_the_writer(path: Path) -> None:
    to, _ = made_on(path)
    record(to, 0, 10)
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    before = reader.execute("SELECT count(*) FROM polls").fetchone()
    record(to, 10, 60)
    assert to.tick((), START + 60).status == ""
    assert reader.execute("SELECT count(*) FROM polls").fetchone() == before
    reader.close()
    to.finish(START + 61)
    assert not Path(f"{path}-wal").exists()


def test_an_idle_history_empties_its_log(path: Path) -> None:
    to, _ = made_on(path)
    record(to, 0, 100)
    assert os.path.getsize(f"{path}-wal") > 100_000
    for second in range(100, 111):
        to.tick((), START + second)
    assert os.path.getsize(f"{path}-wal") < 20_000
    to.finish(START + 120)


def test_what_waits_is_bounded_and_what_is_dropped_is_counted_but_not_its_ledger(
    path: Path, whole: list[tuple[object, ...]]
) -> None:
    store = open_store(path, START)
    to = Writer(store, deriver(), START, limits=Limits(memory_rows=200))
    assert store.connection is not None
    record(to, 0, 30)
    store.connection.execute("PRAGMA max_page_count = 1")
    record(to, 30, 250)
    summary = to.tick((), START + 250)
    assert summary.lost_samples > 500
    store.connection.execute("PRAGMA max_page_count = 1000000")
    record(to, 250, 300)
    assert to.finish(START + 300).status == ""
    assert ledger(path) == whole
    again = writer(path, START + 300)  # the watermark moved over the hole: nothing is derived from half a tape
    again.finish(START + 300)
    assert ledger(path) == whole


def test_a_database_damaged_while_in_use_is_moved_aside_and_recording_goes_on(path: Path) -> None:
    to, store = made_on(path)
    record(to, 0, 100)
    assert store.connection is not None
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    with path.open("r+b") as file:
        file.write(b"\xff" * os.path.getsize(path))
    store.connection.execute("PRAGMA shrink_memory")
    record(to, 100, 300)
    summary = to.finish(START + 300)
    assert summary.status == ""
    assert "was damaged; it is now infertop.db.corrupt-" in summary.notices[-1]
    assert rows(path, "PRAGMA integrity_check") == [("ok",)]
    assert rows(path, "SELECT count(*) FROM sessions") == [(1,)]
    seconds = {int(ts // 1000) - START for (ts,) in rows(path, "SELECT ts FROM polls")}
    assert seconds >= set(range(101, 300))
    assert sum(line[7] for line in ledger(path) if line[5] == "output") >= 200 * 40


def test_a_file_that_is_removed_while_in_use_is_begun_anew(path: Path) -> None:
    to, _ = made_on(path)
    record(to, 0, 100)
    path.unlink()
    record(to, 100, 300)
    summary = to.finish(START + 300)
    assert "was removed while in use" in summary.notices[-1]
    assert {line[0] for line in ledger(path)} >= {START + 180, START + 240}
    assert sum(totals.quantities.get("output", 0) for totals in summary.today.values()) == 299 * 40


IO_ERROR = """
import resource, signal, sys
from pathlib import Path
from infertop.history.open import open_store
from infertop.history.writer import Writer
from tests.history.world import START, deriver, record
to = Writer(open_store(Path(sys.argv[1]), START), deriver(), START)
record(to, 0, 30)
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
record(to, 30, 250)
print(to.tick((), START + 250).status)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
record(to, 250, 300)
print(to.finish(START + 300).status or "all is well")
"""


def test_a_disk_that_fails_pauses_the_history_until_it_works_again(path: Path, whole: list[tuple[object, ...]]) -> None:
    found = subprocess.run(
        [sys.executable, "-c", IO_ERROR, str(path)], capture_output=True, text=True, check=False, cwd=os.getcwd()
    )
    first, last = found.stdout.splitlines() or [found.stderr, ""]
    assert first.startswith("history paused since 16:00:30 UTC: the disk under ")
    assert first.endswith("; live figures go on, and it does once the disk works again")
    assert last == "all is well"
    assert ledger(path) == whole


class Unloadable:
    """A deriver that cannot use what another version saved."""

    def __new__(cls) -> Deriver:
        made = deriver()
        made.load = lambda _state: (_ for _ in ()).throw(ValueError("it has version 9"))  # type: ignore[method-assign]
        return made


def test_a_saved_state_that_cannot_be_used_is_said_and_recording_goes_on(path: Path) -> None:
    first = writer(path, START)
    record(first, 0, 100)
    first.finish(START + 100)
    before = ledger(path)
    to = Writer(open_store(path, START + 100), Unloadable(), START + 100)
    record(to, 100, 200)
    summary = to.finish(START + 200)
    assert any("the ledger's saved state cannot be used (it has version 9)" in each for each in summary.notices)
    assert [line for line in ledger(path) if line[0] == START] == [line for line in before if line[0] == START]
    assert {line[0] for line in ledger(path)} == {START, START + 60, START + 120, START + 180}
