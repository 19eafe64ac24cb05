"""A surge in the first hour of all that is recorded: nobody had a past, and it is told when it lasts."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.commands.watched_traffic import RULE
from tests.commands.watched_world import MINUTE, MONDAY, OPENAI, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "infertop.db")
    made.asked, made.tells = replace(made.asked, rule=RULE), False
    return made


def go_on(world: World, minutes: int, usd_per_hour: float, *others: tuple[str, str, float, float]) -> None:
    for _ in range(minutes):
        chance = random.Random(world.until).uniform(0.7, 1.3)
        world.used([("gpt-4o", "prod", usd_per_hour * chance, 600 * chance), *others])
        world.watch()


def test_ten_times_as_much_from_the_first_quarter_of_an_hour_on_is_told_with_what_history_there_is(
    world: World,
) -> None:
    go_on(world, 15, 5.0)
    go_on(world, 20, 50.0)
    (opened,) = [each.fault for each in world.steps if each.opened]
    assert opened.since == MONDAY + 15 * MINUTE
    assert opened.last is not None
    assert opened.last.history_seconds <= 35 * MINUTE
    assert opened.last.excess_usd == pytest.approx(45 * 15 / 60, rel=0.3)
    go_on(world, 40, 5.0)
    assert [each.fault.key for each in world.steps if each.fault.until] == [opened.key]


@pytest.mark.parametrize("minutes", [5, 10])
def test_what_does_not_last_is_not(world: World, minutes: int) -> None:
    go_on(world, 15, 5.0)
    go_on(world, minutes, 50.0)
    go_on(world, 30, 5.0)
    assert world.opened() == []


@pytest.mark.parametrize("before", [0.0, 20.0])
def test_what_begins_from_nothing_and_what_is_three_times_as_much_is_not(world: World, before: float) -> None:
    go_on(world, 15, before)
    go_on(world, 40, 60.0)
    assert world.opened() == []


def test_little_money_is_not(world: World) -> None:
    go_on(world, 15, 0.05)
    go_on(world, 40, 0.5)
    assert world.opened() == []


def test_another_source_that_is_added_in_the_first_hour_is_no_rise_of_all_together(world: World) -> None:
    go_on(world, 15, 5.0)
    number = world.account("claude", "input", source="claude-code")
    mine = world.account("gpt-4o", "input", source=OPENAI)
    for _ in range(40):
        world.minute({mine: (10_000, round(5e9 / 60)), number: (100_000, round(60e9 / 60))})
        world.watch()
    assert world.opened() == []


def test_who_is_new_beside_a_known_past_is_learned_first(world: World) -> None:
    go_on(world, 90, 5.0)
    go_on(world, 15, 5.0, ("gpt-4o", "new", 2.0, 10.0))
    go_on(world, 18, 5.0, ("gpt-4o", "new", 10.0, 50.0))
    assert world.opened() == []


def test_a_step_goes_on_being_watched_over_kill_9(world: World) -> None:
    go_on(world, 15, 5.0)
    go_on(world, 8, 50.0)
    world.store()
    world.kill()
    go_on(world, 12, 50.0)
    assert len(world.opened()) == 1
