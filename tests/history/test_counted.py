"""The sums that the exporter's counters are made of."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from infertop.history.compact import compact
from infertop.history.connect import connect, uri
from infertop.history.counted import Counted, Counting
from infertop.history.reader import Reader
from infertop.readings.registry import TOKEN_CLASSES
from tests.history.world import LLAMA, START, VLLM, polls, record, rows, totals, writer

DAY = 86_400
ENGINE = (VLLM, "local", LLAMA)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "infertop.db"


def same_as_the_report(path: Path, counted: Counted) -> None:
    """The sums are those of a report over everything that is closed."""
    reader = Reader(path)
    told = reader.ask(totals, 0, counted.closed)
    reader.close()
    assert {(source, model): used.usd_nano for (source, _, model), used in counted.places.items()} == {
        (source, model or ""): each.usd_nano for (source, model), each in told.items()
    }
    for (source, _, model), used in counted.places.items():
        quantities = told[source, model or None].quantities
        assert used.tokens == {name: n for name, n in quantities.items() if name in TOKEN_CLASSES}
        assert used.requests == quantities.get("requests")


def test_look_by_look_it_is_the_ledger_and_never_falls(path: Path) -> None:
    to = writer(path, START)
    counting, reader = Counting(), Reader(path)
    before: dict[tuple[object, ...], int] = {}
    for second in range(400):
        to.tick(polls(second), START + second + 0.9)
        if second % 7 == 0:
            counted = reader.ask(counting.look)
            now = {(place, "usd"): used.usd_nano or 0 for place, used in counted.places.items()}
            now |= {(place, name): n for place, used in counted.places.items() for name, n in used.tokens.items()}
            assert all(now[key] >= amount for key, amount in before.items())
            before = now
    assert counted == reader.ask(Counting().look)
    to.finish(START + 400)
    assert counted.closed >= START + 300
    assert counted.places[ENGINE].requests == (counted.closed - START - 1) // 2
    reader.close()


def test_it_agrees_with_the_report_to_the_last_unit(path: Path) -> None:
    to = writer(path, START)
    record(to, 0, 200)
    reader, counting = Reader(path), Counting()
    reader.ask(counting.look)
    record(to, 200, 330)
    same_as_the_report(path, reader.ask(counting.look))
    reader.close()
    to.finish(START + 330)


def test_what_only_has_an_open_minute_is_there_with_nothing(path: Path) -> None:
    to = writer(path, START)
    record(to, 0, 20)
    reader, counting = Reader(path), Counting()
    counted = reader.ask(counting.look)
    assert counted.closed <= START
    used = counted.places[ENGINE]
    assert (used.tokens, used.requests, used.unpriced) == ({"input": 0, "output": 0}, 0, None)
    record(to, 20, 100)
    assert reader.ask(counting.look).places[ENGINE].tokens["output"] == 40 * 59
    reader.close()
    to.finish(START + 100)


def test_it_goes_on_after_a_restart(path: Path) -> None:
    to = writer(path, START)
    record(to, 0, 130)
    counting, reader = Counting(), Reader(path)
    first = reader.ask(counting.look)
    to.finish(START + 130)
    to = writer(path, START + 131)
    record(to, 131, 260)
    second = reader.ask(counting.look)
    assert second == reader.ask(Counting().look)
    assert second.places[ENGINE].tokens["output"] > first.places[ENGINE].tokens["output"] > 0
    reader.close()
    to.finish(START + 260)


def test_compaction_changes_nothing(path: Path) -> None:
    to = writer(path, START)
    record(to, 0, 330)
    to.finish(START + 330)
    reader, counting = Reader(path), Counting()
    before = reader.ask(counting.look)
    connection = connect(uri(path, write=True))
    compact(connection, START + 36 * DAY)
    connection.close()
    assert rows(path, "SELECT max(until - start) FROM lines")[0][0] == 3600
    assert reader.ask(counting.look) == reader.ask(Counting().look) == before
    to = writer(path, START + 36 * DAY)
    record(to, 36 * DAY, 36 * DAY + 200)
    after = reader.ask(counting.look)
    assert after == reader.ask(Counting().look)
    assert after.closed > before.closed
    assert (after.places[ENGINE].requests or 0) >= (before.places[ENGINE].requests or 0) > 0
    reader.close()
    to.finish(START + 36 * DAY + 200)


def test_another_database_in_the_place_of_this_one_is_counted_by_itself(path: Path, tmp_path: Path) -> None:
    to = writer(path, START)
    record(to, 0, 130)
    to.finish(START + 130)
    other = tmp_path / "other.db"
    to = writer(other, START + 1000)
    record(to, 1000, 1200)
    to.finish(START + 1200)
    counting, reader = Counting(), Reader(path)
    assert reader.ask(counting.look).places[ENGINE].requests
    reader.close()
    for side in ("-wal", "-shm"):
        path.with_name(path.name + side).unlink(missing_ok=True)
    other.replace(path)
    reader = Reader(path)
    assert reader.ask(counting.look) == reader.ask(Counting().look)
    reader.close()


def test_half_of_a_change_is_never_seen(path: Path) -> None:
    to = writer(path, START)
    record(to, 0, 200)
    to.finish(START + 200)
    counting, reader = Counting(), Reader(path)
    before = reader.ask(counting.look)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    other.execute("UPDATE lines SET usd_nano = usd_nano / 2")
    other.execute("INSERT OR REPLACE INTO meta VALUES ('revision', 'another')")
    assert reader.ask(counting.look) == before
    other.execute("COMMIT")
    other.close()
    after = reader.ask(counting.look)
    assert after == reader.ask(Counting().look)
    assert 0 < (after.places[ENGINE].usd_nano or 0) < (before.places[ENGINE].usd_nano or 0)
    reader.close()
