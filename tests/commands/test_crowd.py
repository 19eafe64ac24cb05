"""The rows of many models: made between keys, and the same as if they had been made at once."""

import asyncio
from dataclasses import replace

from infertop.commands import crowd
from infertop.commands.crowd import AT_ONCE, Crowd
from infertop.readings.model import Batch, Series
from infertop.views.model_rows import model_rows
from tests.views.world import World


def fleet(engines: int) -> World:
    world = World()
    for second in range(3):
        for number in range(engines):
            series = (Series.of("output_tokens", model=f"m{number % 7}"),)
            world.poll(Batch(f"vllm-{number}", world_start(world) + second, series, (10.0 * second * number,)))
    return world


def world_start(world: World) -> float:
    return float(world.now // 60 * 60)


async def made(rows: Crowd) -> None:
    assert rows._making is not None
    await rows._making


async def test_few_are_made_at_once():
    assert Crowd().rows(fleet(AT_ONCE).facts()) is None


async def test_many_are_those_of_the_last_time_and_say_how_old_they_are():
    world, rows = fleet(AT_ONCE + 6), Crowd()
    facts = world.facts()
    assert rows.rows(facts) is None
    await made(rows)
    shown = rows.rows(replace(facts, now=facts.now + 2.0))
    at_once = model_rows(facts)
    assert len(at_once) == AT_ONCE + 6
    assert shown == tuple(replace(row, age_seconds=row.age_seconds + 2.0) for row in at_once)


async def test_others_run_between_two_rows(monkeypatch):
    monkeypatch.setattr(crowd, "_SLICE_SECONDS", 0.0)
    turns, rows = 0, Crowd()
    rows.rows(fleet(AT_ONCE + 6).facts())
    while not rows._making.done():
        turns += 1
        await asyncio.sleep(0)
    assert turns > AT_ONCE


async def test_source_that_goes_meanwhile_is_left_out(monkeypatch):
    monkeypatch.setattr(crowd, "_SLICE_SECONDS", 0.0)
    world, rows = fleet(AT_ONCE + 6), Crowd()
    facts = world.facts()
    rows.rows(facts)
    await asyncio.sleep(0)
    world.state.forget(f"vllm-{AT_ONCE + 5}")
    await made(rows)
    assert f"vllm-{AT_ONCE + 5}" not in {row.source for row in rows.rows(facts)}
    assert len(rows.rows(facts)) == AT_ONCE + 5


async def test_what_takes_long_is_made_less_often(monkeypatch):
    monkeypatch.setattr(crowd, "_MOST_OF_A_CORE", 1e-9)
    facts, rows = fleet(AT_ONCE + 6).facts(), Crowd()
    monkeypatch.setattr(crowd, "_SLICE_SECONDS", 0.0)
    rows.rows(facts)
    await made(rows)
    rows.rows(facts)
    assert rows._making is None
