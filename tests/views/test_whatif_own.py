"""The what-if page: when GPUs of one's own pay, and what growth takes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from infertop.money.lines import Price
from tests.views.whatif_rows import Page, api_hour, row
from tests.whatif_world import (
    NOON,
    OWN,
    PRICING,
    VLLM,
    book,
    engine_hour,
    gpu,
    minute,
    tokens,
)


def test_break_even_says_from_how_many_tokens_a_day_own_gpus_are_cheaper(page: Page) -> None:
    # 640 tokens/s of a busy GPU; half busy: 1920 tokens a minute are 19,200 in 30 busy seconds.
    (engine,) = page(list(engine_hour(per_minute=6400)), to=("openai/gpt-4o", "openai/gpt-4o-mini")).subjects
    assert engine.capacity_tokens_per_second == pytest.approx(640)
    found = {each.against: each for each in engine.break_even}
    reachable, never = found["openai/gpt-4o"], found["openai/gpt-4o-mini"]
    assert reachable.tokens_per_day == pytest.approx(14.4e6)
    assert reachable.utilization == pytest.approx(0.260416666667)
    assert reachable.reachable is True
    assert reachable.sentence == "cheaper from 14.4 M tokens a day on, 26 % full; now 27.6 M a day"
    assert never.reachable is False
    assert never.sentence == ("never on this GPU: it would need 240 M tokens a day, it can serve 55.3 M (434 %)")


def test_growth_takes_whole_gpus_and_the_api_in_proportion(page: Page) -> None:
    (engine,) = page(list(engine_hour(per_minute=6400)), to=("openai/gpt-4o",), scale=(1, 2, 3, 100)).subjects
    assert [(each.factor, each.own_gpus, each.own_usd_per_hour) for each in engine.scale] == [
        (1, 1, pytest.approx(3)),
        (2, 1, pytest.approx(3)),
        (3, 2, pytest.approx(6)),
        (100, 50, pytest.approx(150)),
    ]
    assert [each.api_usd_per_hour for each in engine.scale] == [pytest.approx(5.76 * n) for n in (1, 2, 3, 100)]
    assert {each.api_model for each in engine.scale} == {"openai/gpt-4o"}


def test_an_engine_on_two_gpus_grows_by_two(page: Page) -> None:
    lines = [
        line
        for ago in range(60, 0, -1)
        for line in minute(ago, *tokens(OWN, output=60_000), *gpu(60_000), *gpu(60_000, uuid="GPU-1"))
    ]
    (engine,) = page(lines, scale=(1, 1.5, 2.5)).subjects
    assert engine.gpus == 2
    assert [each.own_gpus for each in engine.scale] == [2, 4, 6]


def test_api_traffic_goes_to_own_gpus_where_the_same_model_was_measured_here(page: Page) -> None:
    served = replace(OWN, model="gpt-4o")
    api = api_hour(input=1_200, output=600)
    here = [
        line
        for ago in range(60, 0, -1)
        for line in minute(ago, *tokens(served, output=19_200), *gpu(30_000, model="gpt-4o"))
    ]
    found = page([*api, *here], source="openai").subjects
    (asked,) = found
    own = row(asked, "local/own GPUs: NVIDIA A100-SXM4-80GB")
    assert own.usd_per_hour == pytest.approx(3)
    assert any("each 640 tokens/s" in note and VLLM in note for note in own.notes)
    (point,) = asked.break_even
    assert (point.against, point.reachable) == ("openai/gpt-4o", True)
    assert asked.gpus is None


def test_api_traffic_on_a_gpu_that_is_only_thought_of_needs_its_throughput(page: Page) -> None:
    api = api_hour(input=12_000, output=6_000)
    (asked,) = page(api, gpu="H100").subjects
    own = row(asked, "local/own GPUs: H100")
    assert own.usd_per_hour is None
    assert "what one GPU serves is not known: infertop whatif --tokens-per-second N sets it" in own.notes
    assert [each.own_gpus for each in asked.scale] == [None, None, None]
    assert [each.reachable for each in asked.break_even] == [None]
    (told,) = page([], gpu="H100", tokens_per_second=100).subjects
    # 300 tokens a second are 3 GPUs at the default rate.
    own = row(told, "local/own GPUs: H100")
    rate = book().gpu_price("H100", ts=NOON)
    assert rate is not None
    assert own.usd_per_hour == pytest.approx(float(rate.usd) * 3)
    assert [each.own_gpus for each in told.scale] == [3, 30, 300]


def test_without_a_gpu_there_is_nothing_to_compare_with(page: Page) -> None:
    (asked,) = page(api_hour(input=100)).subjects
    assert asked.break_even == ()
    assert {(each.own_gpus, each.note) for each in asked.scale} == {
        (None, "no GPU to reckon with: infertop whatif --gpu NAME sets one")
    }


def test_an_engine_that_shares_a_gpu_needs_a_whole_one_of_its_own(page: Page) -> None:
    lines = [line for ago in range(60, 0, -1) for line in minute(ago, *tokens(OWN, output=600), *gpu(20_000, 30_000))]
    (engine,) = page(lines).subjects
    assert (engine.gpus, engine.usd_per_hour) == (0.5, pytest.approx(1.5))
    once = engine.scale[0]
    assert (once.own_gpus, once.own_usd_per_hour, once.note) == (1, pytest.approx(3), "33 % full; 0.50 held now")


def test_the_energy_of_an_owned_gpu_is_part_of_its_hour(page: Page) -> None:
    per_kwh = Price("energy", Decimal("0.15"), "kWh", "pricing.toml:9")
    drawn = replace(next(gpu(60_000)), resource="gpu_energy", quantity=18_000_000, unit="mJ", usd_nano=750_000)
    energy = replace(drawn, price=per_kwh)
    lines = [line for ago in range(60, 0, -1) for line in minute(ago, *tokens(OWN, output=600), *gpu(60_000), energy)]
    (engine,) = page(lines).subjects
    assert engine.gpus == 1
    assert engine.gpu_usd_per_hour == pytest.approx(3.045)
    said = "R = $3.04 an hour of one NVIDIA A100-SXM4-80GB (pricing.toml:2, its energy included)"
    assert said in engine.explained


def test_two_gpus_never_pay_together_either(page: Page) -> None:
    lines = [
        line
        for ago in range(60, 0, -1)
        for line in minute(ago, *tokens(OWN, input=40_000), *gpu(60_000), *gpu(60_000, uuid="GPU-1"))
    ]
    (engine,) = page(lines, to=("openai/gpt-4o-mini",)).subjects
    point = next(each for each in engine.break_even if each.against == "openai/gpt-4o-mini")
    # 1000 / 3 tokens a second and GPU, against 0.15 USD a million.
    assert (
        point.sentence == "never on these 2 GPUs: they would need 960 M tokens a day, they can serve 57.6 M (1,667 %)"
    )


def test_own_gpus_are_compared_with_the_same_few_whether_all_models_are_listed_or_not(page: Page) -> None:
    (few,) = page(list(engine_hour(per_minute=6400))).subjects
    (every,) = page([], every=True).subjects
    assert len(every.alternatives) > len(few.alternatives)
    assert (every.break_even, every.scale) == (few.break_even, few.scale)
    assert (few.more > 1000, every.more) == (True, 0)


def test_a_gpu_without_a_rate_leaves_costs_unknown_and_alternatives_known(page: Page) -> None:
    unpriced = [replace(each, price=None, usd_nano=None) for each in gpu(30_000)]
    lines = [line for ago in range(60, 0, -1) for line in minute(ago, *tokens(OWN, output=100), *unpriced)]
    (engine,) = page(lines, to=("openai/gpt-4o",)).subjects
    assert engine.usd_per_hour is None
    assert engine.break_even == ()
    assert row(engine, "openai/gpt-4o").usd_per_hour == pytest.approx(0.06)
    assert [each.own_usd_per_hour for each in engine.scale] == [None, None, None]
    assert [each.own_gpus for each in engine.scale] == [1, 5, 50]


def test_gpus_that_nobody_holds_stand_apart(page: Page) -> None:
    nobody = [replace(each, source="nvml", model=None) for each in gpu(0)]
    found = page([*engine_hour(), *[line for ago in range(60, 0, -1) for line in minute(ago, *nobody)]])
    assert found.subjects[0].usd_per_hour == pytest.approx(3)
    assert found.notices == ("GPUs that no model holds cost $3.00 an hour besides: they are in no figure here",)


def test_growth_at_ones_own_shadow_price_says_that_it_is_no_api(page: Page) -> None:
    (engine,) = page(list(engine_hour(per_minute=6400)), prices=book(PRICING)).subjects
    assert {(each.shadow, each.api_model) for each in engine.scale} == {(True, "local/shadow price")}
    (asked,) = page(list(engine_hour(per_minute=6400)), to=("openai/gpt-4o",)).subjects
    assert {each.shadow for each in asked.scale} == {False}
