"""Letters: posted with their events, once, and what became of them known after any end."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infertop.history.open import open_memory, open_store
from infertop.history.outbox import FAILED, KEPT_SECONDS, SENT, WAITING, WITHDRAWN, Entry, Letter, Outbox, prune
from infertop.history.recorder import Recorder
from tests.history.world import deriver, rows, writer

TS = 1_790_000_000.0
ID = "incident usd_per_hour {} opened"


def letter(name: str = ID, **more: Any) -> Letter:
    said: dict[str, Any] = {
        "channel": "webhook",
        "content": {"id": "x", "severity": "critical"},
        "ts": TS,
        "next_at": TS,
    }
    return Letter(name, **{**said, **more})


class Kept:
    """An outbox in a database, and what a new session would find."""

    def __init__(self) -> None:
        store = open_memory("a test")
        assert store.connection is not None
        self.connection: sqlite3.Connection = store.connection
        self.outbox = Outbox(self.connection, TS)

    def write(self) -> None:
        self.outbox.write(self.connection)
        self.outbox.written()

    def again(self, ts: float = TS) -> Outbox:
        self.write()
        self.outbox = Outbox(self.connection, ts)
        return self.outbox


def states(outbox: Outbox) -> list[tuple[str, str]]:
    return [(each.letter.id, each.state) for each in outbox.entries]


def only(outbox: Outbox) -> Entry:
    (entry,) = outbox.entries
    return entry


def test_a_letter_is_posted_once_also_after_it_was_sent_and_after_an_end() -> None:
    kept = Kept()
    for _ in range(2):
        kept.outbox.post(letter())
        assert states(kept.outbox) == [(ID, WAITING)]
        kept.again()
    kept.outbox.attempt([letter().key], "m", TS)
    kept.outbox.sent([letter().key], TS)
    for ts in (TS, TS + 86400):
        kept.again(ts).post(letter())
        assert [each for each in kept.outbox.entries if each.state == WAITING] == []


def test_of_each_channel_one() -> None:
    kept = Kept()
    for channel in ("webhook", "command"):
        kept.outbox.post(letter(channel=channel))
    kept.outbox.sent([(ID, "command")], TS)
    assert {each.letter.channel: each.state for each in kept.again().entries} == {"webhook": WAITING, "command": SENT}


def test_what_was_about_to_be_sent_waits_again_under_its_message() -> None:
    kept = Kept()
    kept.outbox.post(letter())
    kept.outbox.attempt([letter().key], "message-1", TS + 1)
    entry = only(kept.again())
    assert (entry.state, entry.batch, entry.attempts, entry.tried) == (WAITING, "message-1", 1, TS + 1)
    kept.outbox.again([entry.key], "no", TS + 9)
    entry = only(kept.again())
    assert (entry.next_at, entry.error, entry.batch) == (TS + 9, "no", "message-1")


def test_until_it_was_tried_a_later_letter_takes_its_place_and_may_hurry() -> None:
    kept = Kept()
    kept.outbox.post(letter(next_at=TS + 20))
    kept.outbox.post(letter(content={"cause": "volume"}, next_at=TS + 3))
    entry = only(kept.outbox)
    assert (entry.letter.content, entry.next_at) == ({"cause": "volume"}, TS + 3)
    kept.outbox.post(letter(next_at=TS + 30))
    assert only(kept.outbox).next_at == TS + 3
    kept.outbox.attempt([entry.key], "m", TS)
    kept.outbox.post(letter(content={"cause": "later"}))
    assert only(kept.outbox).letter.content != {"cause": "later"}


def test_an_end_is_told_where_the_beginning_was_or_where_it_stands_alone() -> None:
    kept = Kept()
    end = letter("closed", closes=ID, content={"severity": "info"})
    kept.outbox.post(end)
    assert states(kept.outbox) == []
    kept.outbox.post(letter(lasting=True))
    kept.outbox.sent([letter().key], TS)
    assert only(kept.again()).lasting
    kept.outbox.post(end)
    assert states(kept.outbox) == [(ID, SENT), ("closed", WAITING)]
    assert not kept.outbox.entries[0].lasting
    assert kept.outbox.entries[1].letter.content == {"severity": "critical"}
    kept.outbox.post(letter("other closed", closes="other", alone=True))
    assert states(kept.outbox)[-1] == ("other closed", WAITING)


def test_what_was_withdrawn_before_it_was_tried_is_not_told_nor_is_its_end() -> None:
    kept = Kept()
    kept.outbox.post(letter(withdrawn=True))
    assert states(kept.outbox) == []
    for name in ("seen", "tried"):
        kept.outbox.post(letter(name, lasting=True))
    kept.outbox.attempt([("tried", "webhook")], "m", TS)
    for name in ("seen", "tried"):
        kept.outbox.post(letter(name, withdrawn=True))
        kept.outbox.post(letter(name))
        kept.outbox.post(letter(f"{name} closed", closes=name, alone=True))
    assert states(kept.again()) == [("seen", WITHDRAWN), ("tried", WAITING), ("tried closed", WAITING)]


def test_the_end_of_something_that_was_told_long_ago_is_told_too() -> None:
    kept = Kept()
    kept.outbox.post(letter())
    kept.outbox.sent([letter().key], TS)
    later = kept.again(TS + 2 * 86400)
    assert states(later) == []
    later.post(letter("closed", closes=ID))
    assert states(later) == [("closed", WAITING)]


def test_what_failed_waits_again_once_the_channel_is_another() -> None:
    kept = Kept()
    for name, ts in (("old", TS - 9e4), ("new", TS)):
        kept.outbox.post(letter(name, ts=ts))
        kept.outbox.attempt([(name, "webhook")], f"m {name}", TS)
        kept.outbox.failed([(name, "webhook")], "HTTP 404")
    kept.again().revive("command", TS - 86400, TS)
    assert {each.state for each in kept.outbox.entries} == {FAILED}
    kept.outbox.revive("webhook", TS - 86400, TS + 5)
    entry = next(each for each in kept.outbox.entries if each.state == WAITING)
    assert (entry.letter.id, entry.next_at, entry.attempts, entry.batch) == ("new", TS + 5, 0, "m new")


def test_what_is_over_is_let_go_and_later_dropped() -> None:
    kept = Kept()
    kept.outbox.post(letter())
    kept.outbox.post(letter("waits"))
    kept.outbox.post(letter("lasts", lasting=True, ends=TS + 9000))
    kept.outbox.sent([(ID, "webhook"), ("lasts", "webhook")], TS)
    kept.outbox.forget(TS + 5000)
    assert len(kept.outbox.entries) == 3
    kept.write()
    kept.outbox.forget(TS + 5000)
    assert states(kept.outbox) == [("waits", WAITING), ("lasts", SENT)]
    kept.outbox.forget(TS + 9001)
    assert states(kept.again(TS + 9001)) == [("waits", WAITING)]
    prune(kept.connection, TS + KEPT_SECONDS + 1)
    assert kept.connection.execute("SELECT id FROM outbox").fetchall() == [("waits",)]


def test_a_letter_that_cannot_be_read_is_left_out() -> None:
    kept = Kept()
    for name in ("a", "b", "c"):
        kept.outbox.post(letter(name))
    kept.write()
    kept.connection.execute("UPDATE outbox SET content = '{' WHERE id = 'a'")
    kept.connection.execute("UPDATE outbox SET content = '5' WHERE id = 'b'")
    assert [(each.letter.id, each.letter.content.get("id")) for each in kept.again().entries] == [
        ("b", None),
        ("c", "x"),
    ]


def test_any_text_is_a_key() -> None:
    kept = Kept()
    for _ in range(2):
        kept.outbox.post(letter("a\ud800b"))
        kept.write()
    assert states(kept.again()) == [("a?b", WAITING)]


def test_an_event_its_letter_and_its_level_stand_together_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    made = writer(path, TS)
    made.notes.event("e", TS, {"text": "x"})
    made.notes.outbox.post(letter())
    made.notes.level(("b", 0, "80%"), TS)
    assert made.notes.outbox.entries
    tables = ("events", "outbox", "budget_levels")
    assert [rows(path, f"SELECT count(*) FROM {each}")[0][0] for each in tables] == [0, 0, 0]
    made.tick((), TS)
    assert [rows(path, f"SELECT count(*) FROM {each}")[0][0] for each in tables] == [1, 1, 1]
    made.finish(TS)


def test_while_nothing_can_be_written_letters_are_kept_in_memory_and_stored_later(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    made = writer(path, TS)
    made.tick((), TS)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    made.notes.outbox.post(letter())
    made.tick((), TS + 1)
    assert not made.saved
    assert states(made.notes.outbox) == [(ID, WAITING)]
    made.notes.outbox.sent([letter().key], TS + 1)
    other.execute("ROLLBACK")
    other.close()
    made.tick((), TS + 40)
    assert rows(path, "SELECT id, state FROM outbox") == [(ID, SENT)]
    made.finish(TS + 41)


def test_in_a_database_that_is_begun_anew_what_is_under_way_is_stored_too(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    made = writer(path, TS)
    made.notes.outbox.post(letter())
    made.tick((), TS)
    path.unlink()
    made.tick((), TS + 61)
    made.tick((), TS + 122)
    made.tick((), TS + 123)
    assert rows(path, "SELECT id, state FROM outbox") == [(ID, WAITING)]
    made.finish(TS + 124)


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder(open_store(tmp_path / "a.db", TS), deriver(), lambda: TS)


def test_the_recorder_publishes_what_waits_and_takes_what_came_of_it(recorder: Recorder) -> None:
    assert recorder.outbox is None
    recorder.start()
    recorder.put_event("e", TS, {"text": "x"}, [letter()])
    changes: list[Callable[[Outbox], None]] = [
        lambda outbox: outbox.attempt([letter().key], "m", TS),
        lambda outbox: outbox.sent([letter().key], TS),
    ]
    for change, state in ((None, WAITING), (changes[0], WAITING), (changes[1], SENT)):
        if change is not None:
            recorder.mail(change)
        assert recorder.flush()
        assert recorder.outbox is not None
        assert [each.state for each in recorder.outbox] == [state]
    recorder.close()
