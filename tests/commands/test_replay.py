"""The replay's own clock, the words of its times, events as they stood, and what its command refuses."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from argparse import ArgumentTypeError
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from infertop.commands.replay import played_of
from infertop.commands.replay_clock import ReplayClock, next_speed
from infertop.commands.replay_events import Stored, read_events, shown_at
from infertop.commands.replay_feed import ReplayFeed
from infertop.commands.replay_past import read_annals
from infertop.commands.replay_story import Story, Told, is_watched, told_by
from infertop.commands.replay_words import begins_at, day_and_time
from infertop.commands.setup import setup
from infertop.history.connect import uri
from infertop.history.replay import Player
from infertop.history.replay_span import Recorded
from infertop.history.scopes import Scopes
from infertop.money.overlap import Choices
from infertop.money.settings import Settings
from infertop.options import parser
from infertop.views.event_shapes import Event, content_of
from tests.acceptance.program import Program
from tests.fakes import START, FakeClock
from tests.history.world import START as WORLD
from tests.history.world import record, writer

BERLIN = ZoneInfo("Europe/Berlin")
HOUR, DAY = 3600.0, 86_400.0


def test_time_passes_at_its_speed_and_no_further_than_is_known() -> None:
    base = FakeClock()
    clock = ReplayClock(base, 1000.0, 60.0)
    base.jump(5)
    assert clock.now() == 1000.0
    clock.limit = 5000.0
    base.jump(10)
    assert clock.now() == 1600.0
    base.jump(1000)
    assert clock.now() == 5000.0
    clock.limit = 9000.0
    assert clock.now() == 5000.0
    base.jump(1)
    assert clock.now() == 5060.0


def test_time_that_is_held_stands_still_and_speed_holds_from_its_change_on() -> None:
    base = FakeClock()
    clock = ReplayClock(base, 0.0, 10.0)
    clock.limit = 1e9
    base.jump(10)
    clock.hold(True)
    base.jump(100)
    assert clock.now() == 100.0
    clock.hold(False)
    clock.speed = 1000.0
    base.jump(2)
    assert clock.now() == 2100.0
    clock.go(50.0)
    base.jump(2)
    assert clock.now() == 50.0


async def test_whoever_waits_for_a_replayed_time_waits_so_much_shorter() -> None:
    base = FakeClock()
    clock = ReplayClock(base, 0.0, 1000.0)
    clock.limit = 1e9
    base.jump(1)
    await clock.sleep_until(1000.0)
    assert clock.now() == 1000.0


def test_speeds_are_stepped_through_and_end() -> None:
    assert next_speed(1.0, 1) == 2.0
    assert next_speed(1000.0, -1) == 500.0
    assert next_speed(700.0, 1) == 1000.0
    assert next_speed(10_000.0, 1) == 10_000.0


def test_a_replay_begins_with_the_last_day_or_where_it_is_told_to() -> None:
    recorded = Recorded(START, START + 10 * DAY)
    assert begins_at(None, recorded, BERLIN) == (START + 9 * DAY) // 60 * 60
    assert begins_at(None, Recorded(START, START + HOUR), BERLIN) == START
    assert begins_at("7d ago", recorded, BERLIN) == (START + 3 * DAY) // 60 * 60
    assert begins_at("90m", recorded, BERLIN) == (START + 10 * DAY) // 60 * 60 - 5400
    assert day_and_time(begins_at("today", recorded, BERLIN), BERLIN).endswith("00:00")
    assert begins_at("2026-09-25T12:00:00+02:00", recorded, BERLIN) == 1_790_330_400.0


@pytest.mark.parametrize("text", ["30d", "now", "2030-01-01", "yesteryear"])
def test_a_time_that_is_none_or_was_not_recorded_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"nothing was recorded|is no time"):
        begins_at(text, Recorded(START, START + 10 * DAY), BERLIN)


def incident(since: float, until: float | None, **more: object) -> Event:
    event = Event(since, "warn", "incident", "gpt-4o: 2.0x", {"model": "gpt-4o"}, until=until, key="k", excess_usd=30.0)
    return replace(event, state="closed" if until else "open", **more)  # type: ignore[arg-type]


def test_an_incident_is_shown_from_when_it_was_seen_and_open_until_it_was_over() -> None:
    stored = [Stored(incident(START, START + 3 * HOUR), START + 3 * HOUR + 60)]
    assert shown_at(stored, START + 60) == ()
    (half,) = shown_at(stored, START + 1.5 * HOUR)
    assert (half.until, half.state, half.level) == (None, "open", "warn")
    assert half.excess_usd == pytest.approx(15.0)
    assert half.excess_usd_per_hour == pytest.approx(10.0)
    (over,) = shown_at(stored, START + 4 * HOUR)
    assert over == stored[0].event


def test_an_incident_that_lasts_has_no_more_excess_than_by_then() -> None:
    (shown,) = shown_at([Stored(incident(START, None), START + 2 * HOUR)], START + HOUR)
    assert shown.excess_usd == pytest.approx(15.0)
    assert shown.until is None


def test_what_became_of_a_mark_is_not_told_before_it_did() -> None:
    mark = Event(START, "info", "mark", "in all: $/hour", until=START + HOUR)
    (lasting,) = shown_at([Stored(mark, START + HOUR)], START + 0.5 * HOUR)
    assert (lasting.level, lasting.until) == ("warn", None)


def test_events_that_no_version_knows_are_left_out() -> None:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE events (key TEXT, ts REAL, tick INTEGER, content TEXT)")
    good = json.dumps(content_of(incident(START, None, key="")))
    rows = [("a", START, 1, good), ("b", START, 1, "[1"), ("c", START, 1, '{"ts": 1}'), ("d", START, 1, "[]")]
    connection.executemany("INSERT INTO events VALUES (?,?,?,?)", rows)
    assert [each.event.key for each in read_events(connection)] == ["a"]


def test_the_last_that_was_told_by_then_of_each_event_stands() -> None:
    first, second = incident(START, None, value=1.0), incident(START, None, value=2.0)
    told = [Told(START + 60, first), Told(START + 120, second)]
    assert told_by(told, START + 59) == []
    assert told_by(told, START + 119) == [first]
    assert told_by(told, START + 500) == [second]


@pytest.mark.parametrize("text", ["0", "-5", "fast", "20000"])
def test_a_speed_that_is_none_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises((SystemExit, ArgumentTypeError)):
        parser(["replay"]).parse_args(["replay", "--speed", text])
    assert "must" in capsys.readouterr().err


def test_without_a_terminal_or_a_history_it_says_so(tmp_path: Path) -> None:
    program = Program(tmp_path)
    done = program.run("replay", str(tmp_path / "none.db"))
    assert done.returncode == 2
    assert "needs a terminal" in done.stderr
    assert done.stdout == ""


def test_a_database_of_an_older_version_is_replayed_with_its_story(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    to = writer(path, WORLD)
    record(to, 0, 400)
    to.finish(WORLD + 400)
    old = sqlite3.connect(path)
    kept = {"sources", "series", "shapes", "bounds", "polls", "raw", "statements", "minute", "hour", "prices"}
    kept |= {"accounts", "lines", "coverage", "health", "inventory", "events", "budget_levels", "sessions", "meta"}
    tables = [name for (name,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    for name in set(tables) - kept - {"sqlite_stat1", "sqlite_sequence"}:
        old.execute(f"DROP TABLE {name}")
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    player = Player(path)
    annals = player.reader.ask(read_annals)
    assert annals is not None
    assert not player.reader.ask(is_watched)
    step = player.begin(WORLD + 300, Scopes())
    assert step.summary is not None
    assert step.summary.today_usd_nano
    story = Story(uri(path), annals, Settings(), Choices(), WORLD + 300)
    while not story.reach(WORLD + 360, 5.0):
        pass
    assert story.upto == WORLD + 360
    story.close()
    player.close()


DAMAGES = (
    "UPDATE meta SET value = '{\"x\": 1}' WHERE key = 'sources'",
    "UPDATE meta SET value = 'soon' WHERE key = 'closed'",
    "UPDATE series SET labels = '[' ",
    "UPDATE accounts SET dimensions = '{'",
    "UPDATE events SET content = 'null'",
    "UPDATE inventory SET content = '[1, null]'",
    "UPDATE raw SET value = x'00'",
    "UPDATE shapes SET series = x'0102'",
    "UPDATE polls SET ts = ts * 1000000",
)


@pytest.mark.parametrize("damage", DAMAGES)
async def test_a_file_that_anybody_may_have_made_does_not_crash_it(damage: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.db"
    to = writer(path, WORLD)
    record(to, 0, 200)
    to.notes.inventory("sources", [{"name": "nvml", "kind": "nvml", "local": True}])
    to.notes.event("e", WORLD, content_of(incident(WORLD + 10, None)))
    to.tick((), WORLD + 200)
    to.finish(WORLD + 201)
    odd = sqlite3.connect(path)
    odd.execute(damage)
    odd.commit()
    odd.close()
    words = ["replay", str(path), "--speed", "100"]
    options = parser(words).parse_args(words)
    base = FakeClock()
    ready = replace(setup(options), clock=base)
    played = played_of(ready, options)
    if played in (1, 2):
        return
    assert not isinstance(played, int)
    feed = ReplayFeed(ready, played)
    session = await feed.open()
    for _ in range(6):
        await session.tick()
        await session.ahead.settled()
        base.jump(1)
    assert feed.overview().mode == "replay"
    await feed.stop()


async def test_time_goes_on_while_the_story_still_learns_and_its_events_are_filled_in(tmp_path: Path) -> None:
    path = tmp_path / "day.db"
    to = writer(path, WORLD)
    record(to, 0, 1200)
    to.finish(WORLD + 1200)
    words = ["replay", str(path), "--speed", "100", "--at", "15m"]
    options = parser(words).parse_args(words)
    base = FakeClock()
    played = played_of(replace(setup(options), clock=base), options)
    assert not isinstance(played, int)
    feed = ReplayFeed(replace(setup(options), clock=base), played)
    session = await feed.open()
    story = session.story
    assert story is not None
    learns, story.reach = story.reach, lambda upto, seconds: False  # type: ignore[method-assign]
    began = session.clock.now()
    async with asyncio.timeout(10):
        while session.clock.now() < began + 120:
            base.jump(0.2)
            await session.tick()
            await asyncio.sleep(0)
    assert session.how == "100x, learning 0 %"
    assert session.notices[0].startswith("learning what was usual before this (0 %)")
    story.reach = learns  # type: ignore[method-assign]
    await session.ahead.settled()
    await session.tick()
    assert story.caught_up
    assert session.how == "100x"
    assert not session.notices[0].startswith("learning")
    await feed.stop()
