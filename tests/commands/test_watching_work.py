"""The work of watching on ledgers of minutes: one fault one incident, over any end."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from infertop.commands.watching_figures import MOST_DETAILED, MOST_SCOPES
from infertop.history.watch_state import Wish
from infertop.money.detect.fault import Figure
from infertop.views.event_shapes import PLANNED
from tests.commands.watched_traffic import RULE, Places, calm, surge, usual
from tests.commands.watched_world import MINUTE, OPENAI, World, rows


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path / "infertop.db")
    made.asked = replace(made.asked, rule=RULE)
    return made


def scopes(world: World) -> list[dict[str, str]]:
    return [dict(each.fault.scope) for each in world.steps if each.opened]


def last(world: World) -> dict[str, tuple[float, float | None]]:
    """Since when and until when each fault that was told of lasts or did."""
    return {each.fault.key: (each.fault.since, each.fault.until) for each in world.steps}


def test_one_key_that_spends_ten_times_as_much_is_one_incident_of_that_key(world: World) -> None:
    calm(world, 200)
    world.watch()
    begun = world.until
    surge(world, 30)
    assert scopes(world) == [{"key": "batch"}]
    (since, until) = last(world)[world.opened()[0]]
    assert (since, until) == (begun, None)
    for _ in range(60):
        calm(world, 1)
        world.watch()
    assert scopes(world) == [{"key": "batch"}]
    ((_, until),) = last(world).values()
    assert until is not None
    fault = world.steps[-1].fault
    assert fault.last is not None
    assert fault.last.excess_usd == pytest.approx(81 * 0.5, rel=0.3)


def test_a_model_that_all_keys_use_more_is_one_incident_of_that_model(world: World) -> None:
    calm(world, 200)
    world.watch()
    for _ in range(30):
        world.used(usual(world, lambda model, _key: 10.0 if model == "gpt-4o" else 1.0))
        world.watch()
    assert scopes(world) == [{"model": "gpt-4o"}]


def test_two_faults_an_hour_apart_are_two_incidents(world: World) -> None:
    calm(world, 200)
    world.watch()
    surge(world, 20, "batch")
    for _ in range(50):
        world.used(usual(world, lambda _model, key: 10.0 if key in ("batch", "dev") else 1.0))
        world.watch()
    assert scopes(world) == [{"key": "batch"}, {"key": "dev"}]


@pytest.mark.parametrize("stop", [1, 3, 12, 29])
def test_after_kill_9_the_same_incident_goes_on_and_is_opened_once(world: World, tmp_path: Path, stop: int) -> None:
    whole = World(tmp_path / "whole.db")
    whole.asked = world.asked
    for each in (world, whole):
        calm(each, 200)
        each.watch()
        each.store()
        surge(each, stop)
    world.kill()
    for each in (world, whole):
        surge(each, 30 - stop)
        each.store()
        for _ in range(60):
            calm(each, 1)
            each.watch()
    assert set(world.opened()) == set(whole.opened())
    assert last(world) == last(whole)


def test_what_was_stored_is_not_opened_again_and_what_ended_while_away_is_closed(world: World) -> None:
    calm(world, 200)
    world.watch()
    surge(world, 20)
    (key,) = world.opened()
    world.store()
    world.kill()
    world.steps.clear()
    calm(world, 60)
    world.watch()
    assert world.opened() == []
    assert last(world)[key][1] is not None


def test_every_scope_is_stored_within_the_hour_and_gone_scopes_are_dropped(world: World) -> None:
    calm(world, 10)
    world.watch()
    for _ in range(10):
        calm(world, 1)
        world.watch()
    world.store()
    stored = {each.key for each in rows(world.connection)}
    assert stored == {"common", "heard", *(f"scope {each}" for each in _SCOPES)}


_SCOPES = (
    "[]",
    '[["source", "openai"]]',
    '[["provider", "openai"]]',
    '[["model", "gpt-4o"]]',
    '[["model", "o3"]]',
    '[["key", "prod"]]',
    '[["key", "dev"]]',
    '[["key", "batch"]]',
)


def test_what_was_planned_stays_planned_over_an_end(world: World) -> None:
    calm(world, 200)
    world.watch()
    surge(world, 10)
    (key,) = world.opened()
    world.watch(wishes=(Wish(key, PLANNED, 1.0),))
    assert world.steps[-1].fault.state == PLANNED
    world.store()
    world.kill()
    surge(world, 3)
    assert {each.fault.state for each in world.steps[-2:]} == {PLANNED}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"figures": {"usd_per_hour": {"format": 999}}}', "null"])
def test_what_was_stored_and_cannot_be_read_is_learned_again_from_the_ledger(world: World, content: str) -> None:
    calm(world, 200)
    world.watch()
    world.store()
    world.kill()
    world.connection.execute("UPDATE watched SET content = ?", (content,))
    calm(world, 1)
    world.watch()
    figures = world.work._figures
    assert figures.history(Figure((("key", "batch"),), "usd_per_hour")) == 200 * MINUTE
    surge(world, 30)
    assert scopes(world) == [{"key": "batch"}]


def test_a_new_key_is_news_once_and_nothing_is_in_the_first_hour(world: World) -> None:
    calm(world, 50)
    assert world.watch().news == []
    found = []
    for minute in range(30):
        world.used([*usual(world), *([("o3", "intern", 0.1, 10)] if minute >= 20 else [])])
        found += world.watch().news
    assert [(each.dimension, each.values, each.source) for each in found] == [("key", ("intern",), OPENAI)]
    world.store()
    world.kill()
    world.used([*usual(world), ("o3", "intern", 0.1, 10)])
    assert world.watch().news == []


def test_of_many_models_the_dearest_are_watched_in_detail_and_no_more_scopes_than_there_is_room_for(
    world: World,
) -> None:
    def places() -> Places:
        return [(f"m{n}", f"k{n}", 0.1 + n, 100.0) for n in range(300)]

    for _ in range(70):
        world.used(places())
    world.watch()
    figures = world.work._figures
    assert len(figures.scopes) == MOST_SCOPES
    detailed = [dict(scope) for scope, each in figures.scopes.items() if each.detailed and scope]
    assert len(detailed) == MOST_DETAILED
    assert {"model": "m299"} in detailed
    world.store()
    world.kill()
    world.used(places())
    world.watch()
    assert len(world.work._figures.scopes) == MOST_SCOPES
