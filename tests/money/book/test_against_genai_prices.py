"""Every model of the book costs what genai-prices says, but for what is corrected and what has no price."""

from __future__ import annotations

import random
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.book.load import shipped
from infertop.money.cost import cost
from infertop.money.quote import Way
from infertop.readings.registry import CALL_UNITS, TOKEN_CLASSES
from tests.money.book import reference

EVERY = [(provider.id, model) for provider in reference.PROVIDERS for model in provider.models]
# A model may not answer to its own id: each by a name that means it.
NAMED = {
    (provider, model.id): name
    for provider, model in EVERY
    for name in reversed(reference.names(model))
    if reference.resolved(provider, name) == (provider, model.id)
}
TIERS = ("", "flex", "priority", "fast", "default", "auto", "standard", "scale", "Flex")
WAYS = [Way(batch, tier) for batch in (False, True) for tier in TIERS]
# One kind of seconds is enough: the least that is billed is counted over all of them by genai-prices.
UNITS = [name for name in CALL_UNITS if name not in ("requests", "input_audio_seconds", "output_audio_seconds")]
FIRST, LAST = 1_690_000_000, 1_830_000_000
# What the book corrects, by price_corrections.toml, where the reasons are.
CORRECTED = {
    ("mistral", "mistral-large-latest"),
    ("mistral", "codestral-latest"),
    ("anthropic", "claude-sonnet-4-5"),
    ("deepseek", "deepseek-flash"),
    ("deepseek", "deepseek-v4-pro"),
    ("deepseek", "deepseek-v4-flash"),
}
# Corrected names of a row whose other names keep their prices.
ALONE = {("mistral", "mistral-large-latest"), ("mistral", "codestral-latest")}
# What genai-prices lists without a price and so gives away, and nothing says that it is free: unpriced in the book.
UNPRICED = {
    ("cerebras", "qwen-3-coder-480b"),
    ("google", "gemma-3"),
    ("google", "gemma-3n"),
    ("huggingface_together", "ServiceNow-AI/Apriel-1.6-15b-Thinker"),
    ("huggingface_together", "prism-ml/Ternary-Bonsai-27B-AWQ-4bit"),
    ("huggingface_together", "prism-ml/Ternary-Bonsai-27B-gguf"),
    ("openai", "moderation"),
    ("openrouter", "gemini-2.5-pro-exp-03-25"),
    ("openrouter", "google/gemini-flash-1.5-8b-exp"),
    ("openrouter", "google/lyria-3-clip-preview"),
    ("openrouter", "google/lyria-3-pro-preview"),
    ("openrouter", "stealth/crouton-alpha"),
}


def agree(provider: str, model: str, ts: float, way: Way, tokens: dict[str, int], calls: dict[str, int]) -> None:
    """Check that the book and genai-prices ask the same, or that the table says why not."""
    theirs = reference.usd(provider, model, ts, way, tokens, calls)
    quote = shipped().quote(provider, model, ts, way)
    ours = cost(quote, tokens, calls)
    said = (provider, model, ts, way, tokens, calls, ours, theirs)
    if quote is None:
        assert theirs is None or reference.resolved(provider, model) in UNPRICED, said
    elif "corrected" in quote.flags:
        assert (quote.provider, quote.matched) in CORRECTED, said
        assert shipped().reason(provider, model), said
    else:
        # Nothing that was used has a price: unknown by the book, free by genai-prices.
        charged = ours.usd if ours.usd is not None else Decimal(0)
        assert theirs is not None, said
        assert abs(charged - theirs) < Decimal("1e-15"), said


def use(dice: random.Random) -> tuple[dict[str, int], dict[str, int]]:
    """Token counts around the context tiers, and calls."""
    most = dice.choice((100, 30_000, 100_000, 200_000, 300_000, 600_000))
    tokens = {name: dice.choice((0, dice.randint(0, most))) for name in TOKEN_CLASSES}
    tier = dice.choice((32_000, 100_000, 128_000, 199_999, 200_000, 272_000))
    if dice.random() < 0.3:
        tokens = dict.fromkeys(TOKEN_CLASSES, 0) | {"input": tier + dice.choice((-1, 0, 1)), "output": 1_000}
    return tokens, {name: dice.randint(1, 5_000) for name in UNITS if dice.random() < 0.2}


@pytest.mark.parametrize("provider", [each.id for each in reference.PROVIDERS])
def test_every_model_costs_the_same_at_random_times_and_ways(provider):
    dice = random.Random(f"20261122 {provider}")
    for (owner, _), name in NAMED.items():
        if owner == provider:
            for _ in range(3):
                agree(provider, name, dice.uniform(FIRST, LAST), dice.choice(WAYS), *use(dice))


def test_every_model_costs_the_same_on_both_sides_of_every_start_date_and_hour():
    dice = random.Random(20261123)
    sides = 0
    for provider, model in EVERY:
        name = NAMED.get((provider, model.id), model.id)
        for turn in sorted(reference.turns(model)):
            for ts in (turn - 0.001, turn, turn + 0.001):
                for way in (Way(), Way(batch=True), Way(service_tier=dice.choice(TIERS))):
                    sides += 1
                    agree(provider, name, ts, way, *use(dice))
    assert sides > 3_000


@settings(deadline=None)
@given(
    st.sampled_from(sorted(NAMED)),
    st.floats(FIRST, LAST),
    st.sampled_from(WAYS),
    st.dictionaries(st.sampled_from(sorted(TOKEN_CLASSES)), st.integers(0, 10**7)),
    st.dictionaries(st.sampled_from(UNITS), st.integers(0, 10**6)),
)
def test_any_use_of_any_model_costs_the_same(listed, ts, way, tokens, calls):
    agree(listed[0], NAMED[listed], ts, way, tokens, calls)


def test_what_has_no_price_and_is_not_free_is_what_the_table_says():
    at = 1_795_000_000.0
    assert {listed for listed, name in NAMED.items() if not shipped().quote(listed[0], name, at)} == UNPRICED


def test_every_model_is_looked_at():
    assert len(NAMED) == len(EVERY) == len({(each.provider, each.id) for each in shipped().models()} - ALONE)


def test_every_correction_in_the_table_still_corrects_something():
    listing = shipped()
    assert {(each.provider, each.id) for each in listing.models() if listing.reason(each.provider, each.model)} == (
        CORRECTED
    )
