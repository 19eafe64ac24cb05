"""Every figure explains itself, and what it shows can be worked out by hand."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infertop.money.budgets import status
from infertop.money.load import parse
from infertop.money.rates import PriceBook
from infertop.readings.model import Series
from infertop.views.explain import explain, figures
from infertop.views.facts import Facts, Past
from infertop.views.gpu_rows import gpu_rows
from infertop.views.model_page import model_page
from infertop.views.model_rows import model_rows
from infertop.views.overview import overview
from infertop.views.shapes import BudgetRow, Explained, GpuRow, Headline, ModelRow, SourceRow
from infertop.views.wording import amount, usd
from tests.money.tape import H100, LLAMA, START, VLLM, Gpu, batch, engine, nvml
from tests.views.calculator import check, equations, work_out
from tests.views.test_costs import SHARED, lived, worlds
from tests.views.test_overview import MONTH, UTC
from tests.views.world import World

SMALL = "NVIDIA GeForce RTX 4090"
ENERGY = """
[energy]
usd_per_kwh = 0.30
pue = 1.35
[[energy.tariff]]
from = "22:00"
to = "06:00"
usd_per_kwh = 0.0925
"""
OWNED = f"""timezone = "Europe/Berlin"
[gpu."{SMALL}"]
purchase_usd = 1899.50
lifetime_years = 3.5
residual_usd = 300
availability = 0.95
overhead_usd_per_month = 12.25
[gpu."H100"]
purchase_usd = 31000
lifetime_years = 4
"""
RENTED = f'[gpu."{H100}"]\nusd_per_hour = 2.49\n[host]\nusd_per_hour = 0.4\noverhead_usd_per_month = 20\n'
NOON = 1_795_348_800.0  # 2026-11-22T12:00Z
SHADOW = f'[model."{LLAMA}"]\ninput = 0.6\noutput = 0.9\n'
# 23:30 of a summer's night in Berlin: the night tariff.
NIGHT = START - START % 86_400 + 21.5 * 3600


def world(text: str, *gpus: Gpu, seconds: int = 20, begin: float = NIGHT, **rates: float) -> World:
    """GPUs, and an engine whose counters rise by the same every second."""
    made = World(PriceBook(parse(text.encode())))
    for second in range(seconds + 1):
        ts = begin + second
        made.poll(nvml(ts, *[replace(gpu, joules=gpu.joules and gpu.joules * second) for gpu in gpus]))
        if rates:
            made.poll(engine(ts, started=1.0, **{name: each * second for name, each in rates.items()}))
    made.now += 0.8
    return made


def facts_of(made: World, **more: Any) -> Facts:
    return made.facts(prices_loaded_at=made.now - 3 * 3600 - 5, timezone=str(made.prices.settings.zone), **more)


def of_gpu(made: World, uuid: str = "GPU-0") -> Explained:
    return explain(facts_of(made), "gpus", uuid, "usd_per_hour")


def by_hand(said: Explained) -> Fraction:
    """What a reader makes of the lines of a GPU's $/hour: the longest way from the inputs to the result."""
    named = {}
    head = said.lines[0].split(" = ")
    pairs = equations(said.lines)
    if "hardware + energy" in said.lines[0]:
        # The result of each line of inputs stands in the first one; its inputs are more exact.
        for left, right in pairs[1:]:
            named[right] = work_out(left)
        parts = [each.strip() for each in head[2].split(" + ")]
        assert len(named) == len(parts) == 2
        return sum(named.values(), Fraction(0))
    return work_out(pairs[0][0]) if pairs else Fraction(head[-1].split(" ")[0])


CASES = {
    "rented": (RENTED, Gpu("GPU-0", 0.5), "GPU-0"),
    "rented, with overhead": (
        f'[gpu."{H100}"]\nusd_per_hour = 2.49\noverhead_usd_per_month = 100\n',
        Gpu("GPU-0", 0.5),
        "GPU-0",
    ),
    "default": ("", Gpu("GPU-0", 0.5), "GPU-0"),
    "owned": (OWNED + ENERGY, Gpu("GPU-0", 0.5, name=SMALL, joules=411.2345), "GPU-0"),
    "owned, by power": (OWNED + ENERGY, Gpu("GPU-0", 0.5, name=SMALL, watts=123.456), "GPU-0"),
    "owned, by limit": (OWNED + ENERGY, Gpu("GPU-0", 0.5, name=SMALL, limit=450.0), "GPU-0"),
    "owned, no [energy]": (OWNED, Gpu("GPU-0", 0.5, name=SMALL, watts=333.333), "GPU-0"),
    "owned, no power": (OWNED + ENERGY, Gpu("GPU-0", 0.5, name=SMALL), "GPU-0"),
}
PART = Gpu("MIG-0", None, {VLLM: (None, None)}, f"{H100} MIG 2g.20gb", "GPU-0", 2)
REST = Gpu("GPU-0", None, slices=5, joules=512.3)
CUT = {
    "rented": RENTED,
    "rented, with overhead": CASES["rented, with overhead"][0],
    "default": "",
    "owned": OWNED + ENERGY,
    "owned, with overhead": "[gpu.H100]\npurchase_usd = 31000\nlifetime_years = 4\noverhead_usd_per_month = 33\n",
}


@pytest.mark.parametrize("case", CASES)
def test_a_reader_with_a_calculator_gets_the_dollars_an_hour_of_a_gpu(case: str) -> None:
    text, gpu, uuid = CASES[case]
    made = world(text, gpu)
    said = of_gpu(made)
    check(said)
    (cost,) = [each for each in made.costs().gpus if each.at.gpu == uuid]
    assert cost.usd_per_hour is not None
    if case != "owned, no power":
        assert float(by_hand(said)) == pytest.approx(cost.usd_per_hour, rel=1e-9)
        assert amount(float(by_hand(said))) == amount(cost.usd_per_hour)
    assert said.title == f"$/h  {usd(cost.usd_per_hour)}"
    assert amount(cost.usd_per_hour) in said.lines[0]
    assert all(len(line) <= 100 for line in said.lines), said.lines
    assert "\n".join(said.lines).isascii()


@pytest.mark.parametrize("case", CUT)
@pytest.mark.parametrize("uuid", ["MIG-0", "GPU-0"])
def test_and_those_of_a_part_of_one(case: str, uuid: str) -> None:
    made = world(CUT[case], REST, PART)
    said = of_gpu(made, uuid)
    check(said)
    (cost,) = [each for each in made.costs().gpus if each.at.gpu == uuid]
    assert float(by_hand(said)) == pytest.approx(cost.usd_per_hour, rel=1e-9)
    slices = 2 if uuid == "MIG-0" else 5
    assert f"  slices: {slices} of the 7 compute slices of the whole GPU, by MIG" in said.lines


money = st.decimals("0.01", "99999", places=2)


@settings(max_examples=60, deadline=None)
@given(
    money,
    st.decimals("0", "1", places=3),
    st.decimals("0.5", "10", places=1),
    st.decimals("0.01", "1", places=2),
    st.decimals("0", "500", places=2),
    st.decimals("0", "2", places=4),
    st.decimals("1", "3", places=2),
    st.floats(0, 1400),
)
def test_whatever_an_owned_gpu_is_made_of(
    purchase: Decimal,
    residual: Decimal,
    years: Decimal,
    availability: Decimal,
    overhead: Decimal,
    per_kwh: Decimal,
    pue: Decimal,
    watts: float,
) -> None:
    text = (
        f'[gpu."H100"]\npurchase_usd = {purchase}\nresidual_usd = {(purchase * residual).quantize(Decimal("0.01"))}\n'
        f"lifetime_years = {years}\navailability = {availability}\noverhead_usd_per_month = {overhead}\n"
        f"[energy]\nusd_per_kwh = {per_kwh}\npue = {pue}\n"
    )
    made = world(text, Gpu("GPU-0", 0.5, watts=watts), seconds=2)
    said = of_gpu(made)
    check(said)
    (cost,) = made.costs().gpus
    assert cost.usd_per_hour is not None
    assert float(by_hand(said)) == pytest.approx(cost.usd_per_hour, rel=1e-9, abs=2e-12)
    assert all(len(line) <= 120 for line in said.lines)


def test_an_owned_gpu_says_power_tariff_pue_and_the_age_of_each() -> None:
    text, gpu, _ = CASES["owned"]
    said = of_gpu(world(text, gpu))
    # (1899.50 - 300) / (3.5 x 8760 x 0.95) + 12.25 / 730 = 0.0716960...; 0.411235 x 1.35 x 0.0925 = 0.0513529...
    assert said.title == "$/h  $0.123"
    assert said.lines == (
        "$/h = hardware + energy = 0.071696 + 0.051353 = 0.123 USD/h",
        "hardware = (purchase - residual) / (years x 8760 h x availability) + overhead / 730 h",
        "  = (1899.5 - 300) / (3.5 x 8760 x 0.95) + 12.25 / 730 = 0.071696 USD/h",
        "  bought for 1899.5 USD, worth 300 USD after 3.5 years, on 95 % of the time",
        "  overhead 12.25 USD a month",
        "  pricing.toml:3, loaded 3 h ago",
        "energy = kW x PUE x USD/kWh",
        "  = 0.411235 x 1.35 x 0.0925 = 0.051353 USD/h",
        "  power 411.235 W: mean of the last 20 s by NVML's energy counter, read 0.8 s ago",
        "  a kWh 0.0925 USD, tariff of 22:00-06:00 Europe/Berlin: pricing.toml:18, loaded 3 h ago",
        "  PUE 1.35: pricing.toml:13, loaded 3 h ago",
    )


def test_a_default_rate_says_so_with_its_date_its_range_and_where_it_was_read() -> None:
    said = of_gpu(world("", Gpu("GPU-0", 0.5), begin=NOON + 86_400))
    assert said.lines[0] == "$/h = default rate = 2.95 USD/h"
    text = "\n".join(said.lines)
    assert "nobody set it: default rates 2026-11-22, read 1 days ago" in text
    assert "on offer from 2.29 to 4.29 USD/h" in text
    assert "SkyPilot v8: nebius 2.95" in text
    assert f'[gpu."{H100}"]' in text


def test_a_rented_gpu_says_which_line_and_since_when() -> None:
    text = f'[gpu."{H100}"]\nusd_per_hour = 2.49\nfrom = 2020-01-01\n'
    said = of_gpu(world(text, Gpu("GPU-0", 0.5), begin=NOON))
    assert said.lines == (
        "$/h = rent = 2.49 USD/h",
        "  rent 2.49 USD an hour",
        "  pricing.toml:2, holds from 2020-01-01, loaded 3 h ago",
        "  a rent has its energy in it",
    )


def test_a_guess_says_that_it_is_one() -> None:
    made = world(OWNED + ENERGY, Gpu("GPU-0", 0.5, {VLLM: (1e9, 0.5)}, name=SMALL, limit=450.0), requests=1)
    said = of_gpu(made)
    assert any("power 450 W, estimated: its power limit" in line for line in said.lines)
    (row,) = model_rows(facts_of(made))
    assert row.basis == "estimated"
    assert "power limit" in explain(facts_of(made), "models", f"{VLLM}\t{LLAMA}", "basis").lines[0]


def test_a_gpu_whose_energy_is_unknown_costs_its_hardware_and_says_what_is_missing() -> None:
    made = world(OWNED + ENERGY, Gpu("GPU-0", 0.5, name=SMALL))
    assert "its energy is unknown and not in it" in of_gpu(made).lines[0]
    (row,) = gpu_rows(facts_of(made))
    assert row.usd_per_hour == pytest.approx(0.071696, abs=1e-6)
    assert "energy" in row.price_note


def test_a_rented_host_with_overhead_can_be_worked_out() -> None:
    said = explain(facts_of(world(RENTED, Gpu("GPU-0", 0.5))), "headline", "", "host_usd_per_hour")
    assert said.lines[0] == "$/h = rent + overhead / 730 h = 0.4 + 20 / 730 = 0.4274 USD/h"
    assert check(said) == 1


def test_an_owned_host_says_that_its_power_is_not_in_it() -> None:
    text = "[host]\npurchase_usd = 8760\nlifetime_years = 1\n" + RENTED.split("[host]")[0]
    said = explain(facts_of(world(text, Gpu("GPU-0", 0.5))), "headline", "", "host_usd_per_hour")
    assert said.lines[0] == (
        "$/h = (purchase - residual) / (years x 8760 h x availability) = (8760 - 0) / (1 x 8760 x 1) = 1 USD/h"
    )
    assert "  the host's power is not metered: its energy is not in it" in said.lines
    assert any("a row of its own" in line for line in said.lines)


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


SHAPES = {
    "headline": Headline,
    "models": ModelRow,
    "gpus": GpuRow,
    "budgets": BudgetRow,
    "sources": SourceRow,
}
# What the tables of the screen call columns that are no field.
MORE = {
    "models": ("prompt", "output", "mark"),
    "gpus": ("gpu", "default"),
    "budgets": ("budget",),
    "sources": ("source",),
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
        for column in (*SHAPES[panel].__dataclass_fields__, *MORE.get(panel, ()))
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


def test_what_others_named_cannot_draw_on_the_screen() -> None:
    bad = "a\x1b[2J\u202eb"
    made = World()
    for second in range(3):
        gpu = Gpu("GPU-0", 0.5, {"vllm\x1b[2J": (1e9, 0.5)}, name=f"Odd {bad}")
        made.poll(nvml(NIGHT + second, gpu), engine(NIGHT + second, source="vllm\x1b[2J", model=bad, requests=second))
    text = "".join(line for _, _, _, said in asked(made.facts()) for line in (said.title, *said.lines))
    assert not re.search(r"[\x00-\x1f\x7f\u202e]", text)
