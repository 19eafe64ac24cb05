"""Every figure explains itself, and what a model costs can be worked out by hand."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infertop.money.budgets import status
from infertop.money.load import parse
from infertop.money.rates import PriceBook
from infertop.readings.model import Series
from infertop.views.explain import figures
from infertop.views.facts import Facts, Past
from infertop.views.model_page import model_page
from infertop.views.model_rows import model_rows
from infertop.views.overview import overview
from infertop.views.shapes import BudgetRow, DeploymentRow, Explained, GpuRow, Headline, ModelRow, SourceRow
from infertop.views.wording import amount
from tests.money.tape import LLAMA, VLLM, Gpu, batch, engine, nvml
from tests.views.calculator import check, equations
from tests.views.explaining import NIGHT, RENTED, explain, facts_of, world
from tests.views.test_costs import SHARED, lived, worlds
from tests.views.test_overview import MONTH, UTC
from tests.views.world import World
from tui.panels.budgets import BUDGETS
from tui.panels.gpus import GPUS
from tui.panels.models import MODELS
from tui.panels.sources import SOURCES
from tui.screens.explain import HEAD_COLUMNS

SHADOW = f'[model."{LLAMA}"]\ninput = 0.6\noutput = 0.9\n'
SIZES = {"prompt_tokens": 100.25, "cached_tokens": 40.0, "output_tokens": 25.5, "requests": 0.3}


def test_what_a_model_costs_can_be_worked_out_too() -> None:
    shared = Gpu("GPU-0", 0.61, {VLLM: (60e9, 0.1), "vllm@127.0.0.1:8001": (20e9, 0.3)})
    made = world(RENTED + SHADOW, shared, Gpu("GPU-1", 0.37, {VLLM: (5e9, 0.2)}), **SIZES)
    for second in range(21):
        made.poll(engine(NIGHT + second, source="vllm@127.0.0.1:8001", model="b", requests=second))
    facts = facts_of(made)
    row = next(each for each in model_rows(facts) if each.model == LLAMA)
    told = figures(facts, "models", f"{VLLM}\t{LLAMA}")
    results = {
        "usd_per_hour": row.usd_per_hour,
        "usage_usd_per_hour": row.usage_usd_per_hour,
        "usd_per_request": row.usd_per_request,
        "usd_per_million": row.usd_per_million["blended"],
        "split": row.usd_per_hour,
        "shadow_margin_usd_per_hour": row.shadow_margin_usd_per_hour,
    }
    for column, result in results.items():
        assert result is not None
        assert check(told[column]) >= 1, told[column]
        assert any(right == amount(result) for _, right in equations(told[column].lines)), (column, told[column])
    by_class = [right for _, right in equations(told["usd_per_million"].lines)]
    for name in ("input", "cache_read", "output"):
        price = row.usd_per_million[name]
        assert price is not None
        assert amount(price) in by_class
    assert "divided: busy by measured SM time" in "\n".join(told["usd_per_hour"].lines)
    assert "weights are the ratios of its shadow prices" in "\n".join(told["usd_per_million"].lines)
    assert "the class" not in "\n".join(told["usd_per_million"].lines)
    page = model_page(facts, VLLM, LLAMA)
    assert page.prefill_usd_per_hour is not None
    assert page.decode_usd_per_hour is not None
    assert page.prefill_usd_per_hour + page.decode_usd_per_hour == pytest.approx(row.usd_per_hour, rel=1e-9)


def test_class_prices_times_their_rates_are_the_dollars_an_hour() -> None:
    made = world(RENTED, Gpu("GPU-0", 0.61, {VLLM: (60e9, 0.1)}), **SIZES)
    (row,) = model_rows(facts_of(made))
    assert row.usd_per_hour == 2.49
    prices = {name: price for name, price in row.usd_per_million.items() if name != "blended" and price is not None}
    hourly = [price * (row.tokens_per_second[name] or 0.0) * 3600 / 1e6 for name, price in prices.items()]
    assert len(hourly) == 3
    assert sum(hourly) == pytest.approx(2.49, rel=1e-9)


def test_how_many_drafts_were_taken_can_be_worked_out() -> None:
    def told(**rates: float) -> Explained:
        made = world(RENTED, Gpu("GPU-0", 0.61, {VLLM: (60e9, 0.1)}), **SIZES, **rates)
        return explain(facts_of(made), "models", f"{VLLM}\t{LLAMA}", "draft_acceptance_ratio")

    said = told(spec_drafted_tokens=30.0, spec_accepted_tokens=19.0)
    assert said.lines[1] == "  = 380 / 600 = 0.6333"
    assert check(said) == 1
    assert told(spec_drafted_tokens=0.0, spec_accepted_tokens=0.0).lines[0].endswith("proposed no token in the window")
    assert told().lines[0].startswith("unknown: the engine does not report")


def test_measured_gpu_time_tells_prompts_from_generation() -> None:
    made = World(PriceBook(parse(RENTED.encode())))
    for second in range(11):
        ts = NIGHT + second
        counted = {"prompt_tokens": 100.0, "output_tokens": 50.0, "prefill_gpu_seconds_total": 0.6}
        counted["decode_gpu_seconds_total"] = 0.2
        said = [(Series.of(name, model=LLAMA), each * second) for name, each in counted.items()]
        made.poll(batch(VLLM, ts, said, started=1.0), nvml(ts, Gpu("GPU-0", 0.8, {VLLM: (60e9, 0.8)})))
    page = model_page(facts_of(made), VLLM, LLAMA)
    assert page.split_method == "measured GPU time"
    assert (page.prefill_usd_per_hour, page.decode_usd_per_hour) == (pytest.approx(1.8675), pytest.approx(0.6225))
    split = explain(facts_of(made), "models", f"{VLLM}\t{LLAMA}", "split")
    assert split.lines[0] == "prefill + decode = 1.8675 + 0.6225 = 2.49 USD/h, by measured GPU time"
    assert split.lines[1] == "  GPU time of prompts 6 s, of generation 2 s"
    million = explain(facts_of(made), "models", f"{VLLM}\t{LLAMA}", "usd_per_million")
    assert "  prompts have 0.75 of the cost, generation 0.25, by measured GPU time" in million.lines
    assert check(million) == 5


SHAPES = {
    "headline": Headline,
    "models": ModelRow,
    "gpus": GpuRow,
    "budgets": BudgetRow,
    "sources": SourceRow,
}
# The columns that the screen asks about, which are not all fields.
ON_SCREEN = {
    "headline": HEAD_COLUMNS,
    **{panel.name: tuple(column.key for column in panel.columns) for panel in (MODELS, GPUS, BUDGETS, SOURCES)},
}


def asked(facts: Facts) -> list[tuple[str, str, str, Explained]]:
    """Every column of every row of every panel, explained."""
    view = overview(facts)
    keys = {
        "headline": [""],
        "models": [f"{each.source}\t{each.model}" for each in view.models],
        "gpus": [each.uuid for each in view.gpus],
        "budgets": [each.name for each in view.budgets],
        "sources": [each.name for each in view.sources],
    }
    return [
        (panel, key, column, explain(facts, panel, key, column))
        for panel, names in keys.items()
        for key in names
        for column in dict.fromkeys((*SHAPES[panel].__dataclass_fields__, *ON_SCREEN[panel]))
    ]


@settings(max_examples=25, deadline=None)
@given(worlds, st.booleans())
@example({**SHARED, "book": 1}, True)
@example({**SHARED, "book": 0}, False)
def test_no_column_of_any_row_is_silent_and_all_arithmetic_is_right(made: dict[str, Any], budgeted: bool) -> None:
    live = lived(made, 5)
    spent = status(MONTH, 123_456_789_012 if budgeted else None, 1.2345, live.now, UTC)
    facts = live.facts(past=Past(budgets=(spent,), coverage=0.5, today_usd=1.0, month_usd=2.0))
    for panel, key, column, said in asked(facts):
        assert said.title, (panel, key, column)
        assert said.lines, (panel, key, column)
        assert all(line.strip() for line in said.lines), (panel, key, column)
        check(said)


def test_nothing_is_said_of_what_is_not_there() -> None:
    facts = World().facts()
    assert asked(facts)
    for panel in (*SHAPES, "events"):
        if panel != "headline":
            assert explain(facts, panel, "gone", "usd_per_hour") == Explained("", ())
    assert explain(facts, "headline", "", "usd_per_hour").lines == ("nothing here has a price yet",)


def test_the_lines_that_the_table_adds_are_explained() -> None:
    facts = facts_of(world(RENTED, Gpu("GPU-0", 0.5), Gpu("GPU-1", 0.5)))
    said = explain(facts, "models", "2 gpus\tunheld", "usd_per_hour")
    assert said.lines[0] == "unheld = 2.49 + 2.49 = 4.98 USD/h"
    assert "vllm below" in explain(facts, "models", "\tvllm", "usd_per_hour").lines[0]


def test_a_deployment_is_explained_with_the_age_of_its_price() -> None:
    declared = (
        '[[deployment]]\nname = "ptu"\nkind = "provisioned"\nprovider = "azure"\nmodel = "gpt-4o"\nunits = 50\n'
        "usd_per_unit_hour = 1.0\ntokens_per_minute = 125000\n"
    )
    facts = facts_of(world(RENTED + declared, Gpu("GPU-0", 0.5)))
    (row,) = overview(facts).deployments
    for column in DeploymentRow.__dataclass_fields__:
        said = explain(facts, "deployments", "ptu", column)
        assert said.title
        assert said.lines[-1] == f"price: {row.price_source}, loaded 3 h ago"
    assert explain(facts, "deployments", "gone", "usd_per_hour").lines == ()
    assert explain(facts, "headline", "", "api_usd_per_hour").lines[0] == "api = 50 USD/h"
    whole = explain(facts, "headline", "", "usd_per_hour")
    assert whole.lines[0] == "$/hour = gpu + host + api = 2.49 + 0.4274 + 50 = 52.9174 USD/h"
    assert check(whole) == 1


def test_what_others_named_cannot_draw_on_the_screen() -> None:
    bad = "a\x1b[2J\u202eb"
    made = World()
    for second in range(3):
        gpu = Gpu("GPU-0", 0.5, {"vllm\x1b[2J": (1e9, 0.5)}, name=f"Odd {bad}")
        made.poll(nvml(NIGHT + second, gpu), engine(NIGHT + second, source="vllm\x1b[2J", model=bad, requests=second))
    text = "".join(line for _, _, _, said in asked(made.facts()) for line in (said.title, *said.lines))
    assert not re.search(r"[\x00-\x1f\x7f\u202e]", text)
    pasted = text.partition("set input and output under ")[2].partition(" in pricing.toml")[0]
    assert tomllib.loads(pasted) == {"model": {bad: {}}}
