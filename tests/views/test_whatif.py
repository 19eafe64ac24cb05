"""The what-if page: what an hour of traffic would cost elsewhere, and what is not known."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from infertop.history.reader import Reader
from infertop.money.lines import Line
from infertop.money.statement_lines import PAID
from infertop.views.whatif import whatif_page
from tests.history.world import booked
from tests.views.whatif_rows import TIERED, Page, api_hour, row
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
    tokens,
)


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


def test_tokens_of_reserved_throughput_say_who_pays_for_them(page: Page) -> None:
    lines = [replace(line, price=PAID, usd_nano=0) for line in api_hour(input=1000)]
    (asked,) = page(lines).subjects
    (now,) = [each for each in asked.alternatives if each.current]
    assert "paid for by the hours of reserved throughput, which stand apart" in now.notes


def test_an_engine_that_was_idle_has_a_cost_and_nothing_to_take_elsewhere(page: Page) -> None:
    found = page([line for ago in range(60, 0, -1) for line in minute(ago, *gpu(0))])
    (engine,) = found.subjects
    assert engine.usd_per_hour == pytest.approx(3)
    assert [each.current for each in engine.alternatives] == [True]
    assert f"{LLAMA} on {VLLM} told of no tokens in this time: there is nothing to take elsewhere" in found.notices


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


def test_the_running_minute_alone_is_shown_and_said_to_be_all(tmp_path: Path) -> None:
    lines = list(minute(0, *tokens(OWN, output=600), *gpu(30_000)))
    booked(tmp_path / "x.db", NOON + 40, lines, [int(NOON)])
    page = Reader(tmp_path / "x.db").ask(whatif_page, book(), NOON + 40, NOON - HOUR, NOON + 40)
    assert [each.usd_per_hour for each in page.subjects] == [3]
    assert any("only the minute that is running" in each for each in page.notices)
    later = Reader(tmp_path / "x.db").ask(whatif_page, book(), NOON + 100, NOON - HOUR, NOON + 100)
    assert (later.until, later.notices) == (NOON + 60, ())
