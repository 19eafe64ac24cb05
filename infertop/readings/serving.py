"""Names of providers that are no seller of tokens but the software of servers that one runs oneself."""

from __future__ import annotations

from infertop.readings.model import LOCAL

# As LiteLLM names them (litellm/types/utils.py, LlmProviders).
_OWN_SERVERS = frozenset(
    {
        "docker_model_runner",
        "hosted_vllm",
        "lemonade",
        "llamafile",
        "lm_studio",
        "ollama",
        "ollama_chat",
        "oobabooga",
        "triton",
        "vllm",
        "xinference",
    }
)
_KINDS = {
    "hosted_vllm": "vllm",
    "llamafile": "llamacpp",
    "ollama": "ollama",
    "ollama_chat": "ollama",
    "triton": "triton",
    "vllm": "vllm",
}


def is_own(provider: str) -> bool:
    """Say whether what this provider serves is paid for by the hour of one's own machine, and by no token."""
    return provider == LOCAL or provider in _OWN_SERVERS


def served_by(provider: str) -> str:
    """Return the kind of source that reads such servers, empty where none is known."""
    return _KINDS.get(provider, "")
