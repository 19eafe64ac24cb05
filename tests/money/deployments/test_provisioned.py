"""What reserved throughput is worth. S2-23 is the worked example of the documents; vendors' own examples are named."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.deployments.blend import prompt_of, tokens_usd
from infertop.money.deployments.declared import Provisioned, Weights
from infertop.money.deployments.provisioned import (
    break_even_at,
    effective_usd_per_million,
    utilisation,
    weight,
)
from infertop.money.quote import Quote, UnitPrice
from infertop.readings.registry import TOKEN_CLASSES

D = Decimal


def reserved(tokens_per_minute: str | None, usd: str = "60", **more: Any) -> Provisioned:
    return Provisioned(D(usd), "", None if tokens_per_minute is None else D(tokens_per_minute), **more)


def an_hour(**per_minute: int) -> dict[str, Decimal]:
    return {name: D(amount) * 60 for name, amount in per_minute.items()}


def quote(**usd: str) -> Quote:
    prices = {name: UnitPrice(D(price), 1_000_000, "list") for name, price in usd.items()}
    return Quote("openai", "m", "list", "", prices)


@pytest.mark.parametrize(("used", "expected"), [(80_000, "0.8"), (40_000, "0.4"), (0, "0"), (150_000, "1.5")])
def test_utilisation_is_tokens_a_minute_over_those_reserved(used: int, expected: str) -> None:
    # S2-23: 100,000 tokens a minute reserved, 80,000 and 40,000 used.
    assert utilisation(reserved("100000"), an_hour(input=used)) == D(expected)


def test_output_and_cached_tokens_weigh_what_the_provider_says() -> None:
    # Azure, provisioned-throughput-onboarding: an output token of gpt-4.1 counts as 4 input tokens, cached ones are
    # deducted entirely from the utilisation.
    azure = reserved("30000", weights=Weights(output=D(4), cache_read=D(0)))
    assert utilisation(azure, an_hour(input=5_000, cache_read=9_000, output=2_500)) == D("0.5")
    # Vertex burns down (input + output x ratio) x queries: 1,000 input, 300 output at 4, 10 queries a second.
    vertex = reserved("1320000", weights=Weights(output=D(4)))
    assert utilisation(vertex, an_hour(input=600_000, output=180_000)) == 1


def test_every_class_has_a_weight() -> None:
    weights = Weights(D(4), D("0.1"), D("1.25"))
    found = {name: weight(name, weights) for name in TOKEN_CLASSES}
    assert {name for name, each in found.items() if each == 4} == {n for n, c in TOKEN_CLASSES.items() if not c.prompt}
    assert (found["input"], found["cache_read"], found["input_audio"]) == (1, D("0.1"), 1)
    assert found["cache_write_5m"] == found["cache_write_1h"] == D("1.25")


@pytest.mark.parametrize(
    ("tokens", "expected"),
    [
        ({"input": 50_000, "output": 1_000}, "0.5"),
        ({"input": 10_000, "output": 9_000}, "0.9"),
        ({"input": 20_000, "cache_read": 40_000}, "0.6"),
    ],
)
def test_of_two_limits_the_nearer_one_counts(tokens: dict[str, int], expected: str) -> None:
    # Amazon Bedrock's model units limit input and output tokens a minute apart.
    terms = reserved(None, input_tokens_per_minute=D(100_000), output_tokens_per_minute=D(10_000))
    assert utilisation(terms, an_hour(**tokens)) == D(expected)


def test_the_effective_price_is_the_fixed_one_over_what_was_served() -> None:
    # 60 USD an hour at 80,000 and 40,000 tokens a minute: half the use, twice the price.
    assert effective_usd_per_million(D(60), D(80_000 * 60)) == D("12.5")
    assert effective_usd_per_million(D(60), D(40_000 * 60)) == 25
    assert effective_usd_per_million(D(60), D(0)) is None


@pytest.mark.parametrize(
    ("usd_per_hour", "tokens_per_minute", "blended", "expected"),
    [
        # gpt-4o at two input tokens for each output token is 5 USD per million (S2-16): 30 USD/h when full.
        ("19.5", "100000", "5", "0.65"),
        ("30", "100000", "5", "1"),
        ("60", "100000", "5", "2"),
        # 30 % below the list at full use is a break-even of 70 %.
        ("21", "100000", "5", "0.7"),
    ],
)
def test_break_even_utilisation(usd_per_hour: str, tokens_per_minute: str, blended: str, expected: str) -> None:
    full = D(tokens_per_minute) * 60 * D(blended) / 1_000_000
    assert break_even_at(D(usd_per_hour), D(1), full) == D(expected)
    assert break_even_at(D(usd_per_hour), D("0.25"), full / 4) == D(expected)


def test_free_tokens_never_break_even() -> None:
    assert break_even_at(D(1), D("0.5"), D(0)) is None


amounts = st.decimals(D("0.01"), D(10**6), places=2)


@given(amounts, amounts, amounts, amounts)
def test_at_the_break_even_both_cost_the_same(usd: Decimal, reserve: Decimal, price: Decimal, used: Decimal) -> None:
    at = utilisation(reserved(str(reserve)), {"input": used * 60})
    pays = break_even_at(usd, at, used * 60 * price / 1_000_000)
    assert pays is not None
    assert reserve * 60 * pays * price / 1_000_000 == pytest.approx(usd, rel=D("1e-20"))


def test_tokens_cost_their_list_price_and_are_unpriced_together() -> None:
    gpt = quote(input="2.5", cache_read="1.25", output="10")
    assert tokens_usd(gpt, {"input": D(1500), "output": D(400)}) == D("0.00775")  # S2-1
    assert tokens_usd(gpt, {"input": D(1500), "cache_read": D(0), "reasoning": D(0)}) == D("0.00375")
    assert tokens_usd(gpt, {"input": D(1500), "reasoning": D(1)}) is None
    assert tokens_usd(None, {"input": D(1)}) is None


def test_the_tier_is_that_of_a_mean_prompt() -> None:
    tiered = Quote("google", "m", "list", "", {"input": UnitPrice(D(1), 1_000_000, "list", tiers=((200_000, D(2)),))})
    tokens = {"input": D(10**9)}
    assert tokens_usd(tiered, tokens) == 1000
    assert tokens_usd(tiered, tokens, D(200_000)) == 1000
    assert tokens_usd(tiered, tokens, D(200_001)) == 2000
    assert prompt_of({"input": D(3), "cache_read": D(4), "output": D(5), "input_image": D(1)}) == 8
