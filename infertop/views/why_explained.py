"""The factors of a comparison: what each is called, and the formula of its effect, for whoever asks."""

from __future__ import annotations

from collections.abc import Mapping

from infertop.money.why import factors as of

_PER_REQUEST = "x = its tokens / requests of the same client and model; tokens of all classes of it"
# Each factor with its name and what it is, by how its effect is computed.
_Told = Mapping[str, tuple[str, str]]
_TRAFFIC: _Told = {
    of.VOLUME: ("requests", "x = requests an hour, of all together; where requests are not known, tokens"),
    of.MIX: ("share of models", "x = requests of a model / all requests; a model that was not used before is here"),
    of.CLIENTS: ("share of clients", "x = requests of a client / those of its model; who was not there before is here"),
    of.PROMPT: (
        "prompt tokens per request",
        "x = prompt tokens, cached ones included / requests of the same client and model",
    ),
    of.OUTPUT: (
        "output tokens per request",
        "x = output tokens without reasoning / requests of the same client and model",
    ),
    of.REASONING: ("reasoning tokens per request", _PER_REQUEST),
    of.MEDIA: ("audio and image tokens per request", _PER_REQUEST),
    of.CALLS: (
        "calls per request",
        "x = calls (searches, pages, seconds of audio) / requests of the same client and model",
    ),
    of.CACHE: ("cache-hit rate", "x = share of the prompt that was read from a cache, written to one, or neither"),
    of.TIER: (
        "service tier",
        "x = share that was processed in a way: standard, batch, flex, priority, long context",
    ),
    of.PRICE: ("unit price", "x = $ / quantity of one class in one way; other shares of classes are not in it"),
}
_BY_TRAFFIC = (
    "effect = sum of L(c1, c0) x ln(x1 / x0); c: $/h of a model, way and class, L(a, b) = (a - b) / ln(a / b)",
    "c = requests x share of the model x share of the client x tokens per request x tier x cache x price",
)
_COUNTS: _Told = {
    of.GPU_COUNT: ("GPU count", "GPUs that were held, by GPU-hours an hour"),
    of.UTILIZATION: ("GPU utilisation", "x = busy GPU-hours / GPU-hours held, on the same GPUs as before"),
    of.EFFICIENCY: (
        "tokens per busy GPU-hour",
        "x = tokens, as that many fresh prompt tokens (cached 0.1, output 4) / busy GPU-hours",
    ),
}
_BY_COUNT = (
    "GPU $/h = count x rate; count = tokens / (tokens per busy GPU-hour x utilisation)",
    "what the count did is divided among those of its factors that pushed it where it went",
)
_RATES: _Told = {of.GPU_RATE: ("GPU rate", "x = $ / GPU-hour, without energy")}
_BY_RATE = ("effect = L(c1, c0) x ln(x1 / x0); c: $/h of GPUs of one kind",)
_ALONE: _Told = {
    of.ENERGY: ("energy", "energy of GPUs that are owned: kWh x price"),
    of.HOST: ("host", "the machine's own hours"),
    of.DEPLOYMENTS: ("reserved throughput", "hours of reserved throughput, used or not"),
    of.ADJUSTMENTS: ("adjustments of bills", "what bills say beyond, or below, what was computed"),
    of.OTHER: ("everything else", "what belongs to no request and no machine"),
}
_BY_DIFFERENCE = ("effect = its $/h after - its $/h before",)
_WAYS = ((_TRAFFIC, _BY_TRAFFIC), (_COUNTS, _BY_COUNT), (_RATES, _BY_RATE), (_ALONE, _BY_DIFFERENCE))

NAMES: Mapping[str, str] = {factor: name for told, _ in _WAYS for factor, (name, _what) in told.items()}
"""What factors are called."""
_FORMULAS = {factor: (what, *way) for told, way in _WAYS for factor, (_name, what) in told.items()}


def formula(factor: str) -> tuple[str, ...]:
    """Return what a factor is and how its effect is computed, in lines; of an unknown one, none."""
    return _FORMULAS.get(factor, ())
