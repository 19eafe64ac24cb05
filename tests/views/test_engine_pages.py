"""From the pages of engines to the rows of models: ranks are one row, models and engines stay apart."""

from __future__ import annotations

import math
import re

import pytest

from infertop.views.model_page import model_page
from infertop.views.model_rows import model_rows
from infertop.views.shapes import ModelRow
from tests.collectors.reading import payload, source
from tests.money.tape import START, Gpu, nvml
from tests.views.world import World

HEADS = ("generation_tokens_total", "prompt_tokens_total", "num_requests_running", "kv_cache_usage_perc")


def rank(n: int, tokens: float, running: float, kv: float, fast: float, slow: float) -> str:
    """A data parallel engine of vLLM: `fast` of its requests had their first token in 0.1 s, `slow` in 10 s."""
    own = f'engine="{n}",model_name="m"'
    values = (tokens, 10 * tokens, running, kv)
    ttft = "vllm:time_to_first_token_seconds"
    lines = [f"vllm:{name}{{{own}}} {value}" for name, value in zip(HEADS, values, strict=True)]
    lines += [
        f'{ttft}_bucket{{{own},le="{bound}"}} {count}'
        for bound, count in (("0.05", 0), ("0.1", fast), ("5.0", fast), ("10.0", fast + slow), ("+Inf", fast + slow))
    ]
    lines += [f"{ttft}_sum{{{own}}} {fast * 0.1 + slow * 10}", f"{ttft}_count{{{own}}} {fast + slow}"]
    return "\n".join(lines) + "\n"


def parallel(seconds: int) -> World:
    """Two ranks: one quick and nearly empty, one slow and nearly full."""
    world, collector = World(), source("vllm")
    for second in range(seconds + 1):
        page = rank(0, 40.0 * second, 2, 0.1, 9.0 * second, 0) + rank(1, 10.0 * second, 5, 0.9, 0, second)
        world.poll(collector.parse(page.encode(), START + float(second)))
    return world


def test_data_parallel_ranks_are_one_row_their_work_added_and_their_caches_averaged() -> None:
    world = parallel(30)
    (row,) = model_rows(world.facts())
    assert (row.model, row.running) == ("m", 7.0)
    assert row.tokens_per_second["output"] == pytest.approx(50.0)
    assert row.kv_cache_usage == pytest.approx(0.5)
    assert row.kv_cache_peak == pytest.approx(0.9)
    assert model_page(world.facts(), row.source, row.model).row.kv_cache_peak == pytest.approx(0.9)


def test_percentiles_are_those_of_all_ranks_together_and_no_mean_of_theirs() -> None:
    (row,) = model_rows(parallel(30).facts())
    # Of ten requests nine are quick: half are below 0.1 s, and one in twenty is above 5 s.
    assert row.ttft.count == pytest.approx(300.0)
    assert row.ttft.p50[2] == 0.1
    assert row.ttft.p95[0] == 5.0
    assert row.ttft.mean == pytest.approx((9 * 0.1 + 10) / 10)


def test_a_rank_that_goes_takes_its_gauges_with_it_and_leaves_what_it_did() -> None:
    world, collector = parallel(30), source("vllm")
    for second in range(31, 50):
        page = rank(0, 40.0 * second, 2, 0.1, 9.0 * second, 0)
        world.poll(collector.parse(page.encode(), START + float(second)))
    (row,) = model_rows(world.facts())
    assert (row.running, row.kv_cache_usage) == (2.0, pytest.approx(0.1))
    assert row.tokens_per_second["output"] == pytest.approx(40.0, rel=0.2)


def later(page: bytes, more: float) -> bytes:
    """The page with every counter of Triton's so much higher."""
    return re.sub(rb"(?m)^(nv_inference_\w+\{[^\n]*\}) (\d+)$", lambda m: b"%b %d" % (m[1], int(m[2]) + more), page)


def test_the_models_of_one_endpoint_are_rows_of_their_own() -> None:
    world, collector = World(), source("triton")
    page = payload("triton/2.51.0_last.txt")
    for second in range(31):
        world.poll(collector.parse(later(page, 2 * second), START + float(second)), kind="triton")
    rows = {row.model: row for row in model_rows(world.facts())}
    assert set(rows) == {"echo", "flaky", "tiny_llm"}
    assert {row.source for row in rows.values()} == {"triton"}
    assert rows["echo"].requests_per_second == pytest.approx(2.0)


def renamed(kind: str, name: str, page: bytes, world: World, second: int) -> None:
    batch = source(kind).parse(page, START + float(second))
    world.poll(batch.__class__(name, batch.ts, batch.series, batch.values), kind=kind)


def test_one_model_behind_two_engines_is_a_row_for_each_and_costs_each_its_own_gpu() -> None:
    world = World()
    for second in range(31):
        for n, name in enumerate(("vllm@a", "vllm@b")):
            renamed("vllm", name, rank(0, 10.0 * (n + 1) * second, 1, 0.2, second, 0).encode(), world, second)
        gpus = (Gpu(f"GPU-{n}", 0.5, {name: (None, None)}) for n, name in enumerate(("vllm@a", "vllm@b")))
        world.poll(nvml(START + second, *gpus))
    rows: dict[str, ModelRow] = {row.source: row for row in model_rows(world.facts())}
    assert {name: row.model for name, row in rows.items()} == {"vllm@a": "m", "vllm@b": "m"}
    assert {name: row.tokens_per_second["output"] for name, row in rows.items()} == {
        "vllm@a": pytest.approx(10.0),
        "vllm@b": pytest.approx(20.0),
    }
    assert [row.usd_per_hour for row in rows.values()] == [2.49, 2.49]
    assert [row.gpus for name, row in sorted(rows.items())] == [("GPU-0",), ("GPU-1",)]


def test_sglangs_groups_are_one_row_with_the_mean_of_their_caches() -> None:
    world, collector = World(), source("sglang")
    page = payload("sglang/0.5.23_two_groups.txt")
    for second in range(3):
        world.poll(collector.parse(page, START + float(second)), kind="sglang")
    (row,) = model_rows(world.facts())
    assert row.kv_cache_usage == pytest.approx(0.47)
    assert row.running == 14
    assert not math.isnan(row.kv_cache_peak or math.nan)
