"""The row of a model: what it does, and what that costs."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings

from infertop.money.baseline import Mark, Usual
from infertop.money.rates import PriceBook
from infertop.money.settings import ClassPrice, HourlyRate, ModelPrices, Settings
from infertop.readings.model import Batch, Buckets, Series, Value
from infertop.views.facts import Past
from infertop.views.model_rows import model_rows
from infertop.views.shapes import ModelRow
from tests.money.tape import H100, LLAMA, START, VLLM, Gpu, book, engine, nvml
from tests.views.test_costs import SHARED, lived, worlds
from tests.views.world import World

CPU = "llamacpp@127.0.0.1:8080"
HELD = Gpu("GPU-0", 0.5, {VLLM: (None, None)})
INF = math.inf


def running(seconds: int, prices: PriceBook | None = None, **rates: float) -> World:
    """An H100 at 2.49 USD an hour, and an engine on it whose counters rise by the same each second."""
    world = World(prices)
    for second in range(seconds + 1):
        counters = {name: rate * second for name, rate in rates.items()}
        world.poll(engine(START + second, started=1.0, **counters), nvml(START + second, HELD))
    return world


def only(world: World, **more: Any) -> ModelRow:
    (row,) = model_rows(world.facts(**more))
    return row


def test_what_a_model_does_and_what_that_costs() -> None:
    row = only(running(90, prompt_tokens=100.0, cached_tokens=40.0, output_tokens=25.0, requests=0.5))
    assert (row.source, row.model, row.provider, row.kind, row.state) == (VLLM, LLAMA, "local", "vllm", "up")
    assert row.window_seconds == 60.0
    assert row.tokens_per_second == {"input": 60.0, "cache_read": 40.0, "output": 25.0}
    assert row.requests_per_second == 0.5
    assert (row.usd_per_hour, row.usage_usd_per_hour) == (2.49, pytest.approx(1.245))
    assert row.usd_per_request == pytest.approx(2.49 / 3600 / 0.5)
    weights = 60 + 4 + 100
    assert row.usd_per_million == {
        "input": pytest.approx(2.49 / 3600 / weights * 1e6),
        "cache_read": pytest.approx(2.49 / 3600 / weights * 1e5),
        "output": pytest.approx(2.49 / 3600 / weights * 4e6),
        "blended": pytest.approx(2.49 / 3600 / 125 * 1e6),
    }
    assert row.cache_hit_ratio == 0.4
    assert (row.prompt_tokens_per_request, row.output_tokens_per_request) == (200.0, 50.0)
    assert (row.basis, row.gpus) == ("measured", ("GPU-0",))


def test_the_share_of_drafts_that_was_taken_is_known_only_where_there_were_some() -> None:
    def taken(**rates: float) -> float | None:
        return only(running(30, output_tokens=25.0, **rates)).draft_acceptance_ratio

    assert taken(spec_drafted_tokens=30.0, spec_accepted_tokens=18.0) == pytest.approx(0.6)
    assert taken(spec_drafted_tokens=30.0, spec_accepted_tokens=0.0) == 0.0
    assert taken(spec_drafted_tokens=0.0, spec_accepted_tokens=0.0) is None
    assert taken(spec_drafted_tokens=30.0) is None
    assert taken() is None


@settings(deadline=None, max_examples=40)
@given(worlds)
@example({**SHARED, "book": 0})
def test_the_prices_of_the_classes_times_their_rates_are_the_hour(made: dict[str, Any]) -> None:
    for row in model_rows(lived(made, 6).facts()):
        units = [row.usd_per_request, *row.usd_per_million.values()]
        assert all(each is None or (math.isfinite(each) and each >= 0) for each in units)
        rates = {name: rate for name, rate in row.tokens_per_second.items() if rate}
        if row.usd_per_hour is None or not rates:
            assert all(each is None for each in row.usd_per_million.values())
            continue
        per_hour = sum(row.usd_per_million[name] * rate * 3600 / 1e6 for name, rate in rates.items())
        assert per_hour == pytest.approx(row.usd_per_hour)
        blended = row.usd_per_million["blended"]
        assert blended * sum(rates.values()) * 3600 / 1e6 == pytest.approx(row.usd_per_hour)
        if row.requests_per_second:
            assert row.usd_per_request * row.requests_per_second * 3600 == pytest.approx(row.usd_per_hour)
        else:
            assert row.usd_per_request is None


def test_without_traffic_a_model_costs_its_gpu_and_a_unit_costs_nobody_knows_what() -> None:
    row = only(running(30, prompt_tokens=0.0, cached_tokens=0.0, output_tokens=0.0, requests=0.0))
    assert row.usd_per_hour == 2.49
    assert row.tokens_per_second == {"input": 0.0, "cache_read": 0.0, "output": 0.0}
    assert row.requests_per_second == 0.0
    assert row.usd_per_request is None
    assert set(row.usd_per_million.values()) == {None}
    assert (row.cache_hit_ratio, row.prompt_tokens_per_request) == (None, None)


def test_before_the_second_poll_no_rate_is_known() -> None:
    row = only(running(0, output_tokens=5.0, requests=5.0))
    assert row.tokens_per_second == {"input": None, "cache_read": None, "output": None}
    assert (row.requests_per_second, row.usd_per_request, row.window_seconds) == (None, None, 0.0)


def test_an_engine_that_counts_no_requests_has_no_price_of_one() -> None:
    row = only(running(30, prompt_tokens=10.0, output_tokens=5.0))
    assert (row.requests_per_second, row.usd_per_request) == (None, None)
    assert row.tokens_per_second == {"input": 10.0, "cache_read": None, "output": 5.0}


def test_a_model_without_a_gpu_and_a_host_without_a_price_cost_an_unknown_amount() -> None:
    world = World(book("2.49"), [CPU])
    for second in range(10):
        world.poll(engine(START + second, source=CPU, requests=second, output_tokens=second), kind="llamacpp")
    row = only(world)
    assert (row.usd_per_hour, row.usage_usd_per_hour, row.usd_per_request) == (None, None, None)
    assert set(row.usd_per_million.values()) == {None}


def test_a_model_on_the_host_costs_the_hosts_hour() -> None:
    world = World(book(None, host="0.36"), [CPU])
    for second in range(10):
        world.poll(engine(START + second, source=CPU, requests=second, output_tokens=second), kind="llamacpp")
    row = only(world)
    assert (row.usd_per_hour, row.basis) == (pytest.approx(0.36), "measured")
    assert row.usd_per_request == pytest.approx(0.0001)


def test_a_source_that_is_no_longer_read_has_a_cost_and_no_rates() -> None:
    world = running(30, output_tokens=5.0, requests=1.0, running=0.1)
    for second in range(31, 50):
        world.poll(nvml(START + second, HELD))
    row = only(world)
    assert row.state == "stale"
    assert row.age_seconds == 19.0
    assert row.usd_per_hour == 2.49
    assert (row.requests_per_second, row.running, row.usd_per_request) == (None, None, None)
    assert set(row.tokens_per_second.values()) == {None}


def test_a_restart_counts_what_the_new_process_did() -> None:
    world = running(30, output_tokens=10.0)
    for second in range(31, 61):
        world.poll(engine(START + second, started=float(START + 30), output_tokens=20.0 * (second - 30)))
        world.poll(nvml(START + second, HELD))
    assert only(world).tokens_per_second["output"] == pytest.approx((300 + 600) / 60)


def test_what_ran_in_a_gap_is_in_no_rate() -> None:
    world = running(10, output_tokens=10.0)
    for second in (40, 41, 42):
        world.poll(engine(START + second, started=1.0, output_tokens=10_000.0 + 10 * second))
        world.poll(nvml(START + second, HELD))
    row = only(world)
    assert row.tokens_per_second["output"] == pytest.approx(10.0)
    assert row.window_seconds == 12.0


def ranked(ts: float, said: dict[str, tuple[Value, ...]]) -> Batch:
    """A poll of an engine with several ranks."""
    pairs = [
        (Series.of(name, model=LLAMA, rank=str(rank)), value)
        for name, values in said.items()
        for rank, value in enumerate(values)
    ]
    return Batch(VLLM, ts, tuple(series for series, _ in pairs), tuple(value for _, value in pairs), 1.0)


def test_ranks_are_one_row() -> None:
    world = World()
    for second in range(11):
        buckets = [
            Buckets((0.1, 1.0, INF), (n * second, 2.0 * n * second, 2.0 * n * second), second * n) for n in (1, 3)
        ]
        said: dict[str, tuple[Value, ...]] = {
            "output_tokens": (10.0 * second, 30.0 * second),
            "running": (2.0, 3.0),
            "waiting": (0.0, 4.0),
            "kv_cache_usage": (0.2, 0.9 if second == 5 else 0.4),
            "ttft_seconds": tuple(buckets),
        }
        world.poll(ranked(START + second, said))
    row = only(world)
    assert row.tokens_per_second["output"] == 40.0
    assert (row.running, row.waiting) == (5.0, 4.0)
    assert (row.kv_cache_usage, row.kv_cache_peak) == (pytest.approx(0.3), 0.9)
    assert row.ttft.count == 80.0
    assert row.ttft.mean == pytest.approx(0.5)
    low, middle, high = row.ttft.p50
    assert (low, high) == (None, 0.1)
    assert middle is None or middle <= 0.1


@pytest.mark.parametrize(
    ("reasons", "rate"), [({"error": 1.0}, 1.0), ({"error": 1.0, "5xx": 1.0, "4xx": 2.0}, 3.0), ({}, None)]
)
def test_a_failure_that_engine_and_server_count_is_one(reasons: dict[str, float], rate: float | None) -> None:
    world = World()
    for second in range(11):
        series = (
            Series.of("running", model=LLAMA),
            *(Series.of("requests_failed", model=LLAMA, reason=r) for r in reasons),
        )
        world.poll(Batch(VLLM, START + second, series, (1.0, *(each * second for each in reasons.values())), 1.0))
    assert only(world).failed_per_second == rate


def test_latencies_without_a_histogram_are_what_the_engine_states_itself() -> None:
    world = World()
    for second in range(11):
        said = {f"request_seconds_quantile {q}": v for q, v in (("0.5", 0.2), ("0.95", 0.9))}
        pairs = [
            (Series.of("request_seconds_quantile", model=LLAMA, quantile=k.split()[1]), v) for k, v in said.items()
        ]
        pairs += [(Series.of("request_seconds_total", model=LLAMA), 3.0 * second)]
        pairs += [(Series.of("requests", model=LLAMA), 10.0 * second)]
        pairs += [(Series.of("decode_seconds_total", model=LLAMA), 2.0 * second)]
        pairs += [(Series.of("output_tokens", model=LLAMA), 100.0 * second)]
        world.poll(Batch(VLLM, START + second, tuple(s for s, _ in pairs), tuple(v for _, v in pairs), 1.0))
    row = only(world)
    assert (row.request.p50[1], row.request.p95[1], row.request.p99[1]) == (0.2, 0.9, None)
    assert row.request.mean == pytest.approx(0.3)
    assert row.inter_token.mean == pytest.approx(0.02)
    assert row.inter_token.p50 == (None, None, None)
    assert row.ttft.count == 0


def test_the_dearest_model_is_first_and_one_name_on_two_engines_is_two_rows() -> None:
    world = World(
        PriceBook(Settings(gpus=(HourlyRate("H100", "x:1", Decimal(2)), HourlyRate("A100", "x:2", Decimal(5)))))
    )
    other = "vllm@127.0.0.1:8001"
    for second in range(5):
        cheap, dear = (
            Gpu("GPU-0", 0.5, {VLLM: (1e9, 0.1)}),
            Gpu("GPU-1", 0.5, {other: (1e9, 0.1)}, "NVIDIA A100-SXM4-80GB"),
        )
        loading = Gpu("GPU-2", 0.5, {"vllm@127.0.0.1:8002": (1e9, 0.1)}, H100)
        world.poll(engine(START + second, requests=second), engine(START + second, source=other, requests=second))
        world.poll(engine(START + second, source="vllm@127.0.0.1:8002"))
        world.poll(nvml(START + second, cheap, dear, loading))
    rows = model_rows(world.facts())
    assert [(row.source, row.model, row.usd_per_hour) for row in rows] == [
        (other, LLAMA, 5.0),
        ("vllm@127.0.0.1:8002", "(unknown)", 2.0),
        (VLLM, LLAMA, 2.0),
    ]


def test_names_stay_as_they_were_sent() -> None:
    world = World()
    for second in range(3):
        world.poll(engine(START + second, model="[red]\x1b]0;x\x07\u202e[/]", requests=second))
    assert only(world).model == "[red]\x1b]0;x\x07\u202e[/]"


def shadow(**usd: str) -> PriceBook:
    prices = tuple(ClassPrice(name, Decimal(each), f"pricing.toml:{n}") for n, (name, each) in enumerate(usd.items()))
    gpus = (HourlyRate("H100", "pricing.toml:2", Decimal("2.49")),)
    return PriceBook(Settings(gpus=gpus, models=(ModelPrices("llama*", "pricing.toml:4", "local", prices),)))


def test_a_shadow_price_gives_the_margin_and_the_weights_and_is_no_spend() -> None:
    rates = {"prompt_tokens": 1000.0, "cached_tokens": 0.0, "output_tokens": 100.0, "requests": 1.0}
    row = only(running(30, shadow(input="1", output="2"), **rates))
    assert row.usd_per_hour == 2.49
    assert row.shadow_margin_usd_per_hour == pytest.approx((1000 * 1 + 100 * 2) * 3600 / 1e6 - 2.49)
    assert row.usd_per_million["output"] == pytest.approx(2 * row.usd_per_million["input"])
    assert only(running(30, **rates)).shadow_margin_usd_per_hour is None


def test_a_mark_is_shown_on_the_row_that_it_is_about() -> None:
    usual = Usual(1.0, 0.1, 60)
    mark = Mark((("model", LLAMA), ("source", VLLM)), "usd_per_hour", 2.49, usual, START)
    other = Mark((("model", "other"), ("source", VLLM)), "usd_per_hour", 2.49, usual, START)
    world = running(5, requests=1.0)
    assert not only(world, past=Past(marks=(other,))).marked
    row = only(world, past=Past(marks=(other, mark)))
    assert (row.marked, row.mark_note) == (True, "usd_per_hour 2.49, usually 1")


def test_totals_of_the_day_are_the_ledgers() -> None:
    totals = {(VLLM, LLAMA): {"requests": 7.0, "input": 9.0, "usd": None}}
    assert only(running(5, requests=1.0), past=Past(totals=totals)).totals == totals[VLLM, LLAMA]


def test_what_was_counted_all_day_and_never_moved_is_zero_and_what_is_not_counted_is_unknown() -> None:
    idle = running(90, requests=0.0, prompt_tokens=0.0, output_tokens=0.0)
    assert only(idle, past=Past(coverage=0.5)).totals == {"requests": 0.0, "input": 0.0, "output": 0.0}
    assert only(idle).totals == {}, "nothing is known of a day of which nothing was recorded"
    booked = Past(coverage=0.5, totals={(VLLM, LLAMA): {"requests": 7.0}})
    assert only(idle, past=booked).totals == {"requests": 7.0, "input": 0.0, "output": 0.0}
