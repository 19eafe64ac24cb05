"""What logs, gateways and providers tell of times in which nobody recorded is what is usual, whenever it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infertop.money.detect.fault import Figure
from infertop.money.detect.scopes import USD
from tests.commands.watched_traffic import RULE
from tests.commands.watched_world import MINUTE, MONDAY, World

HOUR = 3600
LOG = "claude-code"
BEGIN = MONDAY + 6 * HOUR
WATCHED_FROM = MONDAY + 31 * HOUR + 600  # 07:10 of the day after
STEP_AT = MONDAY + 32 * HOUR


def office(ts: int) -> float:
    """Times what is used at night, from 8 to 18."""
    return 12.0 if 8 <= ts % 86400 / HOUR < 18 else 1.0


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "infertop.db", begin=BEGIN)
    made.tells = False
    made.asked = replace(made.asked, rule=RULE, logs=frozenset({LOG}))
    return made


def told(world: World, times: float, covered_ms: int = 0) -> None:
    """A minute of which a log tells, also where nobody recorded."""
    number = world.account("claude", "input", source=LOG)
    world.minute({number: (round(10_000 * times), round(0.05e9 * times))}, covered_ms)


def past(world: World, until: int = WATCHED_FROM, times: Callable[[int], float] = office) -> None:
    while world.until < until:
        told(world, times(world.until))


def live(world: World, until: int, times: Callable[[int], float] = office) -> None:
    while world.until < until:
        told(world, times(world.until), covered_ms=60_000)
        world.watch()


def test_what_a_log_told_of_the_days_before_the_first_start_is_usual(world: World) -> None:
    past(world)
    live(world, STEP_AT + 40 * MINUTE)
    assert world.opened() == []


def test_the_same_rise_at_another_hour_is_told_with_the_whole_past(world: World) -> None:
    past(world)
    live(world, STEP_AT - 40 * MINUTE)
    live(world, STEP_AT - 20 * MINUTE, lambda _ts: 12.0)
    ((fault),) = [each.fault for each in world.steps if each.opened]
    assert fault.last is not None
    assert fault.last.history_seconds > 24 * HOUR


def test_what_is_read_back_while_it_is_watched_is_usual_once_it_is_read(world: World) -> None:
    world.asked = replace(world.asked, unread=frozenset({LOG}))
    world.until = WATCHED_FROM
    live(world, WATCHED_FROM + 20 * MINUTE)
    known = world.work._figures.history(Figure((), USD))
    watched, world.until = world.until, BEGIN
    past(world)
    world.until = watched
    live(world, watched + 5 * MINUTE)
    assert world.work._figures.history(Figure((), USD)) <= known + 5 * MINUTE  # as long as it is not whole
    world.asked = replace(world.asked, unread=frozenset())
    live(world, STEP_AT + 40 * MINUTE)
    assert world.opened() == []


def test_what_was_unusual_in_a_past_that_is_read_back_is_not_told(world: World) -> None:
    past(world, times=lambda ts: 30.0 if 27 <= (ts - MONDAY) / HOUR < 29 else 1.0)
    live(world, WATCHED_FROM + 20 * MINUTE, lambda _ts: 1.0)
    assert world.steps == []


def test_in_small_parts_the_same_is_learned(world: World, tmp_path: Path) -> None:
    whole = World(tmp_path / "whole.db", begin=BEGIN)
    whole.asked, whole.tells = world.asked, False
    for each in (world, whole):
        past(each)
        told(each, 1.0, covered_ms=60_000)
    parts = 1
    while world.watch(seconds=0.0).behind:
        parts += 1
    assert not whole.watch().behind
    assert parts > 10
    assert world.work.finish() == whole.work.finish()


def test_after_kill_9_what_was_learned_is_known(world: World) -> None:
    past(world)
    live(world, WATCHED_FROM + 10 * MINUTE)
    world.store()
    live(world, WATCHED_FROM + 30 * MINUTE)
    world.kill()
    world.connection.execute("DELETE FROM lines WHERE start < ?", (WATCHED_FROM,))  # it is not read again
    live(world, STEP_AT + 40 * MINUTE)
    assert world.opened() == []


def test_a_past_that_was_not_learned_when_it_was_killed_is_learned_after(world: World) -> None:
    past(world)
    told(world, 1.0, covered_ms=60_000)
    assert world.watch(seconds=0.0).behind
    world.store()
    world.kill()
    live(world, STEP_AT + 40 * MINUTE)
    assert world.opened() == []


def test_what_an_agent_used_while_nobody_recorded_is_learned_when_that_goes_on(world: World) -> None:
    past(world)
    live(world, WATCHED_FROM + 5 * MINUTE)
    world.store()
    world.kill()
    past(world, STEP_AT + 3 * HOUR)  # nobody recorded; when it is begun again the log is not read at first
    world.asked = replace(world.asked, unread=frozenset({LOG}))
    live(world, STEP_AT + 3 * HOUR + 3 * MINUTE)
    world.asked = replace(world.asked, unread=frozenset())
    live(world, STEP_AT + 3 * HOUR + 30 * MINUTE)
    assert world.opened() == []
    assert world.work._figures.scopes[()].figures[USD].known > (STEP_AT + 3 * HOUR - BEGIN) / 600 - 2


def test_an_incident_that_lasts_goes_on_when_a_past_is_read_back_and_ends_once(world: World) -> None:
    world.asked = replace(world.asked, unread=frozenset({LOG}))
    world.until = begun = MONDAY + 24 * HOUR
    live(world, begun + 3 * HOUR, lambda _ts: 1.0)
    live(world, begun + 3 * HOUR + 20 * MINUTE, lambda _ts: 12.0)
    (key,) = world.opened()
    watched, world.until = world.until, BEGIN
    past(world, begun, lambda ts: 12.0 if 3 <= ts % 86400 / HOUR < 6 else 1.0)
    world.until = watched
    world.asked = replace(world.asked, unread=frozenset())
    live(world, watched + 20 * MINUTE, lambda _ts: 12.0)
    assert world.steps[-1].fault.until is None
    live(world, watched + 80 * MINUTE, lambda _ts: 1.0)
    assert world.opened() == [key]
    assert [each.fault.key for each in world.steps if each.fault.until] == [key]


def test_what_meters_of_now_cost_is_no_rise_above_a_past_that_only_a_log_tells(world: World) -> None:
    past(world)
    gpu = world.account("", "gpu_busy", source="nvml@a", price="g", gpu="0")
    number = world.account("claude", "input", source=LOG)
    while world.until < WATCHED_FROM + 40 * MINUTE:
        world.minute({number: (10_000, round(0.05e9)), gpu: (60_000, round(1e9))})
        world.watch()
    assert world.opened() == []
