"""The factors of a comparison: what each is called, and the formula of its effect, for whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from infertop.money.why.factors import (
    ADJUSTMENTS,
    CACHE,
    CALLS,
    CLIENTS,
    DEPLOYMENTS,
    EFFICIENCY,
    ENERGY,
    GPU_COUNT,
    GPU_RATE,
    HOST,
    MEDIA,
    MIX,
    OTHER,
    OUTPUT,
    PRICE,
    PROMPT,
    REASONING,
    TIER,
    UTILIZATION,
    VOLUME,
)

_LMDI = "effect = sum of L(c1, c0) x ln(x1 / x0); c: $/h of a model, way and class, L(a, b) = (a - b) / ln(a / b)"
_PRODUCT = "c = requests x share of the model x share of the client x tokens per request x tier x cache x price"
_GPUS = "GPU $/h = count x rate; count = tokens / (tokens per busy GPU-hour x utilisation)"
_PUSH = "what the count did is divided among those of its factors that pushed it where it went"
_DIFFERENCE = "effect = its $/h after - its $/h before"
_PER_REQUEST = "x = its tokens / requests of the same client and model; tokens of all classes of it"


class _Factor(NamedTuple):
    """A factor's name, and in lines what it is and how its effect is computed."""

    name: str
    formula: tuple[str, ...]


_TOLD: Mapping[str, _Factor] = {
    VOLUME: _Factor(
        "requests", ("x = requests an hour, of all together; where requests are not known, tokens", _LMDI, _PRODUCT)
    ),
    MIX: _Factor(
        "share of models",
        ("x = requests of a model / all requests; a model that was not used before is here", _LMDI, _PRODUCT),
    ),
    CLIENTS: _Factor(
        "share of clients",
        ("x = requests of a client / those of its model; who was not there before is here", _LMDI, _PRODUCT),
    ),
    PROMPT: _Factor(
        "prompt tokens per request",
        ("x = prompt tokens, cached ones included / requests of the same client and model", _LMDI, _PRODUCT),
    ),
    OUTPUT: _Factor(
        "output tokens per request",
        ("x = output tokens without reasoning / requests of the same client and model", _LMDI, _PRODUCT),
    ),
    REASONING: _Factor("reasoning tokens per request", (_PER_REQUEST, _LMDI, _PRODUCT)),
    MEDIA: _Factor("audio and image tokens per request", (_PER_REQUEST, _LMDI, _PRODUCT)),
    CALLS: _Factor(
        "calls per request",
        ("x = calls (searches, pages, seconds of audio) / requests of the same client and model", _LMDI, _PRODUCT),
    ),
    CACHE: _Factor(
        "cache-hit rate",
        ("x = share of the prompt that was read from a cache, written to one, or neither", _LMDI, _PRODUCT),
    ),
    TIER: _Factor(
        "service tier",
        ("x = share that was processed in a way: standard, batch, flex, priority, long context", _LMDI, _PRODUCT),
    ),
    PRICE: _Factor(
        "unit price",
        ("x = $ / quantity of one class in one way; other shares of classes are not in it", _LMDI, _PRODUCT),
    ),
    GPU_COUNT: _Factor("GPU count", ("GPUs that were held, by GPU-hours an hour", _GPUS, _PUSH)),
    UTILIZATION: _Factor(
        "GPU utilisation", ("x = busy GPU-hours / GPU-hours held, on the same GPUs as before", _GPUS, _PUSH)
    ),
    EFFICIENCY: _Factor(
        "tokens per busy GPU-hour",
        ("x = tokens, as that many fresh prompt tokens (cached 0.1, output 4) / busy GPU-hours", _GPUS, _PUSH),
    ),
    GPU_RATE: _Factor(
        "GPU rate", ("x = $ / GPU-hour, without energy", "effect = L(c1, c0) x ln(x1 / x0); c: $/h of GPUs of one kind")
    ),
    ENERGY: _Factor("energy", ("energy of GPUs that are owned: kWh x price", _DIFFERENCE)),
    HOST: _Factor("host", ("the machine's own hours", _DIFFERENCE)),
    DEPLOYMENTS: _Factor("reserved throughput", ("hours of reserved throughput, used or not", _DIFFERENCE)),
    ADJUSTMENTS: _Factor("adjustments of bills", ("what bills say beyond, or below, what was computed", _DIFFERENCE)),
    OTHER: _Factor("everything else", ("what belongs to no request and no machine", _DIFFERENCE)),
}

NAMES: Mapping[str, str] = {factor: told.name for factor, told in _TOLD.items()}
"""What factors are called."""


def formula(factor: str) -> tuple[str, ...]:
    """Return what a factor is and how its effect is computed, in lines; of an unknown one, none."""
    return _TOLD[factor].formula if factor in _TOLD else ()
