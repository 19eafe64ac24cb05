"""The factors that a change of $/hour is divided into, in the order in which tables show them."""

from __future__ import annotations

from infertop.readings.registry import TOKEN_CLASSES

VOLUME, MIX, CLIENTS = "volume", "mix", "clients"
PROMPT, OUTPUT, REASONING, MEDIA, CALLS = "prompt_tokens", "output_tokens", "reasoning_tokens", "media_tokens", "calls"
CACHE, TIER, PRICE = "cache_hit_rate", "tier", "price"
GPU_COUNT, UTILIZATION, EFFICIENCY, GPU_RATE = "gpu_count", "utilization", "efficiency", "gpu_rate"
ENERGY, HOST, DEPLOYMENTS, ADJUSTMENTS, OTHER = "energy", "host", "deployments", "adjustments", "other"

FACTORS = (
    VOLUME,
    MIX,
    CLIENTS,
    PROMPT,
    OUTPUT,
    REASONING,
    MEDIA,
    CALLS,
    CACHE,
    TIER,
    PRICE,
    GPU_COUNT,
    UTILIZATION,
    EFFICIENCY,
    GPU_RATE,
    ENERGY,
    HOST,
    DEPLOYMENTS,
    ADJUSTMENTS,
    OTHER,
)
# Who asked how often, and of which model: what is no property of a request.
ABOUT_REQUESTS = frozenset({VOLUME, MIX, CLIENTS})
PROMPT_CLASSES = ("input", "cache_read", "cache_write_5m", "cache_write_1h")
_OWN_PHASE = {"output": OUTPUT, "reasoning": REASONING, **dict.fromkeys(PROMPT_CLASSES, PROMPT)}


def phase_of(resource: str) -> tuple[str, str]:
    """Return the factor that a token class or call unit is a part of, and what of it is counted together."""
    if resource in _OWN_PHASE:
        return _OWN_PHASE[resource], ""
    return (MEDIA if resource in TOKEN_CLASSES else CALLS), resource
