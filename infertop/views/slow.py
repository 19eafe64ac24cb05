"""Why answers take longer: whether more is asked, or longer prompts and answers, or none of that."""

from __future__ import annotations

from collections.abc import Mapping

from infertop.money.baseline import Scope
from infertop.money.why.cells import Measure
from infertop.money.why.factors import OUTPUT, PROMPT, VOLUME
from infertop.money.why.measured import PER_REQUEST
from infertop.money.why.usage import REQUESTS, Usage
from infertop.readings.registry import TOKEN_CLASSES
from infertop.views.event_shapes import Comparison, Effect
from infertop.views.why_explained import NAMES
from infertop.views.why_words import figure, times

Span = tuple[float, float]

# What grew by less than this makes nobody wait; by less than that only where an engine is full: traffic grows by as
# much from one hour to the next.
_MORE, _MUCH = 1.15, 1.5


def slow_comparison(
    scope: Scope, before: Span, after: Span, used_before: Usage, used_after: Usage, since: str
) -> Comparison:
    """Return what was asked of a scope in two windows, without dollars: a slower answer costs the same.

    `since` is the time that the sentence tells.
    """
    one, other = _asked(used_before), _asked(used_after)
    effects = tuple(
        Effect(name, 0.0, "", one.get(name), other.get(name), _unit(name)) for name in dict.fromkeys((*one, *other))
    )
    return Comparison(
        scope=dict(scope),
        before=before,
        after=after,
        before_usd_per_hour=None,
        after_usd_per_hour=None,
        effects=effects,
        sentence=f"{_sentence(one, other)}; since {since}",
        flags=tuple(dict.fromkeys((*used_before.flags, *used_after.flags))),
    )


def _asked(usage: Usage) -> Mapping[str, float]:
    """Return requests an hour, and tokens of prompts and answers a request, as far as they are known."""
    requests = sum(line.per_hour for line in usage.lines if line.resource == REQUESTS)
    if requests <= 0:
        return {}
    found = {VOLUME: requests}
    for line in usage.lines:
        kind = TOKEN_CLASSES.get(line.resource)
        if kind is not None:
            name = PROMPT if kind.prompt else OUTPUT
            found[name] = found.get(name, 0.0) + line.per_hour / requests
    return found


def _sentence(one: Mapping[str, float], other: Mapping[str, float]) -> str:
    if not (one and other):
        return "how many requests there were, then or before, is not known"
    grown = {name: other[name] / before for name, before in one.items() if name in other and before > 0}
    more = sorted((name for name in grown if grown[name] >= _MORE), key=lambda name: -grown[name])
    if not more:
        return "neither more requests nor longer ones than before: the same work takes longer"
    told = [
        f"{NAMES[name]} {figure(one[name], _unit(name))} -> {figure(other[name], _unit(name))}"
        f"{'/h' if name == VOLUME else ''} ({times(one[name], other[name])})"
        for name in more
    ]
    if all(grown[name] < _MUCH for name in more):
        return f"hardly more work than before: {' and '.join(told)}; mostly the same work takes longer"
    return f"more work than before: {' and '.join(told)}"


def _unit(name: str) -> str:
    return Measure.REQUESTS.value if name == VOLUME else PER_REQUEST
