"""Contradictions are named with both figures, and the parts of whatever is taken sum to the whole."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.readings.breakdown import SHAPES, Breakdown, Contradiction, breakdown, shape_of
from infertop.readings.registry import TOKEN_CLASSES
from tests.readings.test_breakdown import ANSWERS

CONTRADICTIONS = {
    "cached above prompt": (
        "openai",
        {"prompt_tokens": 800, "completion_tokens": 1, "prompt_tokens_details": {"cached_tokens": 900}},
        "prompt_tokens_details.cached_tokens 900 is above prompt_tokens 800",
    ),
    "cached and audio above prompt": (
        "openai",
        {"prompt_tokens": 800, "prompt_tokens_details": {"cached_tokens": 500, "audio_tokens": 400}},
        "prompt_tokens_details.cached_tokens 500 and prompt_tokens_details.audio_tokens 400"
        " are above prompt_tokens 800",
    ),
    "reasoning above output": (
        "openai",
        {"prompt_tokens": 1, "completion_tokens": 10, "completion_tokens_details": {"reasoning_tokens": 20}},
        "completion_tokens_details.reasoning_tokens 20 is above completion_tokens 10",
    ),
    "a total of something else": (
        "openai",
        {"prompt_tokens": 5, "completion_tokens": 6, "total_tokens": 12},
        "total_tokens 12 is not the sum of its parts, 11 (prompt_tokens 5 and completion_tokens 6)",
    ),
    "writes by time that are not the total": (
        "anthropic",
        {
            "input_tokens": 1,
            "output_tokens": 1,
            "cache_creation_input_tokens": 500,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 23},
        },
        "cache_creation.ephemeral_5m_input_tokens 100 and cache_creation.ephemeral_1h_input_tokens 23 do not add up to"
        " cache_creation_input_tokens 500",
    ),
    "hits and misses that are not the prompt": (
        "openai",
        {"prompt_tokens": 800, "completion_tokens": 1, "prompt_cache_hit_tokens": 300, "prompt_cache_miss_tokens": 400},
        "prompt_cache_hit_tokens 300 and prompt_cache_miss_tokens 400 do not add up to prompt_tokens 800",
    ),
    "one figure under two names": (
        "openai",
        {"prompt_tokens": 800, "prompt_tokens_details": {"cached_tokens": 5}, "cache_read_input_tokens": 6},
        "prompt_tokens_details.cached_tokens 5 and cache_read_input_tokens 6 are the same figure and differ",
    ),
    "a part without its whole": (
        "openai",
        {"completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 5}},
        "prompt_tokens_details.cached_tokens 5 is part of prompt_tokens, which is missing",
    ),
    "cached audio above audio": (
        "gemini",
        {
            "promptTokenCount": 100,
            "promptTokensDetails": [{"modality": "AUDIO", "tokenCount": 40}],
            "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 50}],
        },
        "cacheTokensDetails[modality=AUDIO].tokenCount 50 is above promptTokensDetails[modality=AUDIO].tokenCount 40",
    ),
}


@pytest.mark.parametrize(("shape", "usage", "sentence"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_contradiction_names_both_figures(shape, usage, sentence):
    with pytest.raises(Contradiction) as raised:
        breakdown(shape, usage)
    assert str(raised.value) == sentence


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (-5, "prompt_tokens is -5: a count cannot be negative"),
        (1.5, "prompt_tokens is 1.5: it must be a whole number"),
        (True, "prompt_tokens is true: it must be a number"),
        ("12", "prompt_tokens is a string: it must be a number"),
        (10**16, "prompt_tokens is 10000000000000000: more than 1000000000000000 cannot be true"),
        (float("nan"), "prompt_tokens is not a number (NaN)"),
        (float("inf"), "prompt_tokens is inf: more than 1000000000000000 cannot be true"),
        ({}, "prompt_tokens is an object: it must be a number"),
    ],
)
def test_what_is_no_count_is_named(value, sentence):
    with pytest.raises(ValueError, match="prompt_tokens") as raised:
        breakdown("openai", {"prompt_tokens": value, "completion_tokens": 1})
    assert str(raised.value) == sentence


def test_tokens_that_no_class_takes_are_told():
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "citation_tokens": 19028, "other_tokens": 0}
    assert breakdown("openai", usage).unread == ("citation_tokens",)


@pytest.mark.parametrize("usage", [{}, {"foo": 1}, {"cost": 5}])
def test_an_object_that_is_no_usage_has_no_shape(usage):
    assert shape_of(usage, "openai") is None
    with pytest.raises(ValueError, match="no figure"):
        breakdown("openai", usage)


counts = st.integers(0, 10**12)


@given(counts, counts, counts, counts, counts, counts, st.booleans())
def test_openai_parts_sum_to_its_own_total(fresh, cached, written, audio, text, reasoning, beside):
    prompt, answer = fresh + cached + written + audio, text + (0 if beside else reasoning)
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": answer,
        "total_tokens": fresh + cached + written + audio + text + reasoning,
        "prompt_tokens_details": {"cached_tokens": cached, "cache_write_tokens": written, "audio_tokens": audio},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
    found = breakdown("openai", usage).tokens
    assert sum(found.values()) == usage["total_tokens"]
    assert (found["input"], found["cache_read"], found["input_audio"]) == (fresh, cached, audio)
    assert (found["output"], found["reasoning"]) == (text, reasoning)


@given(counts, counts, counts, counts, counts)
def test_gemini_parts_sum_to_its_own_total(fresh, cached, tool, text, thoughts):
    usage = {
        "promptTokenCount": fresh + cached,
        "cachedContentTokenCount": cached,
        "toolUsePromptTokenCount": tool,
        "candidatesTokenCount": text,
        "thoughtsTokenCount": thoughts,
        "totalTokenCount": fresh + cached + tool + text + thoughts,
    }
    found = breakdown("gemini", usage).tokens
    assert found == {"input": fresh + tool, "cache_read": cached, "output": text, "reasoning": thoughts}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
keys = sorted({step[0] for shape in SHAPES.values() for place in shape.every_place() for step in place.steps})


@given(
    st.sampled_from(sorted(SHAPES)),
    st.dictionaries(
        st.sampled_from(keys), json_values | st.dictionaries(st.sampled_from(keys), json_values, max_size=4), max_size=6
    ),
)
def test_any_object_is_undone_or_refused_in_a_sentence(shape, usage):
    shape_of(usage, "openai")
    try:
        found, sentence = breakdown(shape, usage), "none"
    except ValueError as error:
        found, sentence = Breakdown({}), str(error)
    assert 0 < len(sentence) < 1000
    assert all(type(each) is int and each >= 0 for each in found.tokens.values())


# How genai-prices calls the shape of an answer, where it reads it.
FLAVORS = {
    "openai chat, details null": "chat",
    "openai chat, cached and reasoning are inside": "chat",
    "openai responses, written to the cache": "responses",
    "openai embedding": "embeddings",
    "anthropic, caches beside the input": "default",
    "gemini, thoughts and tools beside": "default",
    "bedrock": "default",
    "cohere bills less than it processes": "default",
    "deepseek, hits and misses": "chat",
    "xai chat, reasoning beside": "chat",
    "xai responses, reasoning inside": "responses",
    "openrouter": "chat",
    "mistral": "default",
}

LISTED = {
    "openai": "gpt-4o",
    "anthropic": "claude-sonnet-4-5",
    "google": "gemini-2.5-pro",
    "aws": "amazon.nova-pro-v1:0",
    "cohere": "command-r",
    "deepseek": "deepseek-chat",
    "x-ai": "grok-4",
    "openrouter": "openai/gpt-4o",
    "mistral": "mistral-large-latest",
}


@pytest.mark.parametrize("name", FLAVORS)
def test_sums_are_those_that_genai_prices_reads(name):
    genai_prices = pytest.importorskip("genai_prices", reason="it comes with the development dependencies")
    provider, usage, _ = ANSWERS[name]
    model = LISTED[provider]
    body = {"model": model, "modelVersion": model, "usage": usage, "usageMetadata": usage}
    theirs = genai_prices.extract_usage(body, provider_id=provider, api_flavor=FLAVORS[name]).usage
    found = breakdown(shape_of(usage, provider), usage).tokens
    prompt = sum(count for name, count in found.items() if TOKEN_CLASSES[name].prompt)
    assert (prompt, sum(found.values()) - prompt) == (theirs.input_tokens, theirs.output_tokens or 0)
    assert found.get("cache_read", 0) == (theirs.cache_read_tokens or 0)
