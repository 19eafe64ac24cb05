"""How a model is loaded: failures by reason, caches, drafts, GPU time by phase, sleep, and gauges that stand still."""

from __future__ import annotations

from typing import Any

import pytest

from infertop.readings.model import Series
from infertop.views.facts import Told
from infertop.views.model_rows import model_rows
from infertop.views.shapes import ModelRow
from tests.money.tape import LLAMA, START, VLLM, Gpu, batch, engine, nvml
from tests.views.explaining import explain
from tests.views.test_model_rows import running
from tests.views.world import World

LIVE = {"told": {"vllm": Told(frozenset())}}
AT_END = {"told": {"vllm": Told(frozenset(), counts_at_end=True)}}


def only(world: World, **more: Any) -> ModelRow:
    (row,) = model_rows(world.facts(**more))
    return row


def failing(rates: dict[str, float]) -> ModelRow:
    """An engine whose failures rise by so many a second, by reason, and two clients a second give up."""
    world = World()
    for second in range(31):
        said = [(Series.of("requests_failed", model=LLAMA, reason=name), n * second) for name, n in rates.items()]
        said += [(Series.of("requests_aborted", model=LLAMA), 2.0 * second), (Series.of("running", model=LLAMA), 1.0)]
        world.poll(batch(VLLM, START + second, said))
    return only(world)


def test_failures_are_told_by_reason_the_most_frequent_first() -> None:
    row = failing({"validation": 1.0, "overloaded": 3.0, "generation": 0.0})
    assert list(row.failed_by_reason.items()) == [("overloaded", 3.0), ("validation", 1.0), ("generation", 0.0)]
    assert (row.failed_per_second, row.aborted_per_second) == (4.0, 2.0)


def test_answers_are_told_by_why_they_ended() -> None:
    world = World()
    for second in range(31):
        said = [
            (Series.of("answers", model=LLAMA, reason=why), n * second) for why, n in (("length", 0.5), ("stop", 3.0))
        ]
        world.poll(batch(VLLM, START + second, [*said, (Series.of("requests", model=LLAMA), 2.0 * second)]))
    row = only(world)
    assert list(row.answers_by_reason.items()) == [("stop", 3.0), ("length", 0.5)]
    assert row.requests_per_second == 2.0


def test_what_a_queues_limit_turned_away_is_not_added_to_the_servers_own_count_of_it() -> None:
    row = failing({"5xx": 5.0, "max_num_queued_reqs": 5.0, "error": 5.0})
    assert row.failed_per_second == 5.0
    assert row.failed_by_reason == {"5xx": 5.0}


def test_of_an_engine_that_tells_no_failures_none_is_known() -> None:
    row = only(running(30, output_tokens=1.0))
    assert (row.failed_per_second, row.failed_by_reason, row.aborted_per_second) == (None, {}, None)


@pytest.mark.parametrize(
    ("said", "ratio"),
    [
        ({"cached_tokens": 40.0, "prompt_tokens": 100.0, "prefix_cache_hit_rate": 0.9}, 0.4),
        ({"prefix_cache_queries": 100.0, "prefix_cache_hits": 30.0}, 0.3),
    ],
)
def test_a_hit_ratio_is_counted_where_it_can_be(said: dict[str, float], ratio: float) -> None:
    assert only(running(30, output_tokens=1.0, **said)).cache_hit_ratio == pytest.approx(ratio)


@pytest.mark.parametrize(("said", "ratio"), [(0.25, 0.25), (0.0, 0.0), (-1.0, None), (7.0, None)])
def test_a_hit_ratio_that_only_the_engine_knows_is_taken_from_it_if_it_is_one(said: float, ratio: float | None) -> None:
    world = World()
    for second in range(5):
        world.poll(engine(START + second, output_tokens=float(second), prefix_cache_hit_rate=said))
    assert only(world).cache_hit_ratio == ratio


@pytest.mark.parametrize(("said", "ratio"), [(0.6, 0.6), (0.0, None)])
def test_an_acceptance_of_0_is_that_of_an_engine_that_does_not_speculate(said: float, ratio: float | None) -> None:
    world = World()
    for second in range(5):
        world.poll(engine(START + second, output_tokens=float(second), spec_acceptance=said))
    assert only(world).draft_acceptance_ratio == ratio


def test_gpu_time_of_prompts_and_generation_is_told_in_seconds_a_second() -> None:
    row = only(running(30, output_tokens=1.0, prefill_gpu_seconds_total=0.2, decode_gpu_seconds_total=0.7))
    assert (row.prefill_gpu_ratio, row.decode_gpu_ratio) == (pytest.approx(0.2), pytest.approx(0.7))
    assert only(running(30, output_tokens=1.0)).decode_gpu_ratio is None


def asleep(seconds: int, states: tuple[float, ...]) -> World:
    """A data parallel engine that does nothing, on a GPU of which it holds 2 GB."""
    world = World()
    for second in range(seconds + 1):
        said = [(Series.of("asleep", model=LLAMA, rank=str(n)), state) for n, state in enumerate(states)]
        said += [(Series.of("output_tokens", model=LLAMA, rank=str(n)), 10.0) for n in range(len(states))]
        world.poll(batch(VLLM, START + second, said), nvml(START + second, Gpu("GPU-0", 0.0, {VLLM: (2e9, 0.0)})))
    return world


def test_a_sleeping_engine_costs_its_gpu_and_all_of_that_is_idle() -> None:
    world = asleep(60, (1.0, 1.0))
    row = only(world)
    assert (row.asleep, row.usd_per_hour, row.usage_usd_per_hour) == (1.0, 2.49, 0.0)
    assert world.costs().idle == pytest.approx(2.49)
    assert only(asleep(5, (1.0, 0.0))).asleep == 0.5


def still(seconds: int, utilization: float | None, busy_until: int = 0, held: bool = True) -> World:
    """An engine that says that two run, of which nothing moves after `busy_until`."""
    world = World()
    for second in range(seconds + 1):
        said = {"output_tokens": 10.0 * min(second, busy_until), "prompt_tokens": 10.0, "running": 2.0}
        world.poll(engine(START + second, **said))
        if held:
            world.poll(nvml(START + second, Gpu("GPU-0", utilization, {VLLM: (None, None)})))
    return world


def test_gauges_of_which_nothing_moves_on_an_idle_gpu_stand_still() -> None:
    assert only(still(45, 0.0, busy_until=10), **LIVE).stuck
    assert only(still(45, 0.0, busy_until=10), **AT_END).stuck


def test_gauges_do_not_stand_still_while_something_moves_or_runs() -> None:
    assert not only(still(45, 0.0, busy_until=40), **LIVE).stuck
    assert not only(still(45, 0.8), **LIVE).stuck
    assert not only(still(20, 0.0), **LIVE).stuck
    idle = World()
    for second in range(61):
        idle.poll(engine(START + second, output_tokens=5.0, running=0.0))
    assert not only(idle, **LIVE).stuck


def test_without_a_gpu_only_an_engine_that_counts_as_it_works_is_known_to_stand_still() -> None:
    assert only(still(45, None, held=False), **LIVE).stuck
    assert not only(still(45, None, held=False), **AT_END).stuck
    assert not only(still(45, None, held=False)).stuck


def test_a_standstill_is_explained() -> None:
    facts = still(45, 0.0).facts(**LIVE)
    said = explain(facts, "models", f"{VLLM}\t{LLAMA}", "stuck")
    assert said.lines[0] == "2 are said to run, and no counter moved for 30 s while its GPUs were idle"
    failures = explain(facts, "models", f"{VLLM}\t{LLAMA}", "failed_by_reason")
    assert failures.lines == ("unknown: the engine has told no reason of a failure",)
