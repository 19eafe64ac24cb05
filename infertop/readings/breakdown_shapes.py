"""What each provider's usage object is made of: which figure contains which, as tables.

Read from the providers' references and, where they are silent, from what their answers add up to: xAI counts reasoning
beside its completion tokens (chat) or inside its output tokens (responses), and the total tells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from infertop.readings.figures import Place, places

Places = tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Tokens of one class within a side. `less` is what of them is in a cache, and so counted there.

    `inside` says whether the side's figure contains them; `floats` that the total may say otherwise. `split` divides
    them over classes where the provider does.
    """

    token_class: str
    where: Places
    less: Places = ()
    inside: bool = True
    floats: bool = False
    split: tuple[tuple[str, Places], ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """The prompt, or what was generated: its figure, the class of what no part takes, and the parts.

    `uncached` is where a provider says itself what is left without the caches.
    """

    rest: str
    where: Places
    parts: tuple[Part, ...] = ()
    uncached: Places = ()


@dataclass(frozen=True)
class Shape:
    """A usage object. `keys` are those that it is known by, `providers` those whose own it is.

    `outside` are classes that `total` may leave out. `calls` are what is counted beside tokens, by call unit.
    """

    sides: tuple[Side, ...]
    keys: tuple[str, ...]
    providers: tuple[str, ...] = ()
    total: Places = ()
    outside: frozenset[str] = frozenset()
    calls: Mapping[str, Places] = field(default_factory=dict)

    @cached_property
    def floating(self) -> Places:
        """Where the part is of which the total says whether it is inside its side's figure."""
        return next((part.where for side in self.sides for part in side.parts if part.floats), ())

    def every_place(self) -> Iterator[Place]:
        """Iterate over every place that is read."""
        yield from self.total
        for where in self.calls.values():
            yield from where
        for side in self.sides:
            yield from (*side.where, *side.uncached)
            for part in side.parts:
                yield from (*part.where, *part.less)
                for _, where in part.split:
                    yield from where


def _inner(outer: tuple[str, ...], *names: str) -> tuple[str, ...]:
    return tuple(f"{each}.{name}" for each in outer for name in names)


_PROMPT_DETAILS = ("prompt_tokens_details", "input_tokens_details", "input_token_details")
_ANSWER_DETAILS = ("completion_tokens_details", "output_tokens_details", "output_token_details")


def _openai_modality(token_class: str, name: str) -> Part:
    cached = places(*_inner(_PROMPT_DETAILS, f"cached_tokens_details.{name}"))
    return Part(token_class, places(*_inner(_PROMPT_DETAILS, name)), less=cached)


def _openai_prompt() -> Side:
    cached = places(
        *_inner(_PROMPT_DETAILS, "cached_tokens"),
        "prompt_cache_hit_tokens",
        "cache_read_input_tokens",
        "num_cached_tokens",
    )
    written = places(
        *_inner(_PROMPT_DETAILS, "cache_creation_tokens", "cache_write_tokens"), "cache_creation_input_tokens"
    )
    by_time = tuple(
        (
            token_class,
            places(*_inner(_PROMPT_DETAILS, f"cache_creation_token_details.{name}"), f"cache_creation.{name}"),
        )
        for token_class, name in (
            ("cache_write_5m", "ephemeral_5m_input_tokens"),
            ("cache_write_1h", "ephemeral_1h_input_tokens"),
        )
    )
    return Side(
        "input",
        places("prompt_tokens", "input_tokens"),
        (
            Part("cache_read", cached),
            Part("cache_write_5m", written, split=by_time),
            _openai_modality("input_audio", "audio_tokens"),
            _openai_modality("input_image", "image_tokens"),
        ),
        uncached=places("prompt_cache_miss_tokens"),
    )


def _openai_answer(*, reasoning_inside: bool) -> Side:
    reasoning = places(*_inner(_ANSWER_DETAILS, "reasoning_tokens"))
    return Side(
        "output",
        places("completion_tokens", "output_tokens"),
        (
            Part("reasoning", reasoning, inside=reasoning_inside, floats=True),
            Part("output_audio", places(*_inner(_ANSWER_DETAILS, "audio_tokens"))),
            Part("output_image", places(*_inner(_ANSWER_DETAILS, "image_tokens"))),
        ),
    )


def _openai(*, reasoning_inside: bool, providers: tuple[str, ...], keys: tuple[str, ...]) -> Shape:
    """OpenAI's chat, responses, realtime, image and transcription shapes, and what gateways add to them."""
    return Shape(
        sides=(_openai_prompt(), _openai_answer(reasoning_inside=reasoning_inside)),
        keys=keys,
        providers=providers,
        total=places("total_tokens"),
        calls={
            "web_searches": places(
                "server_tool_use.web_search_requests", "server_tool_use_details.web_search_requests"
            ),
            "audio_seconds": places("seconds", "prompt_audio_seconds"),
        },
    )


_CACHE_WRITES = Part(
    "cache_write_5m",
    places("cache_creation_input_tokens"),
    inside=False,
    split=(
        ("cache_write_5m", places("cache_creation.ephemeral_5m_input_tokens")),
        ("cache_write_1h", places("cache_creation.ephemeral_1h_input_tokens")),
    ),
)
_ANTHROPIC = Shape(
    sides=(
        Side(
            "input",
            places("input_tokens", "uncached_input_tokens"),
            (Part("cache_read", places("cache_read_input_tokens"), inside=False), _CACHE_WRITES),
        ),
        Side("output", places("output_tokens"), (Part("reasoning", places("output_tokens_details.thinking_tokens")),)),
    ),
    keys=("cache_read_input_tokens", "cache_creation_input_tokens", "cache_creation", "uncached_input_tokens"),
    providers=("anthropic",),
    calls={"web_searches": places("server_tool_use.web_search_requests")},
)


def _gemini() -> Shape:
    def both(camel: str, snake: str) -> Places:
        return places(camel, snake)

    def of(outer: tuple[str, str], modality: str) -> Places:
        camel, snake = outer
        return places(f"{camel}[modality={modality}].tokenCount", f"{snake}[modality={modality}].token_count")

    prompt, cached = ("promptTokensDetails", "prompt_tokens_details"), ("cacheTokensDetails", "cache_tokens_details")
    answer = ("candidatesTokensDetails", "candidates_tokens_details")
    return Shape(
        sides=(
            Side(
                "input",
                both("promptTokenCount", "prompt_token_count"),
                (
                    Part("cache_read", both("cachedContentTokenCount", "cached_content_token_count")),
                    Part("input_audio", of(prompt, "AUDIO"), less=of(cached, "AUDIO")),
                    Part("input_image", of(prompt, "IMAGE"), less=of(cached, "IMAGE")),
                    Part("input", both("toolUsePromptTokenCount", "tool_use_prompt_token_count"), inside=False),
                ),
            ),
            Side(
                "output",
                places("candidatesTokenCount", "candidates_token_count", "responseTokenCount", "response_token_count"),
                (
                    Part("reasoning", both("thoughtsTokenCount", "thoughts_token_count"), inside=False),
                    Part("output_audio", of(answer, "AUDIO")),
                    Part("output_image", of(answer, "IMAGE")),
                ),
            ),
        ),
        keys=("promptTokenCount", "prompt_token_count", "candidatesTokenCount", "candidates_token_count"),
        providers=("google", "gemini", "vertex"),
        total=both("totalTokenCount", "total_token_count"),
    )


_BEDROCK = Shape(
    sides=(
        Side(
            "input",
            places("inputTokens"),
            (
                Part("cache_read", places("cacheReadInputTokens"), inside=False),
                Part(
                    "cache_write_5m",
                    places("cacheWriteInputTokens"),
                    inside=False,
                    split=(
                        ("cache_write_5m", places("cacheDetails[ttl=5m].inputTokens")),
                        ("cache_write_1h", places("cacheDetails[ttl=1h].inputTokens")),
                    ),
                ),
            ),
        ),
        Side("output", places("outputTokens")),
    ),
    keys=("inputTokens", "outputTokens"),
    providers=("aws", "bedrock"),
    total=places("totalTokens"),
    outside=frozenset({"cache_read", "cache_write_5m", "cache_write_1h"}),
)
# What Cohere bills is a part of what it processes ("tokens"), so the two are no contradiction.
_COHERE = Shape(
    sides=(
        Side("input", places("billed_units.input_tokens")),
        Side("output", places("billed_units.output_tokens")),
    ),
    keys=("billed_units",),
    providers=("cohere",),
    calls={"rerank_searches": places("billed_units.search_units")},
)
# A bucket of OpenAI's usage API (organization.usage.completions.result): what it says of audio and images is uncached.
_OPENAI_USAGE = Shape(
    sides=(
        Side(
            "input",
            places("input_tokens"),
            (
                Part("cache_read", places("input_cached_tokens")),
                Part("cache_write_5m", places("input_cache_write_tokens")),
                Part("input_audio", places("input_audio_tokens")),
                Part("input_image", places("input_image_tokens")),
            ),
            uncached=places("input_uncached_tokens"),
        ),
        Side(
            "output",
            places("output_tokens"),
            (
                Part("output_audio", places("output_audio_tokens")),
                Part("output_image", places("output_image_tokens")),
            ),
        ),
    ),
    keys=("input_cached_tokens", "input_uncached_tokens", "num_model_requests"),
)
_COMPATIBLE = ("openai", "azure", "mistral", "deepseek", "openrouter", "litellm", "groq", "together", "fireworks")

# The order is that in which an object is told by its keys: what has a key of its own goes before what shares its keys.
SHAPES: Mapping[str, Shape] = {
    "gemini": _gemini(),
    "bedrock": _BEDROCK,
    "cohere": _COHERE,
    "openai_usage": _OPENAI_USAGE,
    "xai": _openai(reasoning_inside=False, providers=("x-ai", "xai"), keys=()),
    "openai": _openai(
        reasoning_inside=True,
        providers=_COMPATIBLE,
        keys=("prompt_tokens", "completion_tokens", "input_tokens_details", "input_token_details", "total_tokens"),
    ),
    "anthropic": _ANTHROPIC,
}
