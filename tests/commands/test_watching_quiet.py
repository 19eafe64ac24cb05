"""Ledgers in which nothing is wrong, though prices, days and providers change: no incident is told of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infertop.money.detect.scopes import EVERYTHING
from tests.commands.watched_traffic import RULE, USD, calm, usual
from tests.commands.watched_world import LOCAL, MINUTE, MONDAY, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "infertop.db")
    made.asked = replace(made.asked, rule=RULE)
    return made


def test_another_price_in_the_file_is_no_incident(world: World) -> None:
    calm(world, 200)
    world.watch()
    for n in range(60):
        dearer = [(model, key, usd * 6, requests) for model, key, usd, requests in usual(world)]
        world.used(dearer, price="b")
        world.watch(told_until=world.until - 600 if n < 40 else None)
    assert world.opened() == []


def test_another_price_while_infertop_was_off_is_no_incident(world: World) -> None:
    calm(world, 200)
    world.watch()
    world.store()
    world.kill()
    for _ in range(60):
        world.used([(model, key, usd * 6, requests) for model, key, usd, requests in usual(world)], price="b")
        world.watch()
    assert world.opened() == []


def test_what_counts_anew_is_no_incident(world: World) -> None:
    for n in range(260):
        world.used(usual(world))
        if n == 200:
            world.asked = replace(world.asked, choices=replace(world.asked.choices, never=frozenset()))
        world.watch() if n > 190 else None
    assert world.opened() == []


def test_a_night_in_which_nobody_recorded_is_no_incident(world: World) -> None:
    calm(world, 300)
    world.watch()
    world.store()
    world.kill()
    world.until += 9 * 3600
    wide = world.account("gpt-4o", "input", key="prod")
    for hour in range(9):
        start = world.until - (9 - hour) * 3600
        world.connection.execute("INSERT INTO lines VALUES (?,?,?,?,?,0)", (start, start + 3600, wide, 10**9, 10**12))
    for _ in range(60):
        calm(world, 1)
        world.watch()
    assert world.opened() == []


def test_minutes_that_a_provider_tells_late_are_no_fall_and_no_rise(world: World) -> None:
    calm(world, 240)
    world.watch()
    for lag in [*range(1, 30), *range(30, 0, -1)]:
        calm(world, 1)
        world.watch(told_until=world.until - lag * MINUTE)
    world.watch()
    assert world.opened() == []
    assert all(each.fed == world.until - MINUTE for each in world.work._figures.scopes.values())


def test_a_provider_that_tells_nothing_any_more_is_waited_for_some_hours_and_its_return_is_no_rise(
    world: World,
) -> None:
    def both(minutes: int, told: int | None) -> None:
        for _ in range(minutes):
            lines: dict[int, tuple[int, int | None]] = {world.account("llama", "gpu", source=LOCAL): (60_000, 10**8)}
            if told is None or world.until < told:
                for (model, key), usd in USD.items():
                    lines[world.account(model, "input", key=key)] = (99, round(usd / 60 * 1e9))
            world.minute(lines)
            if world.until % 600 == 0:
                world.watch(told_until=told)

    both(240, None)
    lost = world.until
    both(420, lost)
    assert world.work._figures.scopes[EVERYTHING].fed > lost + 3600
    both(180, None)
    world.watch()
    assert world.work._figures.scopes[EVERYTHING].fed == world.until - MINUTE
    assert world.opened() == []


def test_an_adjustment_and_a_restated_day_are_no_incident(world: World) -> None:
    calm(world, 240)
    world.watch()
    bill = world.account("gpt-4o", "adjustment", price=None)
    world.connection.execute("INSERT INTO lines VALUES (?,?,?,?,?,0)", (MONDAY, MONDAY + 86_400, bill, 0, 500 * 10**9))
    world.connection.execute("UPDATE lines SET usd_nano = usd_nano * 20 WHERE start < ?", (world.until - 3600,))
    for _ in range(30):
        calm(world, 1)
        world.watch()
    assert world.opened() == []
