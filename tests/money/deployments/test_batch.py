"""What a batch costs, and what it would cost at once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infertop.money.deployments.batch import by_the_token, on_gpus, per_hour, run_usd, tokens_of
from infertop.money.deployments.declared import Batch, Hardware
from infertop.money.quote import Quote, UnitPrice

D = Decimal


def quote(*flags: str, **usd: str) -> Quote:
    prices = {name: UnitPrice(D(price), 1_000_000, "list") for name, price in usd.items()}
    return Quote("openai", "gpt-4o", "list", "", prices, flags)


# S2-1's chatbot, 50,000 requests of 1,500 and 400 tokens, at the list prices of gpt-4o and S2-19's for batches.
CHATBOT = Batch(D(50_000), (("input", D(1500)), ("output", D(400))), "day")
LIST = quote(input="2.5", cache_read="1.25", output="10")
BATCH = quote(input="1.25", output="5")


def test_a_batch_costs_half_and_saves_the_other_half() -> None:
    job = by_the_token(CHATBOT, BATCH, LIST)
    assert (job.usd, job.at_once, job.saved) == (D("193.75"), D("387.5"), D("193.75"))
    assert not job.at_standard_rate


def test_without_a_batch_price_the_standard_rate_is_told_and_nothing_is_saved() -> None:
    job = by_the_token(CHATBOT, quote("standard_rate:batch", input="2.5", output="10"), LIST)
    assert (job.usd, job.saved, job.at_standard_rate) == (D("387.5"), 0, True)


def test_a_class_without_a_price_leaves_the_job_unpriced() -> None:
    cached = Batch(D(1), (("input", D(1)), ("cache_read", D(1))), "once")
    job = by_the_token(cached, BATCH, LIST)
    assert (job.usd, job.at_once, job.saved) == (None, D("0.00000375"), None)
    assert by_the_token(cached, None, None).at_once is None


@pytest.mark.parametrize(
    ("every", "expected"), [("hour", "73"), ("day", "3.041667"), ("week", "0.434524"), ("month", "0.1"), ("once", None)]
)
def test_what_comes_again_costs_an_hour_its_share_of_the_period(every: str, expected: str | None) -> None:
    found = per_hour(Batch(D(1), (), every), D(73))
    assert (found is None) if expected is None else (found is not None and round(found, 6) == D(expected))


def test_own_gpus_cost_their_hours() -> None:
    nightly = Batch(D(50_000), CHATBOT.tokens, "day", Hardware("H100", count=2), D("1.5"))
    job = on_gpus(nightly, D("2.95"), LIST)
    assert (job.usd, job.at_once) == (D("8.85"), D("387.5"))
    assert on_gpus(nightly, None, None) == (type(job)(None, None))


def test_tiers_go_by_one_request_and_not_by_the_whole_batch() -> None:
    tiered = Quote("google", "m", "list", "", {"input": UnitPrice(D(1), 1_000_000, "list", tiers=((200_000, D(2)),))})
    assert run_usd(Batch(D(10**6), (("input", D(1000)),), "once"), tiered) == 1000
    assert run_usd(Batch(D(1), (("input", D(300_000)),), "once"), tiered) == D("0.6")
    assert tokens_of(Batch(D(10), (("input", D(5)),), "once")) == {"input": 50}
