"""What providers say that a request used, undone into disjoint classes: their own published and recorded answers."""

import pytest

from infertop.readings.breakdown import breakdown, shape_of

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
