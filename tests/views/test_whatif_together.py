"""The what-if page: several subjects, and what all of them would cost together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from infertop.history.scopes import Scopes
from infertop.money.lines import Line
from tests.views.whatif_rows import TIERED, Page, api_hour, row
from tests.whatif_world import (
    LLAMA,
    OWN,
    book,
    engine_hour,
    minute,
    tokens,
)


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
    found = page([*engine_hour(), *double], scopes=Scopes(counts=lambda source, _provider, _model: source != "gateway"))
    everything = found.subjects[0]
    assert everything.tokens == {"input": 60 * 1280, "output": 60 * 640}
    (gateway,) = [each for each in found.subjects if each.source == "gateway"]
    (now,) = [each for each in gateway.alternatives if each.current]
    assert "also told by another source: part of no total" in now.notes


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
