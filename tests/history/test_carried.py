"""A history that cannot be written is not forgotten: what is measured now stands on top of it, in memory."""

from __future__ import annotations

import resource
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from infertop.history.files import in_the_way, lock_path
from infertop.history.open import Mode, Store, open_store
from infertop.history.outbox import Letter
from infertop.history.writer import Writer
from tests.history.world import LINES, START, deriver, ledger, record, writer

LETTER = Letter("budget all 1 over opened", "webhook", {"id": "x"}, START, START)


@contextmanager
def no_room(size: int = 100) -> Iterator[None]:
    """Let no file grow beyond so many bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A history of some minutes, in which a level was announced and somebody was told."""
    path = tmp_path / "infertop.db"
    made = writer(path, START)
    made.notes.level(("all", 1, "over"), START)
    made.notes.outbox.post(LETTER)
    record(made, 0, 200)
    made.finish(START + 200)
    return path


def in_memory(path: Path, ts: float = START + 230) -> Store:
    with no_room():
        store = open_store(path, ts)
    assert store.mode is Mode.MEMORY
    return store


def lines(store: Store) -> list[tuple[object, ...]]:
    assert store.connection is not None
    return store.connection.execute(LINES).fetchall()


def test_what_is_measured_now_stands_on_what_was_recorded_as_if_it_could_be_written(path: Path) -> None:
    store = in_memory(path)
    shutil.copy(path, path.with_name("copy.db"))
    before = path.read_bytes()
    here = Writer(store, deriver(), START + 230)
    there = writer(path.with_name("copy.db"), START + 230)
    for each in (here, there):
        record(each, 230, 330)
    mine, theirs = here.tick((), START + 330), there.tick((), START + 330)
    assert mine.today_usd_nano == theirs.today_usd_nano
    assert mine.today == theirs.today
    assert (mine.minutes, mine.coverage_today) == (theirs.minutes, theirs.coverage_today)
    assert lines(store) == ledger(path.with_name("copy.db"))
    assert (mine.in_memory, theirs.in_memory) == (True, False)
    assert path.read_bytes() == before
    for each in (here, there):
        each.finish(START + 330)


def test_what_was_announced_and_told_is_known(path: Path) -> None:
    store = in_memory(path)
    made = Writer(store, deriver(), START + 230)
    assert made.notes.told == {("all", 1, "over")}
    made.notes.outbox.post(LETTER)
    assert [each.key for each in made.notes.outbox.entries] == [LETTER.key]
    made.finish(START + 230)


def test_it_is_said_what_counts_and_what_to_do(path: Path) -> None:
    store = in_memory(path)
    assert store.notices == [
        f"history is kept in memory and lost at exit: disk full at {path}",
        f"what {path} has still counts; start again once it can be written, or with another --db",
    ]
    store.close()


def test_a_history_of_before_some_tables_counts_too(path: Path) -> None:
    before = ledger(path)
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript("DROP TABLE outbox; DROP TABLE watched; PRAGMA user_version = 3")
    store = in_memory(path)
    assert lines(store) == before
    store.close()


def test_what_cannot_be_read_either_is_said_to_be_in_no_total(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("ALTER TABLE lines RENAME COLUMN quantity TO amount")
        connection.execute("ALTER TABLE lines ADD COLUMN more")
        connection.commit()
    store = in_memory(path)
    assert store.notices[-1].startswith(f"what {path} has is in no total, because ")
    assert lines(store) == []
    store.close()


def test_what_is_too_old_to_matter_stays_where_it_is(path: Path) -> None:
    store = in_memory(path, START + 41 * 86_400)
    assert lines(store) == []
    store.close()


def test_a_lock_that_finds_no_room_to_note_anything_ends_nothing(path: Path) -> None:
    store = open_store(path, START + 230)
    assert store.lock is not None
    before = lock_path(path).read_bytes()
    with no_room(0):
        store.lock.note(10**6)
        store.lock.fails("full", START)
    assert lock_path(path).read_bytes() == before
    assert in_the_way(path) is None
    store.close()
