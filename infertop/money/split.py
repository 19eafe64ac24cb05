"""What a million tokens and a request cost over a window, given what the window cost and what was done in it.

Formulas (q: tokens of a class, w: its weight): usd_per_million_c = usd * w_c / sum(w * q) * 1e6, so that class prices
times quantities sum to the window's cost; blended = usd / (input + cache_read + output) * 1e6. Where the engine gives
the GPU's own time of prompts and of generation, the cost is first divided between the two by it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from infertop.money.weights import TOKEN_WEIGHTS, weighted_tokens
from infertop.readings.registry import TOKEN_CLASSES

MEASURED = "measured GPU time"
WEIGHTS = "token weights"
_MILLION = 1e6
_BLENDED = ("input", "cache_read", "output")


class PhaseSeconds(NamedTuple):
    """GPU time of prompts and of generation in the window.

    Only true GPU time counts (batches that run one after the other: SGLang's forward time, TGI's batch forward). The
    seconds that vLLM and llama.cpp sum over requests overlap and must not be given.
    """

    prefill: float
    decode: float


@dataclass(frozen=True, slots=True)
class UnitCosts:
    """What units cost over a window, in USD; None where there was nothing to divide by, or no cost to divide.

    `method` says how prefill and decode were told apart; it is empty where they were not.
    """

    per_million: Mapping[str, float | None]
    blended_per_million: float | None
    per_request: float | None
    prefill_usd: float | None
    decode_usd: float | None
    method: str


def unit_costs(
    usd: float | None,
    quantities: Mapping[str, float],
    requests: float | None,
    weights: Mapping[str, float] = TOKEN_WEIGHTS,
    phases: PhaseSeconds | None = None,
) -> UnitCosts:
    """Return the unit costs of a window that cost `usd`, with `quantities` in tokens by class.

    A class without a weight has no price of its own.
    """
    counted = {name: max(count, 0.0) for name, count in quantities.items() if math.isfinite(count)}
    names = dict.fromkeys((*_BLENDED, *counted))
    if usd is None or not math.isfinite(usd):
        return UnitCosts(dict.fromkeys(names), None, None, None, None, "")
    by_class, method = _by_class(usd, counted, weights, phases)
    prompt = [amount for name, amount in by_class.items() if _is_prompt(name)]
    return UnitCosts(
        per_million={name: _ratio(by_class.get(name), counted.get(name, 0.0) / _MILLION) for name in names},
        blended_per_million=_ratio(usd, sum(counted.get(name, 0.0) for name in _BLENDED) / _MILLION),
        per_request=_ratio(usd, requests),
        prefill_usd=math.fsum(prompt) if method else None,
        decode_usd=max(usd - math.fsum(prompt), 0.0) if method else None,
        method=method,
    )


def _by_class(
    usd: float, quantities: Mapping[str, float], weights: Mapping[str, float], phases: PhaseSeconds | None
) -> tuple[dict[str, float], str]:
    """Return what each class cost, and by what; nothing where no class with a weight has tokens."""
    prompt = {name: count for name, count in quantities.items() if _is_prompt(name)}
    generated = {name: count for name, count in quantities.items() if not _is_prompt(name)}
    share = _prefill_share(phases)
    # Time of a phase without tokens (of requests that began before the window) cannot be told in prices of classes.
    if share is not None and all(
        part == 0 or weighted_tokens(group, weights) > 0 for part, group in ((share, prompt), (1 - share, generated))
    ):
        return {**_divide(usd * share, prompt, weights), **_divide(usd * (1 - share), generated, weights)}, MEASURED
    by_class = _divide(usd, quantities, weights)
    return by_class, WEIGHTS if by_class else ""


def _divide(usd: float, quantities: Mapping[str, float], weights: Mapping[str, float]) -> dict[str, float]:
    whole = weighted_tokens(quantities, weights)
    if not whole > 0:
        return {}
    return {name: usd * (weights[name] * count / whole) for name, count in quantities.items() if name in weights}


def _prefill_share(phases: PhaseSeconds | None) -> float | None:
    if phases is None or not all(0 <= seconds < math.inf for seconds in phases):
        return None
    return _ratio(phases.prefill, phases.prefill + phases.decode)


def _is_prompt(name: str) -> bool:
    return name in TOKEN_CLASSES and TOKEN_CLASSES[name].prompt


def _ratio(amount: float | None, by: float | None) -> float | None:
    return amount / by if amount is not None and by is not None and 0 < by < math.inf else None
