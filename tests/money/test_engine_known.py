"""Counters of tokens that cannot be read for a poll: in the end the ledger has what it would have had."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.derive import Deriver
from tests.money.tape import LLAMA, START, VLLM, book, engine, totals

INCLUSIVE = [
    {"prompt_tokens": prompt, "cached_tokens": cached, "output_tokens": prompt}
    for prompt, cached in ((1000, 900), (1100, 990), (1130, 1020), (1140, 1030), (1300, 1040), (1300, 1040))
]
DIRECT = [
    {"prompt_tokens": 10 * n, "input_tokens": n, "cached_tokens": 9 * n, "output_tokens": n}
    for n in (1000, 1100, 1130, 1140, 1300, 1310)
]


def derived(*batches):
    deriver = Deriver(book(None))
    for batch in batches:
        deriver.advance(batch)
    return deriver


def lines(*batches):
    return derived(*batches).open_lines()


def run(polls, lost=()):
    """Derive these polls, without the counters that are `lost` as (poll, counter)."""
    kept = [{name: v for name, v in poll.items() if (n, name) not in lost} for n, poll in enumerate(polls)]
    return [engine(START + n, **poll) for n, poll in enumerate(kept)]


@pytest.mark.parametrize("polls", [INCLUSIVE, DIRECT], ids=["inclusive", "direct"])
@pytest.mark.parametrize("name", ["prompt_tokens", "cached_tokens", "input_tokens", "output_tokens"])
@pytest.mark.parametrize("at", [1, 2, 3, 4])
def test_a_counter_that_is_missing_once_changes_no_total(polls, name, at):
    assert totals(lines(*run(polls, {(at, name)}))) == totals(lines(*run(polls)))


@given(
    st.sampled_from([INCLUSIVE, DIRECT]),
    st.sets(st.tuples(st.integers(1, 4), st.sampled_from(["prompt_tokens", "cached_tokens", "input_tokens"]))),
    st.integers(1, 5),
)
def test_whatever_is_missing_in_between_the_last_page_settles_it_also_over_a_saved_state(polls, lost, cut):
    batches = run(polls, lost)
    first = derived(*batches[:cut])
    second = Deriver(book(None))
    second.load(json.loads(json.dumps(first.dump())))
    for batch in batches[cut:]:
        first.advance(batch)
        second.advance(batch)
    assert first.dump() == second.dump()
    assert totals(first.open_lines()) == totals(lines(*run(polls)))


def test_prompt_tokens_wait_for_the_cached_ones_and_are_not_lost_with_a_restart():
    before = run([*INCLUSIVE[:2], {"prompt_tokens": 1200, "output_tokens": 1}])
    assert totals(lines(*before))[VLLM, LLAMA, "input"] == 10
    after = engine(START + 3, prompt_tokens=50, cached_tokens=20, output_tokens=1)
    assert totals(lines(*before, after))[VLLM, LLAMA, "input"] == 10 + 100 + 30


def test_a_counter_that_never_comes_back_is_given_up():
    gone = [{"prompt_tokens": 1100 + 10 * n, "output_tokens": 1} for n in range(1, 13)]
    assert totals(lines(*run([*INCLUSIVE[:2], *gone])))[VLLM, LLAMA, "input"] == 10 + 120
    # Ten polls without it, then the prompt tokens of the other three are taken for what there is.
    switched = [{"prompt_tokens": 20_000 + 10 * n} for n in range(13)]
    assert totals(lines(*run([*DIRECT[:2], *switched])))[VLLM, LLAMA, "input"] == 100 + 30
