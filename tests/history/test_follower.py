"""A viewer beside a recorder."""

from __future__ import annotations

import os
import re
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from infertop.history.follower import Follower
from infertop.history.open import open_store
from infertop.history.scopes import Scopes
from infertop.history.writer import Writer
from infertop.readings.model import Batch
from tests.history.stating import say
from tests.history.test_summary import SETTINGS
from tests.history.world import START, Dearer, deriver, polls, record, writer


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "infertop.db"


def test_a_viewer_has_the_recorders_readings_sums_and_notes(path: Path) -> None:
    scopes = Scopes(SETTINGS)
    to = writer(path, START, scopes=scopes)
    record(to, 0, 100)
    follower = Follower(path, START + 100, scopes)
    first = follower.look(START + 99.9)
    assert len(first.batches) == 250
    for second in (*range(100, 140), *range(140, 300, 7)):
        to.notes.health("nvml", {"state": "up", "second": second})
        to.notes.event(f"e{second}", START + second, {"text": str(second)})
        summary = to.tick(polls(second), START + second + 0.9)
        news = follower.look(START + second + 0.9)
        assert [batch.ts for batch in news.batches] == sorted(round(b.ts, 3) for b in polls(second))
        assert news.health is not None
        assert news.health["nvml"]["second"] == second
        assert news.events == {f"e{second}": {"text": str(second)}}
        notes = {"told": summary.told, "db_bytes": summary.db_bytes, "lost_samples": 0}
        assert replace(news.summary, **notes) == replace(summary, tick=news.summary.tick)  # type: ignore[arg-type]
        assert news.summary.tick == summary.tick
    assert first.recorder.startswith("recorded by process ")
    to.finish(START + 301)
    assert follower.look(START + 302).recorder == "the recorder is gone; what is shown ends with its last tick"
    follower.close()


def test_readings_of_the_last_quarter_of_an_hour_are_there_at_once(path: Path) -> None:
    to = writer(path, START)
    for second in range(0, 2000, 10):
        to.tick(polls(second), START + second + 0.9)
    follower = Follower(path, START + 2000)
    news = follower.look(START + 2000)
    assert START + 1100 <= news.batches[0].ts < START + 1111
    follower.close()
    to.finish(START + 2000)


def test_prices_that_changed_reach_the_viewer(path: Path) -> None:
    to = writer(path, START)
    record(to, 0, 200)
    follower = Follower(path, START + 200)
    before = follower.look(START + 200).summary.today_usd_nano
    to.reprice(Dearer(10))
    to.tick((), START + 200)
    summary = to.tick((), START + 200)
    after = follower.look(START + 200).summary
    assert before is not None
    assert after.today_usd_nano is not None
    assert after.today_usd_nano > 5 * before
    assert after.today_usd_nano == summary.today_usd_nano
    follower.close()
    to.finish(START + 201)


def test_what_is_told_of_a_span_that_is_not_over_is_summed_once_when_it_is(path: Path) -> None:
    to = writer(path, START)
    record(to, 0, 100)
    follower = Follower(path, START + 100)
    end = START + 240
    page = (say(end - 180, 180, {"input": 10**6}, source="openai"),)
    to.tick([Batch("openai", START + 100.5, (), (), statements=page)], START + 100.9)
    told = follower.look(START + 100.9).summary.today_usd_nano
    record(to, 101, 400)
    summary = to.tick((), START + 400)
    news = follower.look(START + 400)
    assert told
    assert news.summary.closed > end
    assert news.summary.today_usd_nano == summary.today_usd_nano
    assert news.summary.minutes == summary.minutes
    follower.close()
    to.finish(START + 401)


def test_a_history_that_was_begun_anew_is_followed(path: Path) -> None:
    to = writer(path, START)
    record(to, 0, 100)
    follower = Follower(path, START + 100)
    follower.look(START + 100)
    path.unlink()
    record(to, 100, 200)
    news = follower.look(START + 200)
    assert news.batches[-1].ts > START + 199
    follower.close()
    to.finish(START + 201)


def test_a_database_that_fails_is_said_and_the_sums_stay(path: Path) -> None:
    to = writer(path, START)
    record(to, 0, 100)
    follower = Follower(path, START + 100)
    before = follower.look(START + 100).summary
    follower._connection.close()
    follower._connection = sqlite3.connect(":memory:", isolation_level=None)
    news = follower.look(START + 105)
    assert news.summary == replace(before, ts=START + 105, status=news.summary.status)
    assert news.summary.status.startswith("the history cannot be read: ")
    follower.close()
    to.finish(START + 201)


def test_a_viewer_says_that_the_recorder_cannot_write_since_when_and_what_to_do(path: Path) -> None:
    store = open_store(path, START)
    assert store.connection is not None
    to = Writer(store, deriver(), START)
    record(to, 0, 30)
    follower = Follower(path, START + 29)
    assert follower.look(START + 30).silent == ""
    store.connection.execute("PRAGMA max_page_count = 1")
    record(to, 30, 60)
    news = follower.look(START + 60)
    assert news.silent.startswith(f"the recorder cannot write since {failed(to)}: disk full at {path}; it goes on once")
    assert news.recorder.endswith("cannot write; what is shown ends with its last tick")
    store.connection.execute("PRAGMA max_page_count = 1000000")
    record(to, 60, 95)
    again = follower.look(START + 95)
    assert again.silent == ""
    assert again.recorder.startswith("recorded by process")
    assert len([each for each in again.batches if each.source == "host"]) > 20  # what it could not write is there
    to.finish(START + 95)
    follower.close()


def failed(to: Writer) -> str:
    """Return since when a writer says that it cannot write."""
    found = re.search(r"since (\S+ UTC)", to.tick((), START + 60).status)
    assert found
    return found[1]


def test_a_viewer_says_that_a_recorder_has_become_silent_or_is_gone(path: Path) -> None:
    to = writer(path, START)
    record(to, 0, 30)
    follower = Follower(path, START + 30)
    assert (follower.look(START + 30).silent, follower.look(START + 33).silent) == ("", "")
    said = follower.look(START + 40).silent
    assert said == (
        f"the recorder has written nothing since 16:00:30 UTC: see what process {os.getpid()} says or waits for"
    )
    to.finish(START + 41)
    follower.look(START + 41)
    assert follower.look(START + 50).silent == (
        "nobody has recorded since 16:00:41 UTC: start infertop record, or infertop again"
    )
    follower.close()
