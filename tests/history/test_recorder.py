"""The recorder's thread."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from infertop.history.open import Mode, Store, open_memory, open_store
from infertop.history.reader import Reader
from infertop.history.recorder import Recorder
from infertop.readings.model import Batch
from tests.history.world import LLAMA, START, VLLM, book, deriver, ledger, polls, rows, totals


class Time:
    """A clock that stands where it is put."""

    ts = float(START)

    def __call__(self) -> float:
        return self.ts


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "infertop.db"


@pytest.fixture
def clock() -> Time:
    return Time()


@pytest.fixture
def recorder(path: Path, clock: Time) -> Iterator[Recorder]:
    made = Recorder(open_store(path, START), deriver(), clock, tick_seconds=0.01, version="1.2.3")
    made.start()
    yield made
    made.close()


def put(recorder: Recorder, clock: Time, first: int, last: int) -> None:
    for second in range(first, last):
        for batch in polls(second):
            recorder.put(batch)
        clock.ts = START + second + 0.9


def test_what_is_handed_over_is_stored_and_summed(recorder: Recorder, clock: Time, path: Path) -> None:
    put(recorder, clock, 0, 130)
    assert recorder.flush()
    assert recorder.summary.today[VLLM, LLAMA].quantities["output"] == 129 * 40
    assert rows(path, "SELECT count(*) FROM polls") == [(130 + 130 + 65,)]


def test_closing_stores_what_is_left_and_lets_another_write(path: Path, clock: Time) -> None:
    recorder = Recorder(open_store(path, START), deriver(), clock, tick_seconds=60.0)
    recorder.start()
    assert recorder.flush()
    put(recorder, clock, 0, 20)
    recorder.close()
    assert rows(path, "SELECT count(*) FROM polls") == [(50,)]
    assert rows(path, "SELECT pid > 0, ended FROM sessions") == [(1, clock.ts)]
    again = open_store(path, START)
    assert again.mode is Mode.WRITER
    again.close()


def test_notes_are_kept_for_viewers(recorder: Recorder, path: Path) -> None:
    recorder.put_health(VLLM, {"state": "up"})
    recorder.put_health(VLLM, {"state": "down", "detail": "\ud800"})
    recorder.put_inventory("gpus", [{"uuid": "GPU-0"}])
    recorder.put_event("budget:all", START + 5.0, {"level": "warn", "text": "80%"})
    recorder.put_event("budget:all", START + 5.0, {"level": "warn", "text": "80%", "until": 9.0})
    recorder.put_news([], [("all", START, "80%")], 5.0)
    assert recorder.flush()
    found = {source: json.loads(content) for source, content in rows(path, "SELECT * FROM health")}
    assert found == {VLLM: {"state": "down", "detail": "\ud800"}}
    assert rows(path, "SELECT * FROM inventory") == [("gpus", '[{"uuid": "GPU-0"}]')]
    events = rows(path, "SELECT key, ts, content FROM events")
    assert events == [("budget:all", START + 5.0, '{"level": "warn", "text": "80%", "until": 9.0}')]
    assert recorder.summary.told == {("all", START, "80%")}


def test_a_level_that_was_told_is_known_after_a_restart(path: Path, clock: Time) -> None:
    for _ in range(2):
        recorder = Recorder(open_store(path, START), deriver(), clock, tick_seconds=0.01)
        recorder.start()
        recorder.put_news([], [("all", START, "over")], 5.0)
        assert recorder.flush()
        assert recorder.summary.told == {("all", START, "over")}
        recorder.close()
    assert rows(path, "SELECT count(*) FROM budget_levels") == [(1,)]


def test_orders_take_effect_between_the_polls_they_were_given_between(path: Path, clock: Time) -> None:
    recorder = Recorder(open_store(path, START), deriver(), clock, tick_seconds=60.0)
    put(recorder, clock, 0, 60)
    recorder.apply(lambda each: setattr(each, "prices", book("249")))
    put(recorder, clock, 60, 180)
    recorder.start()
    recorder.close()
    costs = [
        sum(line[8] or 0 for line in ledger(path) if line[0] == START + minute) / 1e9 * 60 for minute in (0, 60, 120)
    ]
    # polls are at 0.2 s: the last 0.8 s of the first minute are priced when the first poll after it is taken
    assert costs == pytest.approx([(59 * 2.49 + 0.8 * 249) / 60, 249, 59.2 / 60 * 249], rel=1e-6)


def test_a_poll_whose_values_do_not_fit_its_series_is_refused(recorder: Recorder) -> None:
    good = next(polls(0))
    with pytest.raises(ValueError, match=r"vllm@127.0.0.1:8000 has 5 series and 1 values"):
        recorder.put(Batch(good.source, good.ts, good.series, good.values[:1]))


def test_a_viewers_store_cannot_be_recorded_into(path: Path, recorder: Recorder, clock: Time) -> None:
    viewer = open_store(path, START)
    with pytest.raises(ValueError, match="a viewer of the history cannot record"):
        Recorder(viewer, deriver(), clock)


def test_in_memory_it_can_be_read_while_it_is_written(clock: Time) -> None:
    store = open_memory("/x cannot be written")
    recorder = Recorder(store, deriver(), clock, tick_seconds=0.01)
    recorder.start()
    put(recorder, clock, 0, 130)
    assert recorder.flush()
    reader = Reader(recorder.uri)
    assert reader.ask(totals, START)[VLLM, LLAMA].quantities["output"] == 129 * 40
    slow = reader._connection.execute("SELECT ts FROM polls")
    slow.fetchone()  # a question in the middle of its answer
    put(recorder, clock, 130, 140)
    assert recorder.flush()
    slow.close()
    assert recorder.summary.notices == ("history is kept in memory and lost at exit: /x cannot be written",)
    reader.close()
    recorder.close()


def test_a_bug_in_the_recorder_is_loud_and_the_screen_says_that_history_stopped(
    path: Path, clock: Time, monkeypatch: pytest.MonkeyPatch
) -> None:
    loud: list[type[BaseException]] = []
    done = threading.Event()

    def hook(args: threading.ExceptHookArgs) -> None:
        loud.append(args.exc_type)
        done.set()

    monkeypatch.setattr(threading, "excepthook", hook)
    recorder = Recorder(open_store(path, START), deriver(), clock, tick_seconds=0.01)
    recorder.apply(lambda _deriver: 1 / 0)
    recorder.start()
    assert done.wait(5)
    assert loud == [ZeroDivisionError]
    assert recorder.summary.status == "history stopped: ZeroDivisionError in the recorder; live figures go on"
    recorder.close()


def test_an_error_that_is_the_programs_fault_is_not_taken_for_the_disks(path: Path, clock: Time) -> None:
    store: Store = open_store(path, START)
    recorder = Recorder(store, deriver(), clock)
    assert store.connection is not None
    store.connection.execute("DROP TABLE coverage")
    store.connection.execute("CREATE TABLE coverage (minute TEXT CHECK (minute IS NULL), ms)")
    for batch in (*polls(0), *polls(1)):
        recorder.put(batch)
    writer = recorder._make(START)
    with pytest.raises(sqlite3.IntegrityError):
        writer.tick(recorder._take(writer), START + 1.9)
    store.close()
