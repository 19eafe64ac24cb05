"""A reader with a calculator gets a GPU's $/hour from what is shown, and sees each input's source and age."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infertop.views.gpu_rows import gpu_rows
from infertop.views.model_rows import model_rows
from infertop.views.shapes import Explained
from infertop.views.wording import amount, usd
from tests.money.tape import H100, LLAMA, VLLM, Gpu
from tests.views.calculator import check, equations, work_out
from tests.views.explaining import ENERGY, NOON, OWNED, RENTED, SMALL, explain, facts_of, world
from tests.views.world import World


def of_gpu(made: World, uuid: str = "GPU-0") -> Explained:
    return explain(facts_of(made), "gpus", uuid, "usd_per_hour")


def by_hand(said: Explained) -> Fraction:
    """What a reader makes of the lines of a GPU's $/hour: the longest way from the inputs to the result."""
    head = said.lines[0].split(" = ")
    pairs = equations(said.lines)
    if "hardware + energy" in said.lines[0]:
        # The result of each line of inputs stands in the first one; its inputs are more exact.
        by_inputs = [work_out(left) for left, _ in pairs[1:]]
        assert len(by_inputs) == len(head[2].split(" + ")) == 2
        return sum(by_inputs, Fraction(0))
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
RENTED_H100 = f'[gpu."{H100}"]\nusd_per_hour = 2.49\n'
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


def test_an_instance_with_a_price_of_its_own_is_not_shared_again() -> None:
    text = f'[gpu."{H100} MIG 2g.20gb"]\nusd_per_hour = 0.9\n[gpu."{H100}"]\nusd_per_hour = 7\n'
    made = world(text, REST, PART)
    assert of_gpu(made, "MIG-0").lines[0] == "$/h = rent = 0.9 USD/h"
    assert of_gpu(made, "GPU-0").lines[0] == "$/h = rent x slices = 7 x 5 / 7 = 5 USD/h"
    found = made.costs()
    assert (found.gpu, found.unheld, found.idle) == (pytest.approx(5.9), pytest.approx(5.0), pytest.approx(5.0))


def test_a_model_that_spans_gpus_says_which_of_them_is_not_in_its_cost() -> None:
    held = {VLLM: (1e9, 0.5)}
    gpus = Gpu("GPU-0", 0.5, held), Gpu("GPU-1", 0.5, held, "Graphics Device"), Gpu("GPU-2", 0.5, held, SMALL)
    made = world(OWNED + RENTED_H100, *gpus, requests=1)
    said = explain(facts_of(made), "models", f"{VLLM}\t{LLAMA}", "usd_per_hour")
    assert said.lines[0] == "$/h = 1 x 2.49 + 1 x 0.0717 = 2.5617 USD/h"
    assert "    at unknown/h: no price, so this part is not in it" in said.lines
    assert any(line.endswith("; its energy is unknown and not in it") for line in said.lines)
    check(said)


money = st.decimals("0.01", "99999", places=2)


@settings(max_examples=60, deadline=None)
@example(*map(Decimal, ("0.01", "0", "4.4", "0.52", "0", "0", "1")), 0.0)
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
        "  PUE 1.35: pricing.toml:14, loaded 3 h ago",
    )


def test_a_pue_that_nobody_set_says_so() -> None:
    text, gpu, _ = CASES["owned"]
    said = of_gpu(world(text.replace("pue = 1.35\n", ""), gpu))
    assert said.lines[-1] == "  PUE 1 (nobody set it): set pue under [energy] in pricing.toml"


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
