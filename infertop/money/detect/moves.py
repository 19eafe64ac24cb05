"""What of every place moved a figure: the dollars that it has of it, before and since."""

from __future__ import annotations

from collections.abc import Mapping

from infertop.money.detect.grouping import Moved
from infertop.money.detect.scopes import (
    CACHE_HITS,
    FIRST_TOKEN,
    IDLE,
    INTER_TOKEN,
    LATENCY,
    OUTPUT,
    PER_REQUEST,
    PROMPT,
    REQUESTS,
    Flow,
    Place,
)

IN_USD_ALONE = frozenset({PROMPT, OUTPUT, CACHE_HITS, PER_REQUEST, REQUESTS})
_LITTLE = 1e-9
# Where nothing is paid by use a token stands for so many dollars: places of one figure are held against each other.
_USD_PER_UNIT = 1e-6


def moved_by(metric: str, before: Mapping[Place, Flow], after: Mapping[Place, Flow]) -> list[Moved]:
    """Return for each place what a figure has to do with: what it costs now, and what it would if it were as before.

    Of $/hour and of what is a price of it these are the dollars of both. A place that is new did nothing to a mean.
    """
    return [Moved(place, *_moved(metric, before.get(place), after.get(place))) for place in {**before, **after}]


def _moved(metric: str, one: Flow | None, two: Flow | None) -> tuple[float, float]:
    before, after = one or Flow(), two or Flow()
    if metric == IDLE:
        return before.idle_usd or 0.0, after.idle_usd or 0.0
    if metric in (LATENCY, FIRST_TOKEN, INTER_TOKEN):
        (seconds0, count0), (seconds1, count1) = (_timed(metric, each) for each in (before, after))
        return (seconds0 / count0 * count1 if count0 else seconds1), seconds1
    if metric not in IN_USD_ALONE:
        return before.usd or 0.0, after.usd or 0.0
    (amount0, over0), (amount1, over1) = (_parts(metric, each) for each in (before, after))
    usd = _usd(metric, after)
    now = _USD_PER_UNIT * amount1 if usd is None else usd
    if metric == REQUESTS:
        return (now * amount0 / amount1 if amount1 > _LITTLE else _USD_PER_UNIT * amount0), now
    if min(over0, over1, amount1) <= _LITTLE:
        return now, now
    return now * (amount0 / over0) / (amount1 / over1), now


def _timed(metric: str, flow: Flow) -> tuple[float, float]:
    if metric == LATENCY:
        return flow.seconds or 0.0, flow.timed or 0.0
    if metric == FIRST_TOKEN:
        return flow.first_seconds or 0.0, flow.firsts or 0.0
    return flow.gap_seconds or 0.0, flow.gaps or 0.0


def _parts(metric: str, flow: Flow) -> tuple[float, float]:
    """Return what a figure counts, and over how many it is a mean. Of cache hits it is what they miss."""
    if metric == CACHE_HITS:
        prompt = flow.prompt or 0.0
        return prompt - min(flow.cached or 0.0, prompt), prompt
    amounts = {PER_REQUEST: flow.api_usd, PROMPT: flow.prompt, OUTPUT: flow.output, REQUESTS: flow.requests}
    return amounts[metric] or 0.0, flow.requests or 0.0


def _usd(metric: str, flow: Flow) -> float | None:
    """Return the $/hour that a figure is about, None where none are known."""
    about = {PROMPT: flow.prompt_usd, OUTPUT: flow.output_usd, CACHE_HITS: flow.missed_usd}
    return about.get(metric, flow.api_usd)
