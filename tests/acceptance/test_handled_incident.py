"""An incident that a recorder found is acknowledged and called planned by who only looks on, and stays so."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from random import Random

from infertop.history.meta import write_meta
from tests.acceptance.program import Program, stop
from tests.acceptance.screen import Screen, on_screen
from tests.commands.watched_world import MINUTE, World

KEY = "prod-support"
HOURS, SURGE_MINUTES = 5, 25
PROMPT_TOKENS, SURGE_TIMES = 40_000, 5
NANO_A_TOKEN = 2500
PRICING = """\
[model."gpt-4o"]
input = 2.50
output = 10.00
[alert]
floor_usd = 1
"""
SECONDS, YOUNG_SECONDS = 60.0, 45.0
GLYPHS = {"open": "!", "acknowledged": "○", "planned": "◌"}


def write_history(database: Path) -> None:
    """Write hours of two keys up to this minute, of which one costs five times as much since a while."""
    now = int(time.time() // MINUTE * MINUTE)
    surge, dice = now - SURGE_MINUTES * MINUTE, Random(1)
    world = World(database.with_name("written.db"), now - HOURS * 3600)
    while world.until < now:
        longer = SURGE_TIMES if world.until >= surge else 1
        lines: dict[int, tuple[int, int | None]] = {}
        for key, times in ((KEY, longer), ("others", 1)):
            tokens = round(PROMPT_TOKENS * times * dice.uniform(0.9, 1.1))
            lines[world.account("gpt-4o", "input", key=key)] = (tokens, tokens * NANO_A_TOKEN)
            lines[world.account("gpt-4o", "requests", price=None, key=key)] = (20, None)
        world.minute(lines)
    write_meta(world.connection, "closed", world.until)
    with sqlite3.connect(database) as target:
        world.connection.backup(target)
    target.close()
    world.connection.close()


def record(infertop: Program) -> subprocess.Popen[str]:
    """Start a recorder, and return once it writes."""
    recorder = infertop.record("--pricing", "pricing.toml")
    assert recorder.stderr is not None
    assert "recording" in recorder.stderr.readline()
    return recorder


def stored(infertop: Program) -> set[str]:
    """The states of incidents as the recorder stored them."""
    connection = sqlite3.connect(f"file:{infertop.database}?mode=ro", uri=True)
    contents = [json.loads(content) for (content,) in connection.execute("SELECT content FROM events")]
    connection.close()
    return {content["state"] for content in contents if content["kind"] == "incident"}


def is_kept(screen: Screen, infertop: Program, state: str) -> Callable[[], bool]:
    """Say whether the page's row shows a state, and the history has it."""
    return lambda: f"{GLYPHS[state]} {state} " in screen.text and stored(infertop) == {state}


def in_a_young_minute() -> None:
    """Wait for a minute that is young enough: what was not recorded of one is not judged before the next two."""
    while time.time() % MINUTE > YOUNG_SECONDS:
        time.sleep(0.1)


def test_a_viewers_word_reaches_the_recorder_and_outlives_it(infertop: Program) -> None:
    infertop.database.parent.mkdir(parents=True)
    (infertop.folder / "pricing.toml").write_text(PRICING)
    in_a_young_minute()
    write_history(infertop.database)
    recorder = record(infertop)
    with on_screen(infertop, "--pricing", "pricing.toml", "--no-discovery") as screen:
        screen.shows("viewer: ")
        screen.press("6")
        screen.shows("! open ", KEY)
        screen.press("\x1b[H")
        screen.press("a")
        screen.shows("acknowledged, as soon as the recorder hears of it")
        screen.until(is_kept(screen, infertop, "acknowledged"), SECONDS)
        screen.press("P")
        screen.until(is_kept(screen, infertop, "planned"), SECONDS)

        recorder.kill()
        recorder.wait(10)
        again = record(infertop)
        screen.press("a")
        screen.until(is_kept(screen, infertop, "acknowledged"), SECONDS)
        screen.press("a")
        screen.until(is_kept(screen, infertop, "open"), SECONDS)
        assert screen.leave() == 0
    assert stop(again, 15)[0] == 0
