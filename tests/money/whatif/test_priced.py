"""What measured traffic costs by a model's prices."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.quote import STANDARD, Quote, UnitPrice, Way
from infertop.money.whatif.own import break_even, gpus_needed, tokens_per_day, usd_per_day, usd_per_million
from infertop.money.whatif.priced import QuoteOf, blended_usd_per_million, traffic_cost, usd_of_tokens
from infertop.money.whatif.savings import batch_possible, batch_saved, cache_possible, cache_saved, cache_work_saved
from infertop.money.whatif.traffic import Traffic

BATCH = Way(batch=True)
MILLION = 1_000_000


def usd(text: str, **more: object) -> UnitPrice:
    return UnitPrice(Decimal(text), MILLION, "snapshot", **more)  # type: ignore[arg-type]


def quote(*flags: str, **prices: UnitPrice) -> Quote:
    return Quote("openai", "gpt-4o", "snapshot", "", prices, flags)


GPT_4O = quote(input=usd("2.5"), cache_read=usd("1.25"), output=usd("10"))
HALF = quote(input=usd("1.25"), cache_read=usd("0.625"), output=usd("5"))


def of(standard: Quote, batch: Quote | None = None) -> QuoteOf:
    return lambda way: batch if way.batch else standard


def traffic(requests: int | None = None, seconds: int = 3600, **counts: int) -> Traffic:
    return Traffic(Decimal(seconds), {STANDARD: counts}, requests)


def test_the_classes_cost_by_their_prices_and_sum_to_the_whole() -> None:
    priced = traffic_cost(traffic(input=MILLION, cache_read=2 * MILLION, output=500_000), of(GPT_4O))
    assert priced.by_class == {"input": Decimal("2.5"), "cache_read": Decimal("2.5"), "output": 5}
    assert (priced.usd, priced.flags) == (10, ())
    assert blended_usd_per_million(priced.usd, 3_500_000) == Decimal(10) / Decimal("3.5")


def test_batches_cost_by_their_own_prices() -> None:
    both = Traffic(Decimal(60), {STANDARD: {"input": MILLION}, BATCH: {"input": MILLION}})
    assert traffic_cost(both, of(GPT_4O, HALF)).usd == Decimal("3.75")
    assert traffic_cost(both, of(GPT_4O)).usd is None


TIERED = quote(input=usd("2", tiers=((200_000, Decimal(4)),)), output=usd("8", tiers=((200_000, Decimal(12)),)))


@pytest.mark.parametrize(
    ("prompt", "requests", "expected", "flags"),
    [
        (400_000, 2, "0.8", ()),
        (400_001, 2, "1.600004", ("context_tier:200000",)),  # the mean is half a token above: all of it is dearer
        (10_000_000, None, "20", ()),  # without requests nobody knows how long a prompt was
    ],
)
def test_the_context_tier_is_that_of_the_mean_prompt(
    prompt: int, requests: int | None, expected: str, flags: tuple[str, ...]
) -> None:
    priced = traffic_cost(traffic(requests, input=prompt), of(TIERED))
    assert (priced.usd, priced.flags) == (Decimal(expected), flags)


def test_cached_tokens_are_part_of_the_prompt_and_outputs_are_dearer_above_it_too() -> None:
    priced = traffic_cost(traffic(1, input=100_000, cache_read=150_000, output=MILLION), of(TIERED_WITH_CACHE))
    assert priced.by_class["output"] == 12


TIERED_WITH_CACHE = quote(**TIERED.prices, cache_read=usd("0.2"))


def test_a_class_without_a_price_makes_the_whole_unknown_and_is_named() -> None:
    priced = traffic_cost(traffic(input=1, output_audio=2, cache_write_5m=0), of(GPT_4O))
    assert (priced.usd, priced.missing, priced.flags) == (None, ("output_audio",), ("unpriced:output_audio",))


def test_a_price_that_stands_for_another_is_told() -> None:
    borrowed = quote("listed_by:openai", input=usd("2"), cache_read=usd("2", stands_for="input", flags=("corrected",)))
    priced = traffic_cost(traffic(input=1, cache_read=1), of(borrowed))
    assert priced.flags == ("listed_by:openai", "corrected", "price_of:input:cache_read")
    assert traffic_cost(traffic(input=1), of(borrowed)).flags == ("listed_by:openai",)


def test_a_fee_for_each_request_counts_where_requests_are_known() -> None:
    fee = quote(input=usd("1"), requests=UnitPrice(Decimal(5), 1000, "snapshot"))
    assert traffic_cost(traffic(200, input=MILLION), of(fee)).usd == 2
    assert traffic_cost(traffic(None, input=MILLION), of(fee)).usd == 1


def test_calls_beside_tokens_are_paid_too() -> None:
    searching = Traffic(Decimal(60), {STANDARD: {"input": MILLION}}, 3, {STANDARD: {"web_searches": 100}})
    assert traffic_cost(searching, of(quote(input=usd("1"), web_searches=UnitPrice(Decimal(10), 1000, "s")))).usd == 2
    assert traffic_cost(searching, of(GPT_4O)).missing == ("web_searches",)


counts = st.integers(0, 10**12)
prices = st.decimals("0.0001", "1000", places=4)
rates = st.decimals("0.01", "100", places=2)


@given(counts, counts, counts, st.integers(1, 1000))
def test_the_cost_of_an_api_is_in_proportion_to_the_traffic(fresh: int, read: int, out: int, times: int) -> None:
    once = traffic_cost(traffic(input=fresh, cache_read=read, output=out), of(GPT_4O)).usd
    often = traffic_cost(traffic(input=fresh * times, cache_read=read * times, output=out * times), of(GPT_4O)).usd
    assert often == (None if once is None else once * times)


@given(rates, rates, st.integers(1, 10**6), st.integers(1, 8), st.integers(1, 1000))
def test_own_gpus_are_whole_replicas_that_suffice_and_one_less_would_not(
    load: Decimal, tps: Decimal, more: int, replica: int, times: int
) -> None:
    gpus = gpus_needed(load * times, tps, replica)
    assert gpus % replica == 0
    assert gpus * tps >= load * times * (1 - Decimal("1e-15"))
    assert gpus == replica or (gpus - replica) * tps < load * times
    assert gpus_needed(load * times + more, tps, replica) >= gpus


@given(rates, prices, st.integers(1, 10**6), st.integers(1, 64))
def test_at_break_even_both_sides_cost_the_same(rate: Decimal, price: Decimal, tps: int, gpus: int) -> None:
    point = break_even(rate, price, Decimal(tps), gpus)
    assert point is not None
    assert point.utilization is not None
    assert float(usd_of_tokens(point.tokens_per_day, price)) == pytest.approx(float(usd_per_day(gpus, rate)))
    at_full_use = usd_per_million(rate, Decimal(tps))
    assert float(at_full_use / point.utilization) == pytest.approx(float(price))
    assert point.reachable is (at_full_use <= price) is (point.tokens_per_day <= tokens_per_day(Decimal(tps), gpus))


def test_against_what_is_free_no_gpu_ever_pays() -> None:
    assert break_even(Decimal(3), Decimal(0), Decimal(640)) is None


def test_without_a_throughput_it_is_not_known_whether_it_can_pay() -> None:
    point = break_even(Decimal(3), Decimal(5))
    assert point is not None
    assert (point.tokens_per_day, point.capacity, point.reachable) == (14_400_000, None, None)


def test_reading_a_cache_saves_what_writing_it_has_not_cost() -> None:
    claude = quote(input=usd("3"), cache_read=usd("0.3"), cache_write_5m=usd("3.75"), output=usd("15"))
    assert cache_saved(traffic(input=9, cache_read=MILLION), of(claude)) == Decimal("2.7")
    assert cache_saved(traffic(cache_read=MILLION, cache_write_5m=MILLION), of(claude)) == Decimal("1.95")
    assert cache_saved(traffic(cache_write_5m=MILLION), of(claude)) == Decimal("-0.75")
    assert cache_possible(traffic(input=2 * MILLION, cache_read=7), of(claude)) == Decimal("5.4")


def test_a_cache_whose_price_is_that_of_its_input_saves_nothing_that_could_be_told() -> None:
    borrowed = quote(input=usd("3"), cache_read=usd("3", stands_for="input"))
    assert cache_saved(traffic(input=1, cache_read=5), of(borrowed)) is None
    assert cache_possible(traffic(input=1), of(borrowed)) is None


def test_batches_save_the_difference_where_they_have_a_price_of_their_own() -> None:
    both = Traffic(Decimal(60), {STANDARD: {"input": MILLION, "output": MILLION}, BATCH: {"output": 2 * MILLION}})
    assert batch_saved(both, of(GPT_4O, HALF)) == 10
    assert batch_possible(both, of(GPT_4O, HALF)) == Decimal("6.25")
    same = quote("standard_rate:batch", **GPT_4O.prices)
    assert batch_saved(both, of(GPT_4O, same)) is None
    assert batch_possible(both, of(GPT_4O, None)) is None


def test_what_a_cache_spares_an_engine_is_told_by_the_weights_of_tokens() -> None:
    weights = {"input": 1.0, "cache_read": 0.1, "output": 4.0}
    # 100 cached tokens cost 10 and would have cost 100; all of the work is 60 + 10 + 4 x 20.
    assert cache_work_saved({"input": 60, "cache_read": 100, "output": 20}, weights) == pytest.approx(90 / 150)
    assert cache_work_saved({}, weights) is None
