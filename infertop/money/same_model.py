"""Whether two names mean the same model: sources spell them with and without a path before and a date behind, and
Bedrock in its own way."""

from __future__ import annotations

import re

# Bedrock's names: where it is served, who made it, the model, its version ("us.anthropic.claude-opus-4-20250514-v1:0").
_BEDROCK = re.compile(
    r"(?:(?:[a-z]{2,6}|us-gov)\.)?(?:ai21|amazon|anthropic|cohere|deepseek|google|meta|minimax|mistral|moonshotai?"
    r"|nvidia|openai|qwen|writer|zai)\.(?P<model>[a-z0-9][\w.-]*?)(?:-v\d{1,2})?(?::[\w:]{1,12})?"
)
_DATED = re.compile(r"[-@](?:20\d{6}|20\d{2}-\d{2}-\d{2}|latest)(?=$|-v\d|:)")


def same_model(one: str | None, other: str | None) -> bool:
    """Say whether two names mean the same model; two dates are two models, and no name is none."""
    if one is None or other is None:
        return False
    a, b = _base(one), _base(other)
    return a == b or (_undated(a) == _undated(b) and _undated(a) in (a, b))


def model_key(model: str | None) -> str:
    """Return what all names of a model have in common."""
    return "" if model is None else _undated(_base(model))


def _base(model: str) -> str:
    name = model.lower().rsplit("/", 1)[-1].strip()
    at_bedrock = _BEDROCK.fullmatch(name)
    return at_bedrock["model"] if at_bedrock else name


def _undated(base: str) -> str:
    return _DATED.sub("", base)
