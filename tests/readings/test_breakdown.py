"""What providers say that a request used, undone into disjoint classes: their own published and recorded answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.readings.breakdown import SHAPES, Breakdown, Contradiction, breakdown, shape_of
from infertop.readings.registry import TOKEN_CLASSES

# (provider, the usage object as it answered, tokens by class, calls)
ANSWERS = {
    "openai chat, details null": (
        "openai",
        {"prompt_tokens": 19, "completion_tokens": 10, "total_tokens": 29, "prompt_tokens_details": None},
        {"input": 19, "output": 10},
    ),
    "openai chat, cached and reasoning are inside": (
        "openai",
        {
            "prompt_tokens": 2006,
            "completion_tokens": 300,
            "total_tokens": 2306,
            "prompt_tokens_details": {"cached_tokens": 1920, "audio_tokens": 0},
            "completion_tokens_details": {
                "reasoning_tokens": 192,
                "audio_tokens": 0,
                "accepted_prediction_tokens": 40,
                "rejected_prediction_tokens": 8,
            },
        },
        {"input": 86, "cache_read": 1920, "output": 108, "reasoning": 192},
    ),
    "openai responses, written to the cache": (
        "openai",
        {
            "input_tokens": 1000,
            "input_tokens_details": {"cached_tokens": 400, "cache_write_tokens": 100},
            "output_tokens": 50,
            "output_tokens_details": {"reasoning_tokens": 20},
            "total_tokens": 1050,
        },
        {"input": 500, "cache_read": 400, "cache_write_5m": 100, "output": 30, "reasoning": 20},
    ),
    "openai realtime, cached audio is audio too": (
        "openai",
        {
            "total_tokens": 253,
            "input_tokens": 132,
            "output_tokens": 121,
            "input_token_details": {
                "text_tokens": 119,
                "audio_tokens": 13,
                "cached_tokens": 64,
                "cached_tokens_details": {"text_tokens": 60, "audio_tokens": 4},
            },
            "output_token_details": {"text_tokens": 30, "audio_tokens": 91},
        },
        {"input": 59, "cache_read": 64, "input_audio": 9, "output": 30, "output_audio": 91},
    ),
    "openai embedding": ("openai", {"prompt_tokens": 8, "total_tokens": 8}, {"input": 8}),
    "openai usage api": (
        "openai",
        {
            "object": "organization.usage.completions.result",
            "input_tokens": 1000,
            "input_cached_tokens": 400,
            "input_cache_write_tokens": 100,
            "input_uncached_tokens": 500,
            "output_tokens": 500,
            "input_text_tokens": 400,
            "output_text_tokens": 400,
            "input_cached_text_tokens": 300,
            "input_audio_tokens": 50,
            "input_cached_audio_tokens": 50,
            "output_audio_tokens": 50,
            "input_image_tokens": 50,
            "input_cached_image_tokens": 50,
            "output_image_tokens": 50,
            "num_model_requests": 5,
        },
        {
            "input": 400,
            "cache_read": 400,
            "cache_write_5m": 100,
            "input_audio": 50,
            "input_image": 50,
            "output": 400,
            "output_audio": 50,
            "output_image": 50,
        },
    ),
    "anthropic, caches beside the input": (
        "anthropic",
        {
            "input_tokens": 504,
            "cache_creation_input_tokens": 123,
            "cache_read_input_tokens": 7,
            "cache_creation": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 23},
            "output_tokens": 97,
            "service_tier": "standard",
        },
        {"input": 504, "cache_read": 7, "cache_write_5m": 100, "cache_write_1h": 23, "output": 97},
    ),
    "anthropic, the writes in one figure": (
        "anthropic",
        {"input_tokens": 4, "cache_creation_input_tokens": 50, "cache_read_input_tokens": None, "output_tokens": 9},
        {"input": 4, "cache_write_5m": 50, "output": 9},
    ),
    "anthropic usage report": (
        "anthropic",
        {
            "uncached_input_tokens": 1500,
            "cache_creation": {"ephemeral_1h_input_tokens": 1000, "ephemeral_5m_input_tokens": 500},
            "cache_read_input_tokens": 200,
            "output_tokens": 500,
        },
        {"input": 1500, "cache_read": 200, "cache_write_5m": 500, "cache_write_1h": 1000, "output": 500},
    ),
    "gemini, thoughts and tools beside": (
        "google",
        {
            "promptTokenCount": 300,
            "cachedContentTokenCount": 200,
            "candidatesTokenCount": 40,
            "thoughtsTokenCount": 60,
            "toolUsePromptTokenCount": 11,
            "totalTokenCount": 411,
        },
        {"input": 111, "cache_read": 200, "output": 40, "reasoning": 60},
    ),
    "gemini, audio partly cached": (
        "vertex",
        {
            "promptTokenCount": 1000,
            "promptTokensDetails": [
                {"modality": "TEXT", "tokenCount": 200},
                {"modality": "AUDIO", "tokenCount": 800},
            ],
            "cachedContentTokenCount": 500,
            "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 500}],
            "candidatesTokenCount": 10,
            "totalTokenCount": 1010,
        },
        {"input": 200, "cache_read": 500, "input_audio": 300, "output": 10},
    ),
    "gemini, the python spelling": (
        "google",
        {"prompt_token_count": 5, "candidates_token_count": 2, "total_token_count": 7},
        {"input": 5, "output": 2},
    ),
    "bedrock": (
        "aws",
        {
            "inputTokens": 30,
            "outputTokens": 628,
            "totalTokens": 1658,
            "cacheReadInputTokens": 600,
            "cacheWriteInputTokens": 400,
            "cacheDetails": [{"inputTokens": 300, "ttl": "1h"}, {"inputTokens": 100, "ttl": "5m"}],
        },
        {"input": 30, "cache_read": 600, "cache_write_5m": 100, "cache_write_1h": 300, "output": 628},
    ),
    "bedrock, a total without the caches": (
        "aws",
        {"inputTokens": 30, "outputTokens": 628, "totalTokens": 658, "cacheReadInputTokens": 600},
        {"input": 30, "cache_read": 600, "output": 628},
    ),
    "cohere bills less than it processes": (
        "cohere",
        {
            "billed_units": {"input_tokens": 5, "output_tokens": 418},
            "tokens": {"input_tokens": 71, "output_tokens": 418},
        },
        {"input": 5, "output": 418},
    ),
    "deepseek, hits and misses": (
        "deepseek",
        {
            "prompt_tokens": 800,
            "prompt_cache_hit_tokens": 640,
            "prompt_cache_miss_tokens": 160,
            "prompt_tokens_details": {"cached_tokens": 640},
            "completion_tokens": 90,
            "completion_tokens_details": {"reasoning_tokens": 70},
            "total_tokens": 890,
        },
        {"input": 160, "cache_read": 640, "output": 20, "reasoning": 70},
    ),
    "xai chat, reasoning beside": (
        "x-ai",
        {
            "prompt_tokens": 10120,
            "completion_tokens": 1499,
            "total_tokens": 14428,
            "prompt_tokens_details": {"text_tokens": 10120, "image_tokens": 0, "cached_tokens": 128},
            "completion_tokens_details": {"reasoning_tokens": 2809},
        },
        {"input": 9992, "cache_read": 128, "input_image": 0, "output": 1499, "reasoning": 2809},
    ),
    "xai responses, reasoning inside": (
        "x-ai",
        {
            "input_tokens": 125,
            "input_tokens_details": {"cached_tokens": 98},
            "output_tokens": 48,
            "output_tokens_details": {"reasoning_tokens": 40},
            "total_tokens": 173,
        },
        {"input": 27, "cache_read": 98, "output": 8, "reasoning": 40},
    ),
    "an OpenAI-compatible server that counts reasoning beside": (
        "somebody",
        {
            "prompt_tokens": 32,
            "completion_tokens": 9,
            "total_tokens": 135,
            "completion_tokens_details": {"reasoning_tokens": 94},
        },
        {"input": 32, "output": 9, "reasoning": 94},
    ),
    "litellm over anthropic": (
        "litellm",
        {
            "prompt_tokens": 634,
            "completion_tokens": 97,
            "total_tokens": 731,
            "prompt_tokens_details": {
                "cached_tokens": 7,
                "cache_creation_tokens": 123,
                "cache_creation_token_details": {"ephemeral_5m_input_tokens": 100, "ephemeral_1h_input_tokens": 23},
            },
            "cache_creation_input_tokens": 123,
            "cache_read_input_tokens": 7,
        },
        {"input": 504, "cache_read": 7, "cache_write_5m": 100, "cache_write_1h": 23, "output": 97},
    ),
    "openrouter": (
        "openrouter",
        {
            "prompt_tokens": 194,
            "completion_tokens": 2,
            "total_tokens": 196,
            "cost": 0.95,
            "prompt_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 100, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "image_tokens": 0},
            "is_byok": False,
        },
        {
            "input": 94,
            "cache_read": 0,
            "cache_write_5m": 100,
            "output": 2,
            "reasoning": 0,
            "input_audio": 0,
            "output_image": 0,
        },
    ),
    "mistral": ("mistral", {"prompt_tokens": 4, "completion_tokens": 7, "total_tokens": 11}, {"input": 4, "output": 7}),
}


@pytest.mark.parametrize(("provider", "usage", "tokens"), ANSWERS.values(), ids=ANSWERS)
def test_every_shape_comes_out_as_disjoint_classes(provider, usage, tokens):
    shape = shape_of(usage, provider)
    assert shape is not None
    found = breakdown(shape, usage)
    assert {name: n for name, n in found.tokens.items() if n} == {name: n for name, n in tokens.items() if n}
    assert shape == "openai_usage" or not found.unread


def test_what_is_counted_beside_tokens_is_a_call():
    asked = {"input_tokens": 1, "output_tokens": 2, "server_tool_use": {"web_search_requests": 3}}
    assert breakdown("anthropic", asked).calls == {"web_searches": 3}
    assert breakdown("cohere", {"billed_units": {"search_units": 1}}).calls == {"rerank_searches": 1}
    assert breakdown("openai", {"type": "duration", "seconds": 12}).calls == {"audio_seconds": 12}


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
