"""A model drilled into, and how its figures were come by."""

from __future__ import annotations

from typing import Any

import pytest

from infertop.money.budgets import status
from infertop.views.facts import Past, Told
from infertop.views.model_page import BINS, model_page
from infertop.views.model_rows import model_rows
from infertop.views.overview import overview
from infertop.views.shapes import BudgetRow, Event, GpuRow, Headline, ModelRow, SourceRow
from tests.money.tape import LLAMA, START, VLLM, Gpu, engine, nvml
from tests.views.explaining import explain
from tests.views.test_costs import SHARED, lived
from tests.views.test_model_rows import HELD, running, shadow
from tests.views.test_overview import MONTH as BUDGET
from tests.views.test_overview import UTC
from tests.views.test_overview import lived as small
from tests.views.world import World

RATES = {"prompt_tokens": 100.0, "cached_tokens": 40.0, "output_tokens": 25.0, "requests": 0.5}


def test_the_page_has_the_row_its_gpus_and_its_history() -> None:
    world = running(90, **RATES)
    minute = START // 60 * 60
    past = Past(
        minutes=(minute, minute + 60),
        usd_by_place=({(VLLM, LLAMA): 1.0, ("other", LLAMA): 9.0}, {(VLLM, LLAMA): 2.0}),
        events=(Event(1.0, "warn", "mark", "a", {"model": LLAMA}), Event(2.0, "warn", "mark", "b", {"model": "other"})),
    )
    page = model_page(world.facts(past=past), VLLM, LLAMA)
    assert page.row == model_rows(world.facts(past=past))[0]
    assert [each.uuid for each in page.gpus] == ["GPU-0"]
    assert len(page.times) == BINS
    assert page.times[0] == world.now - 60
    assert {name: len(values) for name, values in page.history.items()} == dict.fromkeys(page.history, BINS)
    assert page.history["output"][5] == pytest.approx(25.0)
    assert page.history["input"][5] == pytest.approx(60.0)
    assert page.history["cache_read"][5] == pytest.approx(40.0)
    assert page.history["requests"][5] == pytest.approx(0.5)
    assert set(page.history["usd_per_hour"]) <= {1.0, 2.0, 2.49}
    assert [each.text for each in page.events] == ["a"]
    assert page.split_method == "token weights"


def test_the_cost_of_the_time_before_anybody_read_the_engine_is_unknown() -> None:
    world = running(15, **RATES)
    page = model_page(world.facts(), VLLM, LLAMA)
    cost = dict(zip(page.times, page.history["usd_per_hour"], strict=True))
    assert {usd for at, usd in cost.items() if at < world.now - 15} == {None}
    assert {usd for at, usd in cost.items() if at >= world.now - 15} == {page.row.usd_per_hour}
    assert page.row.usd_per_hour is not None


def test_a_model_that_is_gone_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        model_page(running(5, **RATES).facts(), VLLM, "other")


def told(*says: str, **more: Any) -> dict[str, Any]:
    return {"told": {"vllm": Told(frozenset(says), **more)}}


def test_what_a_kind_never_says_is_told_apart_from_what_this_engine_does_not_show() -> None:
    world = running(30, prompt_tokens=9.0, output_tokens=5.0)
    page = model_page(world.facts(**told("prompt_tokens", "output_tokens", "requests_failed", "waiting")), VLLM, LLAMA)
    assert page.not_shown == ("failures", "queue")
    assert {"requests", "cached tokens", "KV cache", "time to first token", "queue time"} <= set(page.not_reported)
    assert not {"prompt tokens", "output tokens", "failures", "queue"} & set(page.not_reported)


def test_of_a_kind_that_nobody_knows_all_that_is_missing_is_not_reported() -> None:
    page = model_page(running(30, input_tokens=9.0, running=5.0, waiting=0.0).facts(), VLLM, LLAMA)
    assert page.not_shown == page.caveats == ()
    assert {"output tokens", "requests"} <= set(page.not_reported)
    assert not {"prompt tokens", "running", "queue"} & set(page.not_reported)


def test_what_is_reported_and_has_nothing_to_show_is_no_gap() -> None:
    world = running(30, prompt_tokens=0.0, cached_tokens=0.0, requests=0.0)
    page = model_page(world.facts(), VLLM, LLAMA)
    assert page.row.cache_hit_ratio is None
    assert not {"cached tokens", "requests"} & set(page.not_reported)


def test_what_an_engines_figures_mean_is_said() -> None:
    facts = running(5, **RATES).facts(**told(caveats=("a request counts twice",), counts_at_end=True))
    said = model_page(facts, VLLM, LLAMA).caveats
    assert said[0] == "a request counts twice"
    assert "counted when a request ends" in said[1]


def test_tokens_that_are_counted_when_a_request_ends_have_a_smooth_history() -> None:
    world = World()
    for second in range(91):
        world.poll(engine(START + second, output_tokens=300.0 * (second // 10), requests=float(second)))
    jumps = model_page(world.facts(), VLLM, LLAMA).history["output"]
    calm = model_page(world.facts(**told("output_tokens", counts_at_end=True)), VLLM, LLAMA)
    assert (min(jumps), max(jumps)) == (0.0, 300.0)
    assert all(each == pytest.approx(30.0, rel=0.04) for each in calm.history["output"][60:])
    assert all(each == pytest.approx(30.0, rel=0.04) for each in calm.row.trend[15:])


def test_input_tokens_that_are_counted_apart_are_shown_as_they_are() -> None:
    page = model_page(running(30, input_tokens=9.0, output_tokens=5.0).facts(), VLLM, LLAMA)
    assert page.history["input"][100] == pytest.approx(9.0)


def test_a_shadow_price_is_named_with_its_source() -> None:
    page = model_page(running(30, shadow(input="1", output="2"), **RATES).facts(), VLLM, LLAMA)
    (note,) = page.price_notes
    assert "input $1 (pricing.toml:0), cache_read $1 (pricing.toml:0), output $2 (pricing.toml:1)" in note
    assert "never added to spend" in note
    assert model_page(running(30, **RATES).facts(), VLLM, LLAMA).price_notes == ()


def test_how_the_gpu_was_divided_is_said() -> None:
    world = World()
    for second in range(5):
        shared = Gpu("GPU-0", 0.5, {VLLM: (60e9, 0.1), "vllm@127.0.0.1:8001": (20e9, 0.3)})
        world.poll(nvml(START + second, shared), engine(START + second, requests=second))
        world.poll(engine(START + second, source="vllm@127.0.0.1:8001", model="b", requests=second))
    page = model_page(world.facts(), VLLM, LLAMA)
    assert page.allocation_note == "busy by measured SM time, idle by memory held"
    text = "\n".join(line for each in page.explained for line in each.lines)
    assert "0.5 of GPU 0" in text
    assert "measured SM time" in text


def test_every_column_of_every_row_can_be_asked_about() -> None:
    """Nothing that can be asked about raises, whatever is known."""
    hostile = World()
    for second in range(3):
        hostile.poll(engine(START + second, model="a\tb\x1b[2J", requests=second), nvml(START + second, HELD))
    budgets = Past(budgets=(status(BUDGET, 10**9, 1.0, float(START), UTC),), coverage=0.5)
    known = small().facts(past=budgets)
    assert explain(known, "budgets", BUDGET.name, "spent_usd").lines[0].endswith("began in UTC, pricing.toml:1")
    for facts in (lived({**SHARED, "book": 1}, 5).facts(), World().facts(), known, hostile.facts()):
        view = overview(facts)
        keys = {
            ("models", ModelRow): [f"{each.source}\t{each.model}" for each in view.models],
            ("gpus", GpuRow): [each.uuid for each in view.gpus],
            ("budgets", BudgetRow): [each.name for each in view.budgets],
            ("sources", SourceRow): [each.name for each in view.sources],
            ("headline", Headline): [""],
        }
        for (panel, shape), names in keys.items():
            for key in [*names, "gone"]:
                for column in shape.__dataclass_fields__:
                    said = explain(facts, panel, key, column)
                    assert all(isinstance(line, str) for line in said.lines)
        for row in view.models:
            assert model_page(facts, row.source, row.model).row == row


def test_the_formula_of_a_request_has_its_real_inputs() -> None:
    facts = running(90, **RATES).facts()
    said = explain(facts, "models", f"{VLLM}\t{LLAMA}", "usd_per_request")
    assert said.title == "$/request  $0.00138333"
    assert said.lines[1] == "  = 2.49 x 60 / 3600 / 30 = 0.001383 USD"


def test_an_unknown_price_is_explained_by_what_to_do() -> None:
    world = World()
    world.poll(nvml(START, Gpu("GPU-0", name="Graphics Device")))
    said = explain(world.facts(), "gpus", "GPU-0", "usd_per_hour")
    assert any('[gpu."Graphics Device"]' in line for line in said.lines)
