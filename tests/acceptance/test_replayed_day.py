"""A day with a story, replayed at speed: what the events page tells of it, in order and once each."""

from __future__ import annotations

import hashlib
import re
import time
from argparse import Namespace
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from benchmarks import story
from benchmarks.story_traffic import DAY, END, HOUR, IDLE, LAST_DAY, LONG_PROMPTS, MINUTE, NEW_KEY, RESTART
from infertop.commands.replay import played_of
from infertop.commands.replay_feed import ReplayFeed
from infertop.commands.replay_session import ReplaySession
from infertop.commands.setup import setup
from infertop.options import parser
from infertop.views.shapes import Event
from tests.acceptance.program import Program
from tests.acceptance.screen import on_screen
from tests.fakes import FakeClock
from tui.desk import Desk
from tui.look import Look

DAYS = 3
SPEED = 1000
SIZE = (140, 40)


@dataclass
class Shown:
    """An event as the page first showed it in a state, at the replayed time."""

    at: float
    event: Event
    line: str


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("story")
    story.write(made / "story.db", DAYS)
    (made / "story.toml").write_text(story.PRICING)
    return made


def options_of(folder: Path, *words: str) -> Namespace:
    written = ["replay", str(folder / "story.db"), "--pricing", str(folder / "story.toml"), *words]
    return parser(written).parse_args(written)


class Playing:
    """A replay on a desk without a terminal, at a clock that is moved by hand."""

    def __init__(self, folder: Path, detect: bool) -> None:
        self.clock = FakeClock()
        options = options_of(folder, "--speed", str(SPEED))
        ready = replace(setup(options), clock=self.clock)
        played = played_of(ready, options)
        assert not isinstance(played, int)
        played = replace(played, detect=detect)
        self.feed = ReplayFeed(ready, played)
        self.desk = Desk(self.feed, Look())
        self.ready, self.played = ready, played

    async def begin(self) -> ReplaySession:
        self.session = await self.feed.open()
        return self.session

    async def tick(self, seconds: float = 0.0) -> str:
        """Let time pass, and return what the page shows then."""
        self.clock.jump(seconds)
        await self.session.tick()
        await self.session.ahead.settled()
        await self.session.tick()
        self.desk.tick()
        return "\n".join(row.text for row in self.desk.paint(*SIZE))


@pytest.fixture
async def playing(folder: Path, request: pytest.FixtureRequest) -> AsyncIterator[Playing]:
    made = Playing(folder, detect="story" in request.function.__name__)
    await made.begin()
    yield made
    await made.feed.stop()


async def told(playing: Playing) -> list[Shown]:
    """Return what the events page showed in the course of the day, each event once for each of its states."""
    playing.desk.view_page(6)
    found: dict[tuple[str, str], Shown] = {}
    await learned(playing)
    while not playing.session.ended:
        page = await playing.tick(0.3)
        for event in playing.desk.view.events:
            if event.ts >= LAST_DAY:
                line = next((each for each in page.splitlines() if event.text[:24] in each), "")
                shown = Shown(playing.desk.view.at, event, line)
                found.setdefault((event.key, event.state), shown)
    return sorted(found.values(), key=lambda each: each.at)


async def learned(playing: Playing) -> None:
    await playing.tick()
    deadline = time.monotonic() + 60
    while playing.session.ahead.learning or playing.session.ahead.going:
        assert time.monotonic() < deadline
        await playing.tick()


def near(shown: Shown, earliest: float, latest: float) -> bool:
    return LAST_DAY + earliest <= shown.at <= LAST_DAY + latest


async def test_the_events_page_tells_the_days_story_in_order_and_once_each(playing: Playing) -> None:
    shown = await told(playing)
    plot = [each for each in shown if each.event.kind != "budget"]
    said = [(each.event.kind, each.event.state, each.event.scope.get("key") or each.event.metric) for each in plot]
    assert said == [
        ("news", "", "intern-notebook"),
        ("restart", "", ""),
        ("incident", "open", "prod-support"),
        ("incident", "closed", "prod-support"),
        ("incident", "open", "idle_usd_per_hour"),
        ("incident", "closed", "idle_usd_per_hour"),
    ]
    news, restart, prompts, prompts_over, idle, idle_over = plot
    step = 8 * MINUTE
    assert near(news, NEW_KEY, NEW_KEY + step)
    assert near(restart, RESTART, RESTART + step)
    assert near(prompts, LONG_PROMPTS[0], LONG_PROMPTS[0] + HOUR)
    assert near(prompts_over, LONG_PROMPTS[1], LONG_PROMPTS[1] + HOUR)
    assert near(idle, IDLE[0], IDLE[0] + HOUR)
    assert near(idle_over, IDLE[1], IDLE[1] + HOUR)
    assert prompts.event.ts == pytest.approx(LAST_DAY + LONG_PROMPTS[0], abs=10 * MINUTE)
    assert "prod-support" in prompts.line
    assert "prompt tokens" in prompts_over.event.cause
    spent = [each for each in shown if each.event.kind == "budget" and "spent" in each.event.text]
    assert [re.findall(r"\((\d+%)\)", each.event.text) for each in spent] == [["50%"], ["80%"]]
    await goes_back(playing, prompts_over.event)


async def goes_back(playing: Playing, later: Event) -> None:
    """Where the person goes back, what was told later is not shown, and what lasted then lasts, with less excess."""
    playing.session.steer("go", LAST_DAY + 13 * HOUR - playing.session.clock.now())
    page = await playing.tick()
    assert playing.desk.view.at == pytest.approx(LAST_DAY + 13 * HOUR, abs=10 * MINUTE)
    assert "intern-notebook" in page
    assert "prod-support" not in page
    assert "qwen2.5-coder-32b is asked" not in page
    for _ in range(2):
        playing.desk.hour(1)
        await playing.tick()
    await playing.tick(0.3)
    again = next(each for each in playing.desk.view.events if each.key == later.key)
    assert (again.state, again.until) == ("open", None)
    assert 0 < (again.excess_usd or 0) < (later.excess_usd or 0)


async def test_sums_are_those_of_the_replayed_time(playing: Playing) -> None:
    await learned(playing)
    while playing.session.clock.now() < LAST_DAY + 6 * HOUR:
        page = await playing.tick(0.5)
    minute = playing.session.clock.now() // MINUTE * MINUTE
    spent = playing.played.player.reader.ask(
        lambda connection: connection.execute(
            "SELECT sum(usd_nano) FROM lines WHERE start >= ? AND start < ?", (LAST_DAY, minute)
        ).fetchone()[0]
    )
    assert playing.desk.view.headline.today_usd == pytest.approx(spent / 1e9)
    assert f"today {spent / 1e9:.2f}" in page
    assert "REPLAY" in page
    assert "1000x" in page
    assert "Thu 19 Nov 06:" in page


async def test_a_recording_ends_where_it_ends_and_says_so(playing: Playing) -> None:
    await learned(playing)
    playing.session.steer("go", DAY)
    await playing.tick()
    page = await playing.tick(1)
    assert playing.session.ended
    assert playing.session.clock.now() == END
    assert "the recording ends here, Fri 20 Nov 00:00" in page


def test_the_program_replays_a_file_and_leaves_it_and_its_folder_as_they_were(folder: Path, tmp_path: Path) -> None:
    before = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.iterdir()}
    program = Program(tmp_path)
    words = ("replay", str(folder / "story.db"), "--pricing", str(folder / "story.toml"), "--speed", "1000")
    with on_screen(program, *words, "--at", "2026-11-19T13:00Z") as screen:
        screen.shows("REPLAY", "Thu 19 Nov 13:", "gpt-4o", "qwen2.5-coder-32b")
        screen.press("6")
        screen.shows("WHAT AND WHY", "11:20", "vllm@127.0.0.1:8000 was restarted")
        assert screen.leave() == 0
    assert {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.iterdir()} == before
    assert not program.database.exists()
