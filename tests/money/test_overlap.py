"""Of several that tell of the same requests one counts, the others tell who made them: gateways, logs, engines."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.overlap import Choices, Place, Role, Told, choose, overlap_seconds
from infertop.money.same_model import model_key, same_model

HOUR = ((0.0, 3600.0),)
ENGINE = Told(Place("vllm@a:1", "local", "tiny"), Role.SERVES, HOUR, "vllm")
OPENAI = Told(Place("openai", "openai", "gpt-4o-2024-08-06"), Role.SERVES, HOUR, "openai")
PROXY = Told(Place("litellm@a:4000", "hosted_vllm", "tiny"), Role.GATEWAY, HOUR, "litellm")
PROXY_OPENAI = replace(PROXY, place=Place("litellm@a:4000", "openai", "gpt-4o"))
LOG = Told(Place("codex", "openai", "gpt-4o"), Role.LOG, HOUR, "codex")


def counting(choices: Choices, *told: Told) -> list[bool]:
    return [choices.counts(*each.place) for each in told]


def test_an_engine_counts_what_a_gateway_in_front_of_it_attributes() -> None:
    found = choose([PROXY, ENGINE])
    assert counting(found, ENGINE, PROXY) == [True, False]
    assert found.by(*PROXY.place) == "vllm@a:1"
    assert found.others("litellm@a:4000") == ("vllm@a:1",)
    assert found.sources_apart == {"litellm@a:4000"}


def test_a_gateway_counts_what_nobody_else_tells_of_beside_what_somebody_does() -> None:
    found = choose([PROXY, PROXY_OPENAI, ENGINE])
    assert counting(found, ENGINE, PROXY, PROXY_OPENAI) == [True, False, True]
    assert found.sources_apart == frozenset()


def test_a_provider_counts_before_a_gateway_and_a_gateway_before_a_log() -> None:
    assert counting(choose([LOG, PROXY_OPENAI, OPENAI]), OPENAI, PROXY_OPENAI, LOG) == [True, False, False]
    assert counting(choose([LOG, PROXY_OPENAI]), PROXY_OPENAI, LOG) == [True, False]
    assert counting(choose([LOG]), LOG) == [True]
    assert choose([LOG, PROXY_OPENAI, OPENAI]).by(*LOG.place) == "openai"


def test_a_log_that_does_not_know_who_answered_counts_only_models_that_nobody_else_tells_of() -> None:
    unknown = [replace(LOG, place=Place("langfuse", "", model), kind="langfuse") for model in ("gpt-4o", "other")]
    azure = replace(OPENAI, place=Place("azure", "azure", "gpt-4o"), kind="azure")
    for serving in (OPENAI, azure, PROXY_OPENAI):
        assert counting(choose([*unknown, serving]), serving, *unknown) == [True, False, True]


def test_one_that_counts_nothing_itself_stands_in_nobodys_way() -> None:
    found = choose([replace(OPENAI, counts=False), PROXY_OPENAI])
    assert counting(found, OPENAI, PROXY_OPENAI) == [False, True]


def test_what_was_set_stands_above_all_and_counting_twice_is_told() -> None:
    found = choose([ENGINE, replace(PROXY, counts=True)])
    assert counting(found, ENGINE, PROXY) == [True, True]
    assert found.doubles("litellm@a:4000") == ("vllm@a:1",)
    found = choose([replace(PROXY_OPENAI, counts=False)])
    assert counting(found, PROXY_OPENAI) == [False]
    assert not found.counts("litellm@a:4000", "openai", "never-seen")


@pytest.mark.parametrize("shift", [3600.0 + 121, 7200.0, -7200.0])
def test_who_tells_of_another_time_tells_of_other_requests(shift: float) -> None:
    later = replace(PROXY, spans=tuple((start + shift, end + shift) for start, end in PROXY.spans))
    assert counting(choose([ENGINE, later]), ENGINE, later) == [True, True]


DAY = 86_400.0


def days(*numbers: int) -> tuple[tuple[float, float], ...]:
    return tuple((number * DAY + 3600, number * DAY + 7200) for number in numbers)


def test_what_a_gateway_told_before_somebody_read_the_engine_counts_as_it_did_then() -> None:
    found = choose([replace(ENGINE, spans=days(10, 11)), replace(PROXY, spans=days(1, 2, 10, 11))])
    assert found.spans == {PROXY.place: ((10 * DAY, 14 * DAY),)}
    assert counting(found, PROXY) == [False]


def test_a_gateway_counts_again_when_nobody_has_read_the_engine_for_some_days() -> None:
    found = choose([replace(ENGINE, spans=days(1)), replace(PROXY, spans=days(1, 2, 3, 4, 5))])
    assert found.spans == {PROXY.place: ((1 * DAY, 4 * DAY),)}
    assert counting(found, PROXY) == [True]
    still = choose([replace(ENGINE, spans=days(1)), replace(PROXY, spans=days(1, 2, 3))])
    assert counting(still, PROXY) == [False]


def test_of_two_servers_the_one_that_tells_of_the_last_days_counts() -> None:
    old = replace(ENGINE, place=Place("vllm@a:0", "local", "tiny"), spans=days(*range(1, 20)))
    new = replace(ENGINE, spans=days(25, 26))
    proxy = replace(PROXY, spans=days(*range(1, 27)))
    assert choose([old, new, proxy]).by(*PROXY.place) == "vllm@a:1"
    assert choose([old, new, proxy]).spans[PROXY.place] == ((1 * DAY, 22 * DAY), (25 * DAY, 29 * DAY))


def test_the_next_minute_is_the_same_time() -> None:
    assert counting(choose([ENGINE, replace(PROXY, spans=((3630.0, 3660.0),))]), PROXY) == [False]


def test_a_provider_that_sells_a_model_does_not_tell_of_ones_own_engine_of_that_name() -> None:
    groq = replace(PROXY, place=Place("litellm@a:4000", "groq", "tiny"))
    assert counting(choose([ENGINE, groq]), ENGINE, groq) == [True, True]
    sold = replace(OPENAI, place=Place("openrouter", "openrouter", "tiny"))
    assert counting(choose([ENGINE, sold]), ENGINE, sold) == [True, True]


def test_an_alias_of_an_engines_model_is_counted_by_the_engine_of_that_kind() -> None:
    alias = replace(PROXY, place=Place("litellm@a:4000", "hosted_vllm", "tiny-alias"))
    assert choose([ENGINE, alias]).by(*alias.place) == "vllm@a:1"
    assert counting(choose([replace(ENGINE, kind="sglang"), alias]), alias) == [True]


def test_a_gateway_that_calls_an_engine_by_the_api_that_it_speaks_is_known_by_the_model() -> None:
    asked = replace(PROXY, place=Place("litellm@a:4000", "openai", "meta/Tiny"))
    assert counting(choose([ENGINE, asked]), asked) == [False]


def test_two_front_ends_of_one_engine_both_attribute() -> None:
    front = Told(Place("dynamo@a:8000", "local", "tiny"), Role.GATEWAY, HOUR, "dynamo-frontend")
    assert counting(choose([ENGINE, front, PROXY]), ENGINE, front, PROXY) == [True, False, False]
    assert choose([ENGINE, front, PROXY]).by(*PROXY.place) == "vllm@a:1"


def test_a_provider_is_the_same_under_each_of_its_names() -> None:
    vertex = replace(PROXY_OPENAI, place=Place("litellm@a:4000", "vertex_ai", "gemini-pro"))
    google = replace(OPENAI, place=Place("vertex", "google", "gemini-pro"))
    assert counting(choose([vertex, google]), vertex) == [True]
    names = {"vertex_ai": "google"}
    assert counting(choose([vertex, google], lambda name: names.get(name, name)), vertex) == [False]


def test_what_an_agent_used_through_bedrock_is_the_same_as_what_bedrock_tells() -> None:
    name = "us.anthropic.claude-sonnet-4-5-20250929-v1:0"
    bedrock = Told(Place("bedrock", "aws", name), Role.SERVES, HOUR, "bedrock")
    agent = Told(Place("claude-code", "aws", "claude-sonnet-4-5-20250929"), Role.LOG, HOUR, "claude-code")
    proxy = Told(Place("litellm", "bedrock", f"bedrock/{name}"), Role.GATEWAY, HOUR, "litellm")
    found = choose([agent, proxy, bedrock], lambda name: {"bedrock": "aws"}.get(name, name))
    assert found.others("claude-code") == found.others("litellm") == ("bedrock",)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("anthropic.claude-opus-4-20250514-v1:0", "eu.anthropic.claude-opus-4-20250514-v1:0:200k", True),
        ("amazon.nova-pro-v1:0", "nova-pro", True),
        ("meta.llama3-1-70b-instruct-v1:0", "meta.llama3-1-8b-instruct-v1:0", False),
        ("gpt-4.1", "gpt-4", False),
        ("qwen2.5-7b", "qwen2-7b", False),
    ],
)
def test_bedrocks_names_say_the_model_between_its_maker_and_its_version(one: str, other: str, same: bool) -> None:
    assert same_model(one, other) is same_model(other, one) is same


def test_until_somebody_looked_nothing_of_a_source_that_may_yield_counts() -> None:
    unsure = Choices(unsure=frozenset({"litellm@a:4000"}))
    assert not unsure.counts(*PROXY.place)
    assert unsure.counts(*ENGINE.place)
    assert replace(choose([PROXY_OPENAI]), unsure=unsure.unsure).counts(*PROXY_OPENAI.place)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("gpt-4o", "gpt-4o", True),
        ("gpt-4o", "openai/GPT-4o-2024-08-06", True),
        ("gpt-4o-2024-05-13", "gpt-4o-2024-08-06", False),
        ("gpt-4o", "gpt-4o-mini", False),
        ("claude-sonnet-4-20250514", "claude-sonnet-4@20250514", False),
        ("claude-sonnet-4-5", "claude-sonnet-4-5-latest", True),
        (None, None, False),
    ],
)
def test_names_of_a_model_with_and_without_path_and_date(one: str | None, other: str | None, same: bool) -> None:
    assert same_model(one, other) is same
    assert not same or model_key(one) == model_key(other)
    assert same_model(other, one) is same


spans = st.lists(st.tuples(st.integers(0, 50), st.integers(1, 5)), min_size=1, max_size=4).map(
    lambda pairs: tuple((at * 600.0, at * 600.0 + minutes * 60.0) for at, minutes in sorted(dict(pairs).items()))
)
everything = st.lists(
    st.builds(
        Told,
        st.builds(
            Place,
            st.sampled_from(["a", "b", "c", "d", "e"]),
            st.sampled_from(["local", "openai", "hosted_vllm", "groq"]),
            st.sampled_from(["m", "m-2026-01-01", "x/m", "n", None]),
        ),
        st.sampled_from(list(Role)),
        spans,
        st.sampled_from(["vllm", ""]),
        st.sampled_from([None, None, None, True, False]),
    ),
    max_size=8,
    unique_by=lambda each: each.place,
)


@given(everything, st.randoms(use_true_random=False))
def test_whatever_is_told(told: list[Told], random: random.Random) -> None:
    found = choose(told)
    by_place = {each.place: each for each in told}
    shuffled = list(told)
    random.shuffle(shuffled)
    assert choose(shuffled) == found
    for each in told:
        set_off = any(other.counts is False for other in told if other.place.source == each.place.source)
        if each.counts is not None:
            assert found.counts(*each.place) is (each.counts and not set_off)
        elif each.role is Role.SERVES and not set_off:
            assert found.counts(*each.place)
    for place, by in found.apart.items():
        told_of = by_place[place]
        if told_of.counts is None:
            # What is left out is counted once elsewhere: somebody of a lower role counts at that time.
            others = [other for other in told if other.place.source == by and found.apart.get(other.place) is None]
            assert any(other.role < told_of.role for other in others)


@given(spans, spans)
def test_overlap_is_the_same_from_both_sides_and_that_of_a_span_with_itself_is_positive(one, other) -> None:  # type: ignore[no-untyped-def]
    assert overlap_seconds(one, other) == overlap_seconds(other, one)
    assert overlap_seconds(one, one) > 0
    near = any(a < d + 120 and c < b + 120 for a, b in one for c, d in other)
    assert (overlap_seconds(one, other) > 0) is near
