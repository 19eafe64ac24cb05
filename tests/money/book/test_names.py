"""A model's name means what genai-prices takes it for, however it is spelt."""

from __future__ import annotations

import random

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infertop.money.book.clauses import compiled
from infertop.money.book.load import shipped
from infertop.money.book.names import Names
from infertop.money.quote import Way
from tests.money.book import reference
from tests.money.book.test_against_genai_prices import ALONE, EVERY, UNPRICED

AT = 1_795_000_000.0
ASKED = (
    *("", "azure", "bedrock", "aws", "vertex_ai", "google", "openrouter", "litellm", "openai", "Anthropic", " XAI "),
    *("amazon-bedrock", "gemini", "together_ai", "huggingface/novita", "nobody", "unknown-provider", "mistralai"),
)
PREFIXES = ("openai/", "anthropic/", "azure/", "bedrock/", "vertex_ai/", "us.", "models/", "litellm/", "nobody/", "")
SUFFIXES = ("-20251211", "-20259999", ":free", "-2025-12-11", "-latest", "@20250929", "-v1:0", "x")
ALIASES = {"mistral-large-latest": "mistral-large", "codestral-latest": "codestral"}


def same(provider: str, model: str) -> bool:
    """Check that the book finds the same model of the same list, or none; and say whether there is one."""
    theirs = reference.resolved(provider, model)
    quote = shipped().quote(provider, model, AT)
    if quote is None:
        assert theirs is None or theirs in UNPRICED, (provider, model, theirs)
        return False
    matched = ALIASES.get(quote.matched, quote.matched) if (quote.provider, quote.matched) in ALONE else quote.matched
    assert theirs == (quote.provider, matched), (provider, model)
    return True


def spelt(name: str, dice: random.Random) -> str:
    """The name in another spelling: case, a prefix, a suffix, a date without dashes."""
    return dice.choice(
        (
            name.upper(),
            name.title(),
            dice.choice(PREFIXES) + name,
            name.split("/")[-1],
            name + dice.choice(SUFFIXES),
            name.replace("-2025-", "-2025").replace("-2024-", "-2024"),
            name.replace(".", "-"),
            name[: dice.randint(0, len(name))],
        )
    )


@pytest.mark.parametrize("provider", [each.id for each in reference.PROVIDERS])
def test_every_name_of_every_model_in_other_spellings_is_found_as_genai_prices_finds_it(provider):
    dice = random.Random(f"20261124 {provider}")
    for owner, model in EVERY:
        if owner == provider:
            for name in reference.names(model):
                same(provider, name)
                same(provider, spelt(name, dice))
                same(dice.choice(ASKED), name)
                same("litellm", f"{provider}/{spelt(name, dice)}")


def test_every_model_without_a_provider_is_of_the_list_that_such_names_belong_to():
    found = sum(same("", name) for _, model in EVERY for name in reference.names(model))
    assert found > 800


@settings(deadline=None)
@given(st.text(max_size=40), st.text(max_size=60))
def test_any_text_is_found_by_both_or_by_none(provider, model):
    same(provider, model)


@settings(deadline=None)
@given(st.sampled_from(EVERY), st.sampled_from(ASKED), st.randoms(use_true_random=False))
def test_any_spelling_is_found_by_both_or_by_none(listed, provider, dice):
    same(provider, spelt(spelt(dice.choice(reference.names(listed[1])), dice), dice))


WORDS = st.builds(str.__add__, st.sampled_from("=^$*~"), st.text("ab", min_size=1, max_size=2))
BOTH = st.builds(lambda one, two: {"all": [one, two]}, WORDS, WORDS)


@settings(deadline=None)
@given(st.lists(WORDS | st.lists(WORDS, min_size=1, max_size=3) | BOTH, max_size=6), st.text("ab", max_size=3))
@example(["=a", "^a"], "a")
@example(["^a", "=a"], "a")
def test_the_first_model_with_a_clause_that_matches_is_found(clauses, name):
    tried = next((position for position, clause in enumerate(clauses) if compiled(clause)(name)), None)
    assert Names(clauses).find(name) == tried


def test_a_name_that_nobody_has_is_no_neighbours():
    for provider, model in (
        ("openai", "gpt-7"),
        ("anthropic", "claude-opus-6"),
        ("openai", "gpt-4o-ultra"),
        ("", "llama"),
    ):
        assert shipped().quote(provider, model, AT) is None
        assert reference.resolved(provider, model) is None


def test_a_fall_back_list_is_named_and_its_variants_are_not_assumed():
    quote = shipped().quote("azure", "gpt-5", AT, Way(batch=True, service_tier="flex"))
    assert quote is not None
    assert quote.provider == "openai"
    assert quote.flags == ("listed_by:openai", "standard_rate:batch", "standard_rate:flex")


def test_names_longer_than_any_model_are_unknown_and_names_without_end_are_not_all_remembered():
    listing = shipped()
    assert listing.quote("openai", "gpt-4o" + "x" * 100_000, AT) is None
    assert listing.quote("o" * 100_000, "gpt-4o", AT) is None
    for number in range(10_000):
        assert listing.quote("openai", f"made-up-{number}", AT) is None
    assert len(listing._found) < 5_000
