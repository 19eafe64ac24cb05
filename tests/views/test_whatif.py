"""The what-if page: what an hour of traffic would cost elsewhere, when own GPUs pay, and what is not known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from infertop.history.reader import Reader
from infertop.money.lines import Line, Price
from infertop.money.overlap import Counts, all_count
from infertop.money.rates import PriceBook
from infertop.money.statement_lines import PAID
from infertop.views.whatif import Asked, whatif_page
from infertop.views.whatif_shapes import Alternative, WhatIf, WhatIfPage
from tests.whatif_world import (
    API,
    HOUR,
    LLAMA,
    NOON,
    OWN,
    PRICING,
    VLLM,
    book,
    engine_hour,
    gpu,
    minute,
    record,
    tokens,
)

Page = Callable[..., WhatIfPage]


@pytest.fixture
def page(tmp_path: Path) -> Page:
    """Record lines and return the page of the hour before noon."""

    def made(
        lines: Sequence[Line], prices: PriceBook | None = None, counts: Counts = all_count, **asked: Any
    ) -> WhatIfPage:
        reader = Reader(record(tmp_path / "x.db", lines))
        return reader.ask(whatif_page, prices or book(), NOON, NOON - HOUR, NOON, Asked(**asked), counts)

    return made


def row(subject: WhatIf, name: str) -> Alternative:
    (found,) = [each for each in subject.alternatives if f"{each.provider}/{each.model}" == name]
    return found


def api_hour(**counts: int) -> list[Line]:
    return [line for ago in range(60, 0, -1) for line in minute(ago, *tokens(API, **counts))]


def test_an_engines_hour_on_another_model_costs_tokens_times_prices(page: Page) -> None:
    (engine,) = page(list(engine_hour()), to=("openai/gpt-4o",)).subjects
    # 76,800 input x 2.50 and 38,400 output x 10, a million; requests of 640 prompt tokens.
    there = row(engine, "openai/gpt-4o")
    assert there.usd_per_hour == pytest.approx(0.576)
    assert there.usd_per_request == pytest.approx(0.576 / 120)
    assert there.usd_per_million_tokens == pytest.approx(5.0)
    assert there.ratio == pytest.approx(0.576 / 3)
    assert there.price_source == "snapshot 2026-11-10"
    now = row(engine, f"local/{LLAMA}")
    assert (now.current, now.usd_per_hour, now.ratio) == (True, pytest.approx(3), 1)
    assert now.price_source == "gpu rate pricing.toml:2"


def test_an_hour_is_reckoned_from_what_was_recorded_of_it(page: Page) -> None:
    lines = [line for ago in (10, 9, 8) for line in minute(ago, *tokens(OWN, input=1_000_000))]
    (engine,) = page(lines, to=("openai/gpt-4o",)).subjects
    assert engine.seconds == 3600
    assert row(engine, "openai/gpt-4o").usd_per_hour == pytest.approx(7.5)
    assert engine.usd_per_hour is None
    assert row(engine, "openai/gpt-4o").ratio is None


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


def test_the_few_are_the_newest_of_their_makers_and_all_are_all(page: Page) -> None:
    lines = list(engine_hour())
    (few,) = page(lines).subjects
    assert 15 <= len(few.alternatives) <= 24
    assert {"openai", "anthropic", "google", "mistral", "deepseek", "x-ai"} <= {e.provider for e in few.alternatives}
    assert row(few, "local/shadow price").usd_per_hour == pytest.approx((76_800 * 0.6 + 38_400 * 0.9) / 1e6)
    (every,) = page([], every=True).subjects
    assert len(every.alternatives) > 1000
    costs = [each.usd_per_hour for each in every.alternatives]
    assert None not in costs
    assert costs == sorted(costs, key=lambda usd: usd or 0)
    assert len({(each.provider, each.model) for each in every.alternatives}) == len(costs)


@pytest.mark.parametrize(("provider", "is_another"), [("openai", False), ("azure", True)])
def test_what_is_asked_for_now_is_no_alternative_to_itself_under_another_name(
    page: Page, provider: str, is_another: bool
) -> None:
    dated = [replace(line, provider=provider, model="gpt-4o-2024-08-06") for line in api_hour(input=100)]
    (asked,) = page(dated, to=("openai/gpt-4o", "openai/gpt-4o-mini")).subjects
    names = {f"{each.provider}/{each.model}" for each in asked.alternatives}
    assert names - {"openai/gpt-4o"} == {f"{provider}/gpt-4o-2024-08-06", "openai/gpt-4o-mini"}
    assert ("openai/gpt-4o" in names) is is_another


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


@pytest.mark.parametrize(
    ("pattern", "providers"),
    [
        ("openai/gpt-4o", {"openai"}),
        ("gpt-4o", {"openai"}),
        ("openrouter/*/gpt-4o", {"openrouter"}),
        ("no-such", set()),
    ],
)
def test_a_destination_is_a_model_at_any_provider_or_at_one(page: Page, pattern: str, providers: set[str]) -> None:
    (engine,) = page(list(engine_hour()), to=(pattern,)).subjects
    found = [each for each in engine.alternatives if each.provider not in ("local",)]
    assert {each.provider for each in found} == providers
    if pattern == "gpt-4o":
        assert "the same at openrouter" in found[0].notes


def test_a_destination_that_there_is_none_of_is_told(page: Page) -> None:
    found = page(list(engine_hour()), to=("openai/gpt-4o", "no-such*"))
    assert found.notices == ("no model of the list or pricing.toml matches --to no-such*",)


def test_what_is_asked_for_by_name_is_shown_also_without_a_price_for_it(page: Page) -> None:
    (engine,) = page(list(engine_hour()), to=("openai/text-embedding-3-small",)).subjects
    there = row(engine, "openai/text-embedding-3-small")
    assert there.usd_per_hour is None
    assert "no price for output" in there.notes


def test_cached_tokens_stay_cached_only_where_that_has_a_price(page: Page) -> None:
    lines = [line for ago in range(60, 0, -1) for line in minute(ago, *tokens(OWN, cache_read=100, output=1))]
    (engine,) = page(lines, to=("openai/gpt-4o", "openai/gpt-4-turbo", "anthropic/claude-sonnet-5-5")).subjects
    assert row(engine, "openai/gpt-4o").notes == ()
    assert "no price for cache_read: counted as input" in row(engine, "openai/gpt-4-turbo").notes
    assert "writing to the cache costs extra there: not in it" in row(engine, "anthropic/claude-sonnet-5-5").notes


def test_what_a_provider_charged_less_by_cache_and_batch_is_told(page: Page) -> None:
    batch = replace(API, dimensions=(("batch", "true"),))
    lines = [*api_hour(input=10_000, cache_read=10_000), *minute(3, *tokens(batch, input=1_000_000))]
    own_prices = book('[model."gpt-4o"]\ninput = 2.5\ncache_read = 1.25\noutput = 10\nbatch = 0.5\n')
    (asked,) = page(lines, own_prices).subjects
    found = {(each.name, each.had): each.usd_per_hour for each in asked.savings}
    assert found == {
        ("cache, had", True): pytest.approx(0.6 * 1.25),
        ("cache, to be had", False): pytest.approx(0.6 * 1.25 + 1 * 0.625),
        ("batch, had", True): pytest.approx(1.25),
        ("batch, to be had", False): pytest.approx(0.6 * 1.25 + 0.6 * 0.625),
    }


def test_what_an_engines_cache_spared_is_gpu_time(page: Page) -> None:
    lines = [
        line for ago in range(60, 0, -1) for line in minute(ago, *tokens(OWN, input=50, cache_read=500), *gpu(30_000))
    ]
    (engine,) = page(lines).subjects
    had = next(each for each in engine.savings if each.name == "cache, had")
    # 90 % of 500 beside the 100 that were done: 4.5 times the work of half a GPU at 3 USD.
    assert had.usd_per_hour == pytest.approx(4.5 * 1.5)
    assert "estimated" in had.sentence


def test_an_engines_savings_by_its_shadow_price_have_a_name_of_their_own(page: Page) -> None:
    lines = [
        line for ago in range(60, 0, -1) for line in minute(ago, *tokens(OWN, input=50, cache_read=500), *gpu(30_000))
    ]
    (engine,) = page(lines).subjects
    assert [each.name for each in engine.savings] == ["cache, had", "cache, to be had", "cache, had (shadow price)"]


def test_own_gpus_are_compared_with_the_same_few_whether_all_models_are_listed_or_not(page: Page) -> None:
    (few,) = page(list(engine_hour(per_minute=6400))).subjects
    (every,) = page([], every=True).subjects
    assert len(every.alternatives) > len(few.alternatives)
    assert (every.break_even, every.scale) == (few.break_even, few.scale)
    assert (few.more > 1000, every.more) == (True, 0)


def test_more_than_one_subject_come_with_all_together_first(page: Page) -> None:
    found = page([*engine_hour(), *api_hour(input=1000, requests=1)])
    everything, *rest = found.subjects
    assert (everything.source, everything.model) == ("(all)", "(all)")
    assert {each.model for each in rest} == {LLAMA, "gpt-4o"}
    assert everything.tokens == {"input": 60 * (1280 + 1000), "output": 60 * 640}
    assert everything.requests == 180
    assert everything.usd_per_hour == pytest.approx(sum(each.usd_per_hour or 0 for each in rest))


def test_everything_grows_by_providers_in_proportion_and_whole_gpus_of_each_engine(page: Page) -> None:
    other = [replace(line, source="vllm@127.0.0.1:8001", model="m") for line in engine_hour(per_minute=6400)]
    lines = [*engine_hour(per_minute=6400), *other, *api_hour(input=1000)]
    everything, *rest = page(lines, scale=(1, 3)).subjects
    assert [(each.own_gpus, each.own_usd_per_hour) for each in everything.scale] == [(2, 6), (4, 12)]
    assert [each.api_usd_per_hour for each in everything.scale] == [pytest.approx(0.6), pytest.approx(1.8)]
    assert {each.api_model for each in everything.scale} == {"as now"}
    assert everything.scale[0].tokens_per_second == pytest.approx(
        sum(sum(each.tokens.values()) for each in rest) / 3600
    )


def test_what_another_source_counts_too_is_no_part_of_all(page: Page) -> None:
    double = [replace(line, source="gateway") for line in api_hour(input=1000)]
    found = page([*engine_hour(), *double], counts=lambda source, _provider, _model: source != "gateway")
    everything = found.subjects[0]
    assert everything.tokens == {"input": 60 * 1280, "output": 60 * 640}
    (gateway,) = [each for each in found.subjects if each.source == "gateway"]
    (now,) = [each for each in gateway.alternatives if each.current]
    assert "also told by another source: part of no total" in now.notes


def test_tokens_of_reserved_throughput_say_who_pays_for_them(page: Page) -> None:
    lines = [replace(line, price=PAID, usd_nano=0) for line in api_hour(input=1000)]
    (asked,) = page(lines).subjects
    (now,) = [each for each in asked.alternatives if each.current]
    assert "paid for by the hours of reserved throughput, which stand apart" in now.notes


def test_a_gpu_without_a_rate_leaves_costs_unknown_and_alternatives_known(page: Page) -> None:
    unpriced = [replace(each, price=None, usd_nano=None) for each in gpu(30_000)]
    lines = [line for ago in range(60, 0, -1) for line in minute(ago, *tokens(OWN, output=100), *unpriced)]
    (engine,) = page(lines, to=("openai/gpt-4o",)).subjects
    assert engine.usd_per_hour is None
    assert engine.break_even == ()
    assert row(engine, "openai/gpt-4o").usd_per_hour == pytest.approx(0.06)
    assert [each.own_usd_per_hour for each in engine.scale] == [None, None, None]
    assert [each.own_gpus for each in engine.scale] == [1, 5, 50]


def test_an_engine_that_was_idle_has_a_cost_and_nothing_to_take_elsewhere(page: Page) -> None:
    found = page([line for ago in range(60, 0, -1) for line in minute(ago, *gpu(0))])
    (engine,) = found.subjects
    assert engine.usd_per_hour == pytest.approx(3)
    assert [each.current for each in engine.alternatives] == [True]
    assert f"{LLAMA} on {VLLM} told of no tokens in this time: there is nothing to take elsewhere" in found.notices


def test_gpus_that_nobody_holds_stand_apart(page: Page) -> None:
    nobody = [replace(each, source="nvml", model=None) for each in gpu(0)]
    found = page([*engine_hour(), *[line for ago in range(60, 0, -1) for line in minute(ago, *nobody)]])
    assert found.subjects[0].usd_per_hour == pytest.approx(3)
    assert found.notices == ("GPUs that no model holds cost $3.00 an hour besides: they are in no figure here",)


RESERVED = replace(API, source="ptu", resource="deployment", quantity=60_000, unit="ms", usd_nano=10**9)


@pytest.mark.parametrize(
    ("lines", "asked", "says"),
    [
        ([], {}, "no tokens and no cost were recorded in this time: a longer time may have some"),
        ([*minute(3, *tokens(OWN, input=5))], {"model": "no*"}, "nothing that was recorded in this time matches"),
        ([*minute(3, RESERVED)], {}, "no tokens were recorded in this time, only hours of reserved throughput"),
    ],
)
def test_where_there_is_nothing_it_says_so(page: Page, lines: list[Line], asked: dict[str, Any], says: str) -> None:
    found = page(lines, **asked)
    assert found.subjects == ()
    assert says in found.notices[0]


def test_the_explanation_has_formulas_inputs_sources_and_ages(page: Page) -> None:
    prices = book(PRICING + "[host]\nusd_per_hour = 0.40\n[alert]\nrequest_usd = 0.50\n")
    engine, asked = page([*engine_hour(), *api_hour(input=1000, requests=1)], prices).subjects[1:]
    said = "\n".join(engine.explained)
    for words in (
        "tokens a day = 24 R / p x 1e6",
        "measured over 60 min that were recorded",
        "R = $3.00 an hour of one NVIDIA A100-SXM4-80GB (pricing.toml:2)",
        "mean prompt: 640 tokens",
        "the host's $0.400 an hour is in none of it (pricing.toml:9)",
        "list prices: snapshot 2026-11-10",
        "a month (730 h) $2,190",
    ):
        assert words in said
    assert "a request of $0.500 (alert.request_usd) is 200 k input tokens here" in asked.explained


TIERED = """\
[model."tiered"]
provider = "acme"
input = 1
output = 4
tiers = [{ above = 900, input = 2, output = 9 }]
[model."flat"]
input = 0.01
output = 0.02
[model."lacking"]
provider = "acme"
output = 0.01
"""


def two_engines() -> list[Line]:
    """One engine with prompts of 1000 tokens and one with prompts of 100: 550 on average."""
    other = replace(OWN, source="small", model="qwen-7b")
    both = ((OWN, {"input": 6000, "output": 600, "requests": 6}), (other, {"input": 600, "output": 600, "requests": 6}))
    return [each for ago in range(60, 0, -1) for line, counts in both for each in minute(ago, *tokens(line, **counts))]


def test_all_together_costs_what_its_parts_cost_each_in_the_tier_of_its_own_prompts(page: Page) -> None:
    everything, large, small = page(two_engines(), book(TIERED), to=("acme/tiered", "openai/gpt-4o")).subjects
    assert everything.model == "(all)"
    assert row(large, "acme/tiered").usd_per_hour == pytest.approx((360_000 * 2 + 36_000 * 9) / 1e6)
    assert row(small, "acme/tiered").usd_per_hour == pytest.approx((36_000 * 1 + 36_000 * 4) / 1e6)
    for name in ("acme/tiered", "openai/gpt-4o"):
        parts = [row(each, name).usd_per_hour for each in (large, small)]
        assert row(everything, name).usd_per_hour == pytest.approx(sum(filter(None, parts)))
    assert "context tiers by the mean prompt of each model (single requests are not known)" in everything.explained


def test_what_pricing_toml_prices_is_among_the_few(page: Page) -> None:
    (engine,) = page(list(engine_hour()), book(TIERED)).subjects
    assert row(engine, "acme/tiered").price_source == "pricing.toml:3"
    assert row(engine, "/flat").usd_per_hour == pytest.approx((76_800 * 0.01 + 38_400 * 0.02) / 1e6)
    assert "acme/lacking" not in {f"{each.provider}/{each.model}" for each in engine.alternatives}
    assert {"acme/tiered", "flat"} <= {each.against for each in engine.break_even}


def test_an_hour_without_a_finished_request_says_so(page: Page) -> None:
    (engine,) = page([*api_hour(input=1000, requests=0)]).subjects
    assert engine.requests == 0
    assert any(each.startswith("no request was finished: prices are those of the lowest") for each in engine.explained)
    assert not any("not known" in each for each in engine.explained if "requests" in each)
