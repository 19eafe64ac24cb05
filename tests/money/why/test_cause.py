"""What is named as the cause of a change, and what its figures are."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from infertop.money.why.explain import Explanation, explain
from infertop.money.why.factors import ABOUT_REQUESTS
from infertop.money.why.measured import Place
from infertop.money.why.usage import Usage, UsageLine
from tests.money.why.usages import Traffic, gpus, usage

BOTS = Traffic(key="bots")
DESK = Traffic(key="desk", requests=400, prompt=800)
MINI = Traffic(model="mini", requests=5000, prompt=900, input_usd=0.15, output_usd=0.6)
OWN = Traffic(model="llama", provider="local", key="")


def named(found: Explanation) -> tuple[str, Place, float | None, float | None]:
    assert found.cause is not None
    effect = found.cause.effect
    return found.cause.factor, effect.place, effect.figure.before, effect.figure.after


def parts(found: Explanation) -> dict[str, float]:
    return {each.factor: round(each.nano / 1e9, 2) for each in found.effects}


def of_bots(change: Traffic) -> Explanation:
    return explain(usage(BOTS, DESK, MINI), usage(change, DESK, MINI))


@pytest.mark.parametrize(
    ("change", "factor", "before", "after"),
    [
        (replace(BOTS, requests=3000), "volume", 1000, 3000),
        (replace(BOTS, requests=100), "volume", 1000, 100),
        (replace(BOTS, prompt=6000), "prompt_tokens", 2000, 6000),
        (replace(BOTS, output=900), "output_tokens", 300, 900),
        (replace(BOTS, reasoning=500), "reasoning_tokens", 0, 500),
        (replace(BOTS, hits=0.0), "cache_hit_rate", 0.25, 0),
        (replace(BOTS, output_usd=20), "price", 10, 20),
    ],
)
def test_what_happened_to_one_key_is_named_with_its_figures(
    change: Traffic, factor: str, before: float, after: float
) -> None:
    found = of_bots(change)
    assert named(found) == (factor, Place(value="bots"), before, after)
    assert (found.by, found.changes[0].name) == ("key", "bots")


def test_a_model_whose_keys_all_did_the_same_is_where_it_happened() -> None:
    keys = [replace(BOTS, key=key) for key in "abcdef"]
    found = explain(usage(*keys, MINI), usage(*(replace(each, prompt=6000) for each in keys), MINI))
    assert named(found) == ("prompt_tokens", Place(model="gpt-4o"), 2000, 6000)
    assert found.by == "model"


def formula(before: list[Traffic], after: list[Traffic]) -> dict[str, float]:
    """LMDI-I as it is written down: the sum over models and classes of L(c1, c0) ln(x1 / x0)."""
    volume = [sum(each.requests for each in side) for side in (before, after)]
    sums: dict[str, float] = {}
    for pair in zip(before, after, strict=True):
        share = [each.requests / v for each, v in zip(pair, volume, strict=True)]
        for factor, length, part, usd in (
            ("prompt_tokens", [t.prompt for t in pair], [1 - t.hits for t in pair], [t.input_usd for t in pair]),
            ("prompt_tokens", [t.prompt for t in pair], [t.hits for t in pair], [t.input_usd / 2 for t in pair]),
            ("output_tokens", [t.output for t in pair], [1.0, 1.0], [t.output_usd for t in pair]),
        ):
            factors = {"volume": volume, "mix": share, factor: length, "cache_hit_rate": part, "price": usd}
            cost = [math.prod(each[at] for each in factors.values()) / 1e6 for at in (0, 1)]
            mean = (cost[1] - cost[0]) / math.log(cost[1] / cost[0]) if cost[0] != cost[1] else cost[0]
            for name, values in factors.items():
                sums[name] = sums.get(name, 0.0) + mean * math.log(values[1] / values[0])
    return {name: nano for name, nano in sums.items() if abs(nano) > 1e-9}


def test_models_are_divided_as_the_formula_says() -> None:
    before = [Traffic(prompt=2000, hits=0.4), replace(MINI, key="a", requests=2000, hits=0.3)]
    after = [
        Traffic(prompt=4300, hits=0.2, output=310, requests=1300),
        replace(MINI, key="a", requests=1900, hits=0.31, output_usd=0.7),
    ]
    found = explain(usage(*before), usage(*after))
    assert named(found) == ("prompt_tokens", Place(model="gpt-4o"), 2000, 4300)
    assert {each.factor: each.nano / 1e9 for each in found.effects} == pytest.approx(formula(before, after), abs=1e-7)


def test_requests_that_move_to_a_dearer_model_are_a_mix() -> None:
    before = usage(replace(BOTS, requests=100), replace(MINI, key="bots", requests=900))
    after = usage(replace(BOTS, requests=500), replace(MINI, key="bots", requests=520))
    found = explain(before, after)
    factor, place, share, share_after = named(found)
    assert (factor, place) == ("mix", Place(model="gpt-4o"))
    assert (share, share_after) == (pytest.approx(0.1), pytest.approx(500 / 1020))


@pytest.mark.parametrize("back", [False, True])
def test_a_model_that_was_not_there_before_is_new_and_one_that_is_no_more_is_gone(back: bool) -> None:
    o3 = Traffic(model="o3", key="bots", requests=300, input_usd=20, output_usd=80)
    windows = usage(BOTS), usage(BOTS, o3)
    found = explain(*(reversed(windows) if back else windows))
    assert found.cause is not None
    assert (found.cause.is_new, found.cause.factor, found.cause.effect.place) == (True, "mix", Place(model="o3"))
    assert abs(found.cause.nano) == usage(o3).nano_per_hour


def test_a_key_that_was_not_there_before_is_new() -> None:
    found = explain(usage(DESK, MINI), usage(BOTS, DESK, MINI))
    assert found.cause is not None
    assert (found.cause.is_new, found.cause.factor, found.cause.effect.place) == (True, "clients", Place(value="bots"))


def test_a_share_that_is_processed_in_a_dearer_tier_is_a_tier_and_no_price() -> None:
    half = replace(BOTS, requests=500)
    found = explain(usage(BOTS), usage(half, replace(half, way="priority", input_usd=5, output_usd=20)))
    assert parts(found) == {"tier": pytest.approx(7.375 / 2, abs=0.01)}
    assert found.effects[0].detail == "priority"
    assert found.effects[0].figure[:2] == (0, 0.5)


def test_where_every_class_is_dearer_the_price_is_that_of_the_same_basket() -> None:
    found = explain(usage(BOTS), usage(replace(BOTS, input_usd=5, output_usd=20, requests=1010)))
    factor, _, before, after = named(found)
    assert (factor, found.effects[0].detail) == ("price", "")
    assert before is not None
    assert after == pytest.approx(2 * before)


def test_requests_that_are_not_known_are_counted_in_tokens_and_that_is_said() -> None:
    blind = replace(BOTS, requests_known=False)
    found = explain(usage(blind), usage(replace(blind, requests=2000)))
    assert named(found)[0] == "volume"
    assert found.effects[0].figure == (2_300_000, 4_600_000, "tokens/h")
    assert found.flags == ("requests of gpt-4o are not known: what was asked is counted in tokens",)


def test_costs_that_are_told_as_one_are_divided_among_tokens_by_weight() -> None:
    own = {"source": "router", "provider": "openrouter", "model": "x"}

    def told(prompt: float, usd: float) -> Usage:
        counts = {"requests": 100.0, "input": 100 * prompt, "output": 10_000.0}
        lines = [UsageLine(own, name, count) for name, count in counts.items()]
        return usage(more=[*lines, UsageLine(own, "cost", usd * 1e9, int(usd * 1e9))])

    found = explain(told(1000, 1.4), told(4000, 4.4))
    assert parts(found) == {"prompt_tokens": 3.0}
    assert parts(explain(told(1000, 1.4), told(1000, 2.8))) == {"price": 1.4}


def test_a_cost_without_anything_counted_is_everything_else() -> None:
    lines = [UsageLine({"source": "x", "provider": "openai", "model": "m"}, "cost", 0.0, 10**9)]
    assert parts(explain(usage(BOTS), usage(BOTS, more=lines))) == {"other": 1.0}


def test_what_rounding_left_is_no_effect_of_its_own() -> None:
    dust = usage(replace(BOTS, prompt=4000, output_usd=10.0000001))
    assert [each.factor for each in explain(usage(BOTS), dust).effects] == ["prompt_tokens"]


def test_a_credit_is_an_adjustment_to_the_last_unit() -> None:
    credit = UsageLine({"source": "openai", "provider": "openai"}, "adjustment", 0.0, -1_234_567_891)
    found = explain(usage(BOTS), usage(BOTS, more=[credit]))
    assert [(each.factor, each.nano) for each in found.effects] == [("adjustments", -1_234_567_891)]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (gpus(2, 0.8), gpus(4, 0.4), {"gpu_count": 6.0}),
        (gpus(2, 0.8), gpus(2, 0.8, usd=4), {"gpu_rate": 2.0}),
        (gpus(2, 0.4), gpus(2, 0.9), {}),
        ([], gpus(1, 0.5), {"gpu_count": 3.0}),
    ],
)
def test_gpus_cost_by_their_number_and_rate_and_not_by_what_they_do(
    before: list[UsageLine], after: list[UsageLine], expected: dict[str, float]
) -> None:
    assert parts(explain(usage(OWN, more=before), usage(OWN, more=after))) == expected


def test_gpus_that_came_with_the_work_are_explained_by_the_work() -> None:
    before, after = usage(OWN, more=gpus(2, 0.8)), usage(replace(OWN, requests=2000), more=gpus(4, 0.8))
    assert parts(explain(before, after)) == {"volume": 6.0}
    longer = usage(replace(OWN, output=OWN.output * 3), more=gpus(3, 0.8))
    assert parts(explain(before, longer)) == {"output_tokens": 3.0}


def test_gpus_that_do_less_in_the_same_time_are_explained_by_their_efficiency() -> None:
    before, after = usage(OWN, more=gpus(2, 0.5)), usage(OWN, more=gpus(4, 0.5))
    assert parts(explain(before, after)) == {"efficiency": 6.0}
    assert named(explain(before, after))[2:] == (pytest.approx(2_750_000), pytest.approx(1_375_000))


def test_a_model_that_holds_more_of_the_same_gpus_is_explained_by_their_use() -> None:
    def held(idle_hours: float) -> list[UsageLine]:
        own = {"source": "vllm", "provider": "local", "model": "llama"}
        ms = 3_600_000
        return [
            UsageLine(own, "gpu_busy", 0.5 * ms, 1_500_000_000, pool="H100", gpu="GPU-0"),
            UsageLine(own, "gpu_idle", idle_hours * ms, round(idle_hours * 3e9), pool="H100", gpu="GPU-0"),
        ]

    assert parts(explain(usage(OWN, more=held(0.1)), usage(OWN, more=held(0.5)))) == {"utilization": 1.2}


def test_a_window_in_which_nothing_was_used_is_nothing_and_one_that_nobody_recorded_is_unknown() -> None:
    nothing, unknown = Usage(()), Usage((), recorded=0.0)
    assert explain(nothing, usage(BOTS)).before_nano == 0
    assert explain(unknown, usage(BOTS)).before_nano is None


def test_the_cause_of_a_rise_is_what_costs_more_though_the_unusual_factor_saves_and_all_of_it_fell() -> None:
    before, after = usage(BOTS), usage(replace(BOTS, requests=300, prompt=6000, output=100))
    for unusual in ("", "output_tokens", "volume"):
        found = explain(before, after, unusual=unusual, way=1)
        assert found.cause is not None
        assert (found.cause.factor, found.cause.nano > 0) == ("prompt_tokens", True)
    less = explain(before, after, way=-1).cause
    assert less is not None
    assert (less.factor, less.nano < 0) == ("volume", True)


def test_machines_that_nobody_recorded_in_one_window_are_neither_new_nor_gone() -> None:
    machine = UsageLine({"source": "host", "provider": "local"}, "host", 3.6e6, 2 * 10**9, metered=True)
    off, on = replace(usage(BOTS), lacks_meters=True), usage(replace(BOTS, prompt=4000), more=[machine])
    for windows in ((off, on), (on, off)):
        found = explain(*windows)
        assert {each.factor for each in found.effects} == {"prompt_tokens"}
        assert sum(each.nano for each in found.effects) == (found.after_nano or 0) - (found.before_nano or 0)
    alone = explain(Usage((), recorded=0.0, lacks_meters=True), usage(more=[machine]))
    assert (alone.cause, alone.effects, alone.unknown) == (None, (), (True, False))
    assert (alone.before_nano, alone.after_nano) == (None, usage(more=[machine]).nano_per_hour)


def test_what_has_no_price_in_either_window_has_no_effects() -> None:
    lines = [UsageLine({"model": "x", "provider": "new"}, "input", 1e6, None, unpriced=True)]
    found = explain(usage(more=lines), usage(more=lines))
    assert (found.before_nano, found.after_nano, found.effects, found.cause) == (None, None, (), None)


@pytest.mark.parametrize("others", [400, 800, 200])
def test_a_key_that_is_new_did_what_it_costs_whatever_others_asked_meanwhile(others: int) -> None:
    found = explain(usage(DESK), usage(BOTS, replace(DESK, requests=others)))
    assert found.cause is not None
    assert (found.cause.is_new, found.cause.effect.place) == (True, Place(value="bots"))
    assert found.cause.nano == found.cause.effect.nano == usage(BOTS).nano_per_hour


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((BOTS, DESK, MINI), (replace(BOTS, requests=3000), DESK, MINI)),
        ((BOTS, DESK, MINI), (BOTS, DESK, replace(MINI, requests=9000))),
        ((BOTS, DESK, MINI), (replace(BOTS, requests=900), replace(DESK, requests=800), replace(MINI, requests=7000))),
        ((BOTS, MINI), (replace(BOTS, requests=200), replace(MINI, requests=5800))),
        ((BOTS, DESK), (replace(BOTS, requests=400), replace(DESK, requests=1000))),
        ((BOTS, DESK), (replace(BOTS, prompt=4000), DESK)),
    ],
)
def test_a_cause_is_one_effect_or_the_sum_of_those_that_it_names(
    before: tuple[Traffic, ...], after: tuple[Traffic, ...]
) -> None:
    found = explain(usage(*before), usage(*after))
    assert found.cause is not None
    told = found.cause.factors or (found.cause.factor,)
    assert len(told) == 1 or set(told) <= ABOUT_REQUESTS
    first = found.effects[: len([each for each in found.effects if each.factor in told])]
    assert {each.factor for each in first} <= set(told)
    assert sum(each.nano for each in first) == pytest.approx(found.cause.nano, rel=0.005)
