from __future__ import annotations

from decimal import Context, Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.book.load import shipped
from infertop.money.cost import cost
from infertop.money.quote import Quote, UnitPrice, Way
from infertop.readings.registry import CALL_UNITS, TOKEN_CLASSES

AT = 1_795_000_000.0
EXACT = Context(prec=200)
MODELS = [
    (listed.provider, listed.model)
    for listed in shipped().models()
    if shipped().quote(listed.provider, listed.model, AT) is not None
]
COUNTS = st.dictionaries(st.sampled_from(sorted(TOKEN_CLASSES)), st.integers(0, 10**12))
CALLS = st.dictionaries(st.sampled_from(sorted(CALL_UNITS)), st.integers(0, 10**9) | st.decimals(0, 10**6, places=6))
TIERS = (32_000, 100_000, 128_000, 199_999, 200_000, 256_000, 272_000, 512_000, 524_288)


def listed(provider: str, model: str, way: Way | None = None) -> Quote:
    found = shipped().quote(provider, model, AT, way or Way())
    assert found is not None
    return found


def of(**prices: str | UnitPrice) -> Quote:
    """A quote in USD per million tokens."""
    units = {
        name: price if isinstance(price, UnitPrice) else UnitPrice(Decimal(price), 1_000_000, "test")
        for name, price in prices.items()
    }
    return Quote("made-up", "model", "test", "", units)


def test_the_parts_are_count_times_price():
    found = cost(of(input="3", output="15", cache_read="0.3"), {"input": 1000, "output": 400, "cache_read": 7})
    assert found.usd == Decimal("0.0090021")
    assert found.by_class == {"input": Decimal("0.003"), "output": Decimal("0.006"), "cache_read": Decimal("0.0000021")}
    assert found.flags == ()


@settings(deadline=None)
@given(st.sampled_from(MODELS), COUNTS, CALLS)
def test_the_parts_sum_to_the_whole_exactly(model, tokens, calls):
    found = cost(listed(*model), tokens, calls)
    parts = [part for part in found.by_class.values() if part is not None]
    total = Decimal(0)
    for part in parts:
        total = EXACT.add(total, part)
    assert found.usd == (total if parts or not found.by_class else None)


@settings(deadline=None)
@given(st.sampled_from(MODELS), COUNTS, st.sampled_from(sorted(TOKEN_CLASSES)), st.integers(1, 10**6))
def test_cost_never_falls_when_a_count_rises_within_a_tier(model, tokens, name, more):
    quote = listed(*model)
    before, after = cost(quote, tokens), cost(quote, tokens | {name: tokens.get(name, 0) + more})
    prompts = [
        sum(count for each, count in counts.items() if TOKEN_CLASSES[each].prompt)
        for counts in (tokens, tokens | {name: tokens.get(name, 0) + more})
    ]
    if not any(prompts[0] <= tier < prompts[1] for tier in TIERS):
        assert (after.usd or 0) >= (before.usd or 0)


def test_a_tier_reprices_the_whole_request_above_its_edge_and_not_at_it():
    quote = listed("google", "gemini-2.5-pro")
    at, above = (cost(quote, {"input": 150_000, "cache_read": 50_000 + more, "output": 1000}) for more in (0, 1))
    assert at.by_class["output"] == Decimal("0.01")
    assert above.by_class["output"] == Decimal("0.015")
    assert above.by_class["input"] == 2 * (at.by_class["input"] or 0)
    assert "context_tier:200000" in above.flags
    assert at.flags == ()


def test_all_prompt_classes_together_reach_the_tier():
    quote = listed("google", "gemini-2.5-pro")
    for name in ("cache_read", "cache_write_5m", "cache_write_1h", "input_audio", "input_image"):
        assert "context_tier:200000" in cost(quote, {"input": 200_000, name: 1}).flags
    for name in ("output", "reasoning", "output_audio", "output_image"):
        assert "context_tier:200000" not in cost(quote, {"input": 200_000, name: 1}).flags


def test_a_class_priced_as_another_is_flagged_where_it_is_used():
    quote = listed("cohere", "command-a-03-2025")
    assert cost(quote, {"input": 10, "cache_read": 0}).flags == ()
    assert cost(quote, {"input": 10, "cache_read": 5}).flags == ("price_of:input:cache_read",)
    assert "price_of:output:reasoning" in cost(quote, {"reasoning": 1}).flags


def test_what_has_no_price_is_none_and_not_in_the_sum():
    embedding = listed("openai", "text-embedding-3-small")
    found = cost(embedding, {"input": 1_000_000, "output": 5, "made_up": 2}, {"web_searches": 1, "made_up": 3})
    assert found.usd == found.by_class["input"] == Decimal("0.02")
    assert found.by_class["output"] is None
    assert found.flags == ("unpriced:output", "unknown_class:made_up", "unpriced:web_searches", "unknown_unit:made_up")
    assert cost(embedding, {"output": 5}).usd is None


def test_nothing_used_of_a_known_model_costs_nothing_and_of_an_unknown_one_is_unknown():
    assert cost(listed("openai", "gpt-4o"), {"input": 0}).usd == 0
    assert cost(None, {"input": 0}).usd is None
    unknown = cost(None, {"input": 3, "output": 0})
    assert (unknown.usd, dict(unknown.by_class), unknown.flags) == (None, {"input": None}, ("unpriced:input",))


def test_a_fee_for_each_request_is_asked_once_unless_it_is_said_how_many_there_were():
    quote = listed("perplexity", "sonar")
    assert cost(quote, {}).by_class == {"requests": Decimal("0.012")}
    assert cost(quote, {"input": 1_000_000}).usd == Decimal("1.012")
    assert cost(quote, {}, {"requests": 3}).usd == Decimal("0.036")
    assert cost(quote, {}, {"requests": 0}).usd == 0
    assert "requests" not in cost(listed("openai", "gpt-4o"), {"input": 1}).by_class


def test_seconds_are_billed_by_the_hour_and_at_least_as_many_as_the_provider_asks_for():
    quote = listed("groq", "whisper-large-v3")
    assert cost(quote, {}, {"audio_seconds": 3600}).usd == Decimal("0.111")
    assert cost(quote, {}, {"audio_seconds": 3}).usd == cost(quote, {}, {"audio_seconds": 10}).usd
    assert cost(quote, {}, {"audio_seconds": 0}).usd == 0
    assert cost(quote, {}, {"audio_seconds": Decimal("10.5")}).usd == Decimal("0.00032375")
    assert cost(quote, {}, {"audio_seconds": 10}).usd == Decimal("0.000308333333333333")


def test_a_free_model_costs_nothing_by_any_class():
    found = cost(listed("openrouter", "deepseek/deepseek-r1:free"), dict.fromkeys(TOKEN_CLASSES, 1000))
    assert found.usd == 0
    assert found.flags == ()
    assert all(part == 0 for part in found.by_class.values())


def test_large_counts_stay_exact():
    price = UnitPrice(Decimal("0.123456789012345678"), 1_000_000, "test")
    found = cost(of(input=price, output="1"), {"input": 10**15 + 1, "output": 1})
    assert found.by_class["input"] == Decimal("123456789.012345801456789012345678")
    assert found.usd == Decimal("123456789.012346801456789012345678")


def test_the_callers_mappings_stay_as_they_are():
    tokens, calls = {"input": 1}, {"web_searches": 1}
    cost(listed("perplexity", "sonar"), tokens, calls)
    assert (tokens, calls) == ({"input": 1}, {"web_searches": 1})


@pytest.mark.parametrize("way", [Way(), Way(batch=True), Way(service_tier="flex")])
def test_flags_of_the_quote_are_those_of_the_cost(way):
    quote = listed("azure", "gpt-4o", way)
    assert cost(quote, {"input": 1}).flags == quote.flags
    assert cost(quote, {"input": 1}).quote is quote
