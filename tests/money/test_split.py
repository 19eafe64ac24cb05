import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.split import MEASURED, WEIGHTS, PhaseSeconds, unit_costs
from infertop.money.weights import TOKEN_WEIGHTS, weighted_tokens, weights_from_prices
from infertop.readings.registry import TOKEN_CLASSES

QUANTITIES = st.dictionaries(st.sampled_from(sorted(TOKEN_CLASSES)), st.integers(0, 10**10))
PHASES = st.one_of(st.none(), st.builds(PhaseSeconds, st.floats(0, 1e5), st.floats(0, 1e5)))


@given(st.floats(0, 1e6), QUANTITIES, PHASES)
def test_class_prices_times_quantities_sum_to_the_cost_of_the_window(usd, quantities, phases):
    costs = unit_costs(usd, quantities, None, phases=phases)
    if not costs.method:
        assert all(price is None for price in costs.per_million.values())
        return
    parts = [price * quantities[name] / 1e6 for name, price in costs.per_million.items() if price is not None]
    assert math.isclose(math.fsum(parts), usd, rel_tol=1e-9, abs_tol=1e-12)
    assert math.isclose(costs.prefill_usd + costs.decode_usd, usd, rel_tol=1e-9, abs_tol=1e-12)


def test_the_reading_in_the_contract_of_the_json_comes_out():
    # 1500, 610 and 820 tokens and 3.4 requests a second on two H100 at 2.49 USD an hour, over 60.2 seconds.
    window = 60.2
    quantities = {"input": 1500 * window, "cache_read": 610 * window, "output": 820 * window}
    costs = unit_costs(4.98 * window / 3600, quantities, 3.4 * window)
    assert costs.per_million["input"] == pytest.approx(0.286, abs=5e-4)
    assert costs.per_million["cache_read"] == pytest.approx(0.029, abs=5e-4)
    assert costs.per_million["output"] == pytest.approx(1.143, abs=5e-4)
    assert costs.blended_per_million == pytest.approx(0.472, abs=5e-4)
    assert costs.per_request == pytest.approx(0.000407, abs=5e-7)
    assert costs.method == WEIGHTS


def test_a_gpu_at_three_dollars_that_only_generates_costs_what_a_token_takes():
    costs = unit_costs(3.0, {"output": 2000 * 3600}, None)
    assert costs.per_million["output"] == costs.blended_per_million == pytest.approx(0.416666666667)


@given(st.floats(0.01, 1e6), QUANTITIES, PHASES)
def test_no_token_costs_nothing_whatever_its_class(usd, quantities, phases):
    costs = unit_costs(usd, quantities, None, phases=phases)
    used = {name for name, count in quantities.items() if count}
    if used and costs.method == WEIGHTS:
        assert all(costs.per_million[name] > 0 for name in used)
    assert (costs.method == "") == (not used)


def test_a_token_weighs_by_what_the_gpu_does_for_it():
    assert set(TOKEN_WEIGHTS) == set(TOKEN_CLASSES)
    prompts = ("cache_write_5m", "cache_write_1h", "input_audio", "input_image")
    assert {TOKEN_WEIGHTS[name] for name in prompts} == {TOKEN_WEIGHTS["input"]} == {1.0}
    generated = ("reasoning", "output_audio", "output_image")
    assert {TOKEN_WEIGHTS[name] for name in generated} == {TOKEN_WEIGHTS["output"]} == {4.0}
    assert weighted_tokens({"input": 10, "cache_read": 10, "reasoning": 10, "unheard_of": 10}) == 51.0


def test_nothing_to_divide_by_is_unknown_and_not_zero():
    costs = unit_costs(2.0, {"input": 0, "output": 10}, 0)
    assert costs.per_request is None
    assert costs.per_million == {"input": None, "cache_read": None, "output": pytest.approx(2e5)}
    idle = unit_costs(2.0, {}, None)
    assert (idle.blended_per_million, idle.prefill_usd, idle.decode_usd, idle.method) == (None, None, None, "")


@pytest.mark.parametrize("usd", [None, math.nan, math.inf])
def test_without_a_cost_every_unit_cost_is_unknown(usd):
    costs = unit_costs(usd, {"input": 5, "output": 5}, 5)
    assert set(costs.per_million.values()) == {None}
    assert (costs.blended_per_million, costs.per_request, costs.method) == (None, None, "")


def test_true_gpu_time_of_the_phases_goes_before_weights():
    costs = unit_costs(10.0, {"input": 900, "cache_read": 1000, "output": 100}, 1, phases=PhaseSeconds(3.0, 1.0))
    assert (costs.prefill_usd, costs.decode_usd, costs.method) == (7.5, 2.5, MEASURED)
    assert costs.per_million["input"] == pytest.approx(10 * costs.per_million["cache_read"])
    assert costs.per_million["output"] == pytest.approx(25_000)


@pytest.mark.parametrize("phases", [PhaseSeconds(0.0, 0.0), PhaseSeconds(math.nan, 1.0), PhaseSeconds(1.0, 1.0)])
def test_phase_times_that_do_not_fit_the_tokens_give_way_to_weights(phases):
    costs = unit_costs(10.0, {"output": 100}, 1, phases=phases)
    assert (costs.decode_usd, costs.method) == (10.0, WEIGHTS)


def test_weights_follow_the_ratios_of_a_shadow_price():
    ratios = weights_from_prices({"input": 0.6, "output": 0.9})
    assert {name: ratios[name] for name in ("input", "cache_read", "output")} == pytest.approx(
        {"input": 1.0, "cache_read": 0.1, "output": 1.5}
    )
    assert (ratios["reasoning"], ratios["input_image"]) == (pytest.approx(1.5), 1.0)
    assert weights_from_prices({"input": 2.0, "cache_read": 1.0, "output": 4.0})["cache_read"] == 0.5
    assert weights_from_prices({"input": 0.0, "output": 1.0}) == TOKEN_WEIGHTS
    assert weights_from_prices({"input": 1.0}) == TOKEN_WEIGHTS
