"""A real vLLM under load and through a restart, against what its client counted."""

import json
from pathlib import Path

import pytest

from infertop.readings.model import Series
from tests.collectors.reading import grown, recorded, source
from tests.recordings import PAYLOADS, pages

CLIENT = json.loads(Path(PAYLOADS / "vllm/0.32.0_client.json").read_text(encoding="utf-8"))
MODEL = "tiny-llama"


@pytest.fixture(scope="module")
def run():
    return recorded(source("vllm"), pages("vllm/0.32.0.jsonl.gz"))


@pytest.fixture(scope="module")
def halves(run):
    """What was counted before the restart and after it."""
    at = next(i for i, (_, advance) in enumerate(run) if advance.restarted)
    before, after = [grown(advance for _, advance in half) for half in (run[:at], run[at:])]
    return {"before_restart": before, "after_restart": after}


def value(batch, metric):
    return dict(zip(batch.series, batch.values, strict=True))[Series.of(metric, model=MODEL, rank="0")]


def test_the_restart_is_seen_once_by_the_start_of_the_process(run):
    assert [advance.restarted for _, advance in run].count(True) == 1
    assert len({batch.started for batch, _ in run}) == 2


def test_increases_are_the_counters_differences_on_both_sides_of_the_restart(run, halves):
    at = next(i for i, (_, advance) in enumerate(run) if advance.restarted)
    first, last_before, last = run[0][0], run[at - 1][0], run[-1][0]
    for metric in ("requests", "prompt_tokens", "cached_tokens", "output_tokens", "preemptions"):
        grew = halves["before_restart"].get((metric, MODEL), 0)
        assert grew == value(last_before, metric) - value(first, metric)
        assert halves["after_restart"].get((metric, MODEL), 0) == value(last, metric)


@pytest.mark.parametrize("half", ["before_restart", "after_restart"])
def test_requests_are_what_the_client_saw_completed(halves, half):
    # Neither its choices (2,061) nor its aborted streams (820) are in it.
    assert halves[half]["requests", MODEL] == CLIENT[half]["completed"]


def test_refused_requests_are_what_the_client_got_a_4xx_for(halves):
    assert halves["before_restart"]["requests_failed", MODEL] == CLIENT["before_restart"]["refused"]
    assert CLIENT["after_restart"]["refused"] == 0
    assert ("requests_failed", MODEL) not in halves["after_restart"]


def test_tokens_differ_from_the_clients_by_choices_and_aborted_streams_only(halves):
    before, after = halves["before_restart"], halves["after_restart"]
    # Nothing was aborted after the restart: the prompt counts once for each choice, the output is exact.
    assert after["prompt_tokens", MODEL] == CLIENT["after_restart"]["prompt_tokens_once_per_choice"]
    assert after["output_tokens", MODEL] == CLIENT["after_restart"]["output_tokens"]
    # Before it, 820 streams were aborted: the client never got their usage, the engine counted their tokens.
    assert CLIENT["before_restart"]["aborted"] == 820
    assert before["prompt_tokens", MODEL] == 405_026 > CLIENT["before_restart"]["prompt_tokens_once_per_choice"]
    assert before["output_tokens", MODEL] == 116_691 > CLIENT["before_restart"]["output_tokens"]
    # A choice after the first finds the prompt of the first in the cache; usage names a request's own hits only.
    assert before["cached_tokens", MODEL] == 14_720 > CLIENT["before_restart"]["cached_tokens"]
    assert after["cached_tokens", MODEL] == 1_152 > CLIENT["after_restart"]["cached_tokens"]


def test_fresh_input_is_never_negative_from_one_second_to_the_next(run):
    ticks = [grown([advance]) for _, advance in run]
    fresh = [tick.get(("prompt_tokens", MODEL), 0) - tick.get(("cached_tokens", MODEL), 0) for tick in ticks]
    assert min(fresh) >= 0
    assert sum(fresh) == 405_026 - 14_720 + 27_125 - 1_152


def test_latencies_are_of_choices_and_only_first_tokens_include_the_aborted(halves):
    client = CLIENT["before_restart"]
    before = halves["before_restart"]
    assert before["request_seconds", MODEL] == before["queue_seconds", MODEL] == client["choices"]
    assert before["ttft_seconds", MODEL] == client["choices"] + client["aborted"]


def test_the_shape_changes_only_where_the_page_does(run):
    shapes = [batch.series for batch, _ in run]
    # At first, with the first refused request, with the restart (which forgets it).
    assert sum(shape is not before for shape, before in zip(shapes[1:], shapes, strict=False)) <= 3
