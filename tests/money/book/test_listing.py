"""What is listed, and what a search finds of it."""

from __future__ import annotations

import pytest

from infertop.money.book.listing import Listing
from infertop.money.book.load import shipped
from infertop.money.quote import Way

AT = 1_795_000_000.0


def found(text: str) -> list[tuple[str, str]]:
    return [(each.provider, each.model) for each in shipped().search(text)]


def test_a_search_finds_the_exact_model_before_those_that_contain_it():
    models = found("GPT-4o")
    exact = [each for each in models if each[1] == "gpt-4o"]
    assert exact == [("openai", "gpt-4o"), ("github-copilot", "gpt-4o")]
    assert models[: len(exact)] == exact
    assert ("openai", "gpt-4o-mini") in models


def test_a_search_finds_what_answers_to_the_name_before_what_contains_it():
    models = found("claude-sonnet-4-5-20250929")
    assert models[0] == ("anthropic", "claude-sonnet-4-5")


def test_a_search_takes_a_provider_a_glob_and_a_part():
    assert found("openai/gpt-4o")[0] == ("openai", "gpt-4o")
    globbed = found("gpt-4?")
    assert ("openai", "gpt-4o") in globbed
    assert ("openai", "gpt-4o-mini") not in globbed
    assert ("anthropic", "claude-haiku-4-5") in found("haiku")
    assert found("no such model anywhere") == []


def test_names_with_brackets_and_without_end_are_searched_like_any():
    for text in ("[", "[!", "*" * 5_000, "x" * 100_000, "gpt-4o[fast=true]"):
        assert isinstance(found(text), list)


@pytest.mark.parametrize(
    ("name", "provider"),
    [
        ("vertex_ai", "google"),
        ("bedrock", "aws"),
        ("XAI", "x-ai"),
        (" OpenAI ", "openai"),
        ("nobody", None),
        ("", None),
    ],
)
def test_a_provider_has_one_id_whatever_it_is_called(name, provider):
    assert shipped().provider(name) == provider


def test_every_model_is_listed_with_what_is_known_of_it():
    models = {(each.provider, each.model): each for each in shipped().models()}
    assert len(models) == 2332
    assert models["openai", "gpt-4o"].context_window == 128_000
    copilot = models["github-copilot", "gpt-4o"]
    assert copilot.free
    assert "subscription" in copilot.note
    assert models["openrouter", "deepseek/deepseek-r1:free"].free
    assert not models["openai", "moderation"].free


def test_every_listed_model_answers_to_the_name_it_is_listed_by():
    listing = shipped()
    for each in listing.models():
        quote = listing.quote(each.provider, each.model, AT)
        assert quote is None or (quote.provider, quote.matched) == (each.provider, each.id)
    priced = [each for each in listing.models() if listing.quote(each.provider, each.model, AT)]
    assert len(priced) == len(listing.models()) - 12
    assert ("fireworks", "accounts/fireworks/models/deepseek-v4-pro") in {
        (each.provider, each.model) for each in priced
    }


@pytest.mark.parametrize(
    ("tier", "flags"),
    [
        ("", ()),
        ("standard", ()),
        ("default", ()),
        ("auto", ()),
        ("on_demand", ()),
        ("ON_DEMAND", ()),
        ("flex", ()),
        ("priority", ()),
        ("fast", ()),
        ("batch", ()),
        ("scale", ("standard_rate:scale",)),
    ],
)
def test_a_tier_without_a_price_of_its_own_is_at_the_standard_rate_and_says_so(tier, flags):
    quote = shipped().quote("openai", "gpt-5", AT, Way(service_tier=tier))
    standard = shipped().quote("openai", "gpt-5", AT)
    assert quote is not None
    assert quote.flags == flags
    same = tier.lower() in ("", "standard", "default", "auto", "on_demand", "scale")
    assert (quote.prices == getattr(standard, "prices", None)) is same


def test_a_price_of_the_default_tiers_own_is_applied_and_the_first_variant_that_sets_one_wins():
    variants = [
        {"when": {"service_tier": "default"}, "usd": {"output": 3}},
        {"when": {"service_tier": "default"}, "usd": {"input": 4, "output": 5}},
    ]
    models = [{"id": "m", "usd": {"input": 1, "output": 2}, "variants": variants}]
    listing = Listing({"version": "1.0", "date": "2026-11-01", "providers": [{"id": "acme", "models": models}]}, b"")
    quote = listing.quote("acme", "m", AT, Way(service_tier="default"))
    assert quote is not None
    assert [quote.prices[name].usd for name in ("input", "output")] == [4, 3]
    assert quote.flags == ()


def test_tiers_without_end_are_not_all_remembered():
    listing = shipped()
    for number in range(2_000):
        quote = listing.quote("openai", "gpt-4o", AT, Way(service_tier=f"made-up-{number}"))
        assert quote is not None
        assert quote.flags == (f"standard_rate:made-up-{number}",)
    endless = listing.quote("openai", "gpt-4o", AT, Way(service_tier="x" * 100_000))
    assert endless is not None
    assert len(endless.flags[0]) < 100
    priced = listing._find("openai", "gpt-4o")[1]
    assert len(priced._quotes) + len(priced._answers) < 500


def test_the_tier_that_says_batch_is_a_batch():
    one, two = (
        shipped().quote("anthropic", "claude-opus-5", AT, way) for way in (Way(True), Way(service_tier="batch"))
    )
    assert one == two
