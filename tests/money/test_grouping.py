"""Which scope a rise is of: the narrowest one that has most of it and rose more steeply than what is around it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.detect.grouping import Moved, explained, scope_of_rise
from infertop.money.detect.scopes import (
    EVERYTHING,
    Place,
    Scope,
)
from tests.money.risen_places import O3, OPENAI, PROD, moved, of


@pytest.mark.parametrize(
    ("times", "seen_in", "scope"),
    [
        ({"prod": 4.0}, EVERYTHING, PROD),
        ({"prod": 4.0}, OPENAI, PROD),
        ({"prod": 4.0}, PROD, PROD),
        ({"o3": 3.0}, EVERYTHING, O3),
        ({"o3": 3.0}, (("key", "batch"),), O3),
        ({"o3_prod": 6.0}, O3, (("key", "prod"), ("model", "o3"))),
        ({"prod": 3.0, "dev": 3.0, "batch": 3.0}, PROD, OPENAI),
        ({"prod": 3.0, "dev": 3.0, "batch": 3.0}, EVERYTHING, OPENAI),
        ({"prod": 0.5}, PROD, PROD),
    ],
)
def test_a_rise_is_of_the_narrowest_scope_that_has_most_of_it(
    times: dict[str, float], seen_in: Scope, scope: Scope
) -> None:
    assert scope_of_rise(moved(**times), seen_in) == scope


@pytest.mark.parametrize("key", ["chat", "batch"])
def test_a_rise_of_everybody_at_every_provider_is_of_everything(key: str) -> None:
    everybody = [
        Moved(Place("openai", "openai", "gpt-4o", "chat"), 30.0, 100.0),
        Moved(Place("openai", "openai", "o3", "batch"), 12.0, 38.0),
        Moved(Place("anthropic", "anthropic", "opus", "agents"), 28.0, 80.0),
    ]
    assert scope_of_rise(everybody, (("key", key),)) == EVERYTHING


def test_a_key_that_is_most_of_its_provider_is_named_and_not_the_provider() -> None:
    runaway = of(("o3", "agents", 35.4, 90.0), ("gpt-4o", "support", 7.2, 8.0))
    assert scope_of_rise(runaway, OPENAI) == O3


@pytest.mark.parametrize("seen", [O3, (("project", "web"),)])
def test_where_the_rest_rises_nearly_as_steeply_it_is_no_part_of_it_that_is_wrong(seen: Scope) -> None:
    both = of(("o3", "web-1", 26.0, 60.0), ("gpt-4o", "web-0", 12.0, 22.0))
    assert scope_of_rise(both, seen) == (("project", "web"),)
    assert scope_of_rise(of(("o3", "web-1", 26.0, 60.0), ("gpt-4o", "web-0", 12.0, 14.0)), seen) == O3


def test_bursts_of_some_do_not_take_a_rise_of_everybody_apart() -> None:
    machine = Moved(Place("vllm@a:1", "local", "llama"), 7.5, 7.5)
    agents = Moved(Place("anthropic", "anthropic", "sonnet", "agents", "dev"), 17.8, 35.2)
    others = of(("gpt-4o", "chat", 32.0, 109.7), ("mini", "rag", 6.3, 16.9), ("gpt-4o", "labels", 8.4, 28.0))
    assert scope_of_rise([*others, machine, agents], EVERYTHING) == EVERYTHING


def test_of_one_model_on_one_machine_the_model_is_named() -> None:
    alone = [Moved(Place("vllm@a:1", "local", "llama"), 2.0, 8.0)]
    assert scope_of_rise(alone, EVERYTHING) == (("model", "llama"),)


AMOUNTS = st.floats(0, 1e6)
PLACES = st.builds(Place, *(st.sampled_from("ab"),) * 2, *(st.none() | st.sampled_from("ab"),) * 3)


@given(st.lists(st.builds(Moved, PLACES, AMOUNTS, AMOUNTS), max_size=12))
def test_the_scope_of_any_rise_is_one_that_has_places_and_shares_are_shares(places: list[Moved]) -> None:
    for scope in (EVERYTHING, (("source", "a"),), (("model", "b"),)):
        found = scope_of_rise(places, scope)
        assert found in (EVERYTHING, scope) or explained(places, found, [found]) in (0.0, pytest.approx(1.0))
        assert 0 <= explained(places, scope, [found]) <= 1 + 1e-9
