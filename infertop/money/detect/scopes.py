"""What is watched: the scopes of what was used, and the figures of each.

A flow is what one place used an hour in one minute; a scope is all places that have one value of a dimension, or all.
Money is in USD and floating point: figures are held against their past here, and never added up to a bill.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from infertop.money.detect.incidents import Rule

DIMENSIONS = ("source", "provider", "model", "key", "project")

Scope = tuple[tuple[str, str], ...]
"""Sorted pairs of dimension and value; () is everything."""

EVERYTHING: Scope = ()

USD = "usd_per_hour"
IDLE = "idle_usd_per_hour"
PER_MILLION = "usd_per_million_tokens"
PER_REQUEST = "usd_per_request"
PROMPT = "prompt_tokens_per_request"
OUTPUT = "output_tokens_per_request"
REQUESTS = "requests_per_second"
CACHE_HITS = "cache_hit_ratio"
LATENCY = "request_seconds"
FIRST_TOKEN = "ttft_seconds"
INTER_TOKEN = "inter_token_seconds"
LATENCIES = frozenset({LATENCY, FIRST_TOKEN, INTER_TOKEN})


class Place(NamedTuple):
    """The least that is told apart: one model of one source, by key and project where they are known."""

    source: str
    provider: str
    model: str | None = None
    key: str | None = None
    project: str | None = None


@dataclass(slots=True)
class Flow:
    """What was used an hour; None is unknown. `old_usd` is what it would cost at the prices of the minute before.

    `gpu_usd` is what of it GPUs cost, `idle_usd` the part of that in which nothing ran. `api_usd` is what was paid by
    use, for `api_tokens`: a machine of one's own costs the same whatever is asked of it. Of it, `prompt_usd` and
    `output_usd` are what prompts and answers cost; `missed_usd` is what `missed` prompt tokens, which no cache had,
    would have cost less from one. `seconds` are what `timed` requests took that ended in the minute; where nobody says
    so, `first_seconds` are what `firsts` waited for a first token, and `gap_seconds` passed in `gaps` between two.
    """

    usd: float | None = None
    gpu_usd: float | None = None
    idle_usd: float | None = None
    old_usd: float | None = None
    api_usd: float | None = None
    old_api_usd: float | None = None
    api_tokens: float | None = None
    prompt_usd: float | None = None
    output_usd: float | None = None
    missed_usd: float | None = None
    missed: float | None = None
    requests: float | None = None
    prompt: float | None = None
    cached: float | None = None
    output: float | None = None
    seconds: float | None = None
    timed: float | None = None
    first_seconds: float | None = None
    firsts: float | None = None
    gap_seconds: float | None = None
    gaps: float | None = None

    @property
    def is_used(self) -> bool:
        """Whether anything of it is known: a machine without a price that nobody asked has nothing to watch."""
        return any(each is not None for each in (self.usd, self.requests, self.prompt, self.output, self.timed))

    def add(self, other: Flow) -> None:
        """Add another place's flow."""
        for name in _AMOUNTS:
            setattr(self, name, added(getattr(self, name), getattr(other, name)))

    def figures(self, detailed: bool = True) -> Iterator[tuple[str, float, float]]:
        """Yield the figures that are known: name, value, and how many requests it stands on (1 where that is no mean).

        Of a scope that is not `detailed`, $/hour alone.
        """
        if self.usd is not None:
            yield USD, self.usd, 1.0
        if not detailed:
            return
        if self.idle_usd is not None:
            yield IDLE, self.idle_usd, 1.0
        if self.requests is not None:
            yield REQUESTS, self.requests / 3600, 1.0
        requests = self.requests or 0.0
        if requests > 0:
            paid = self.api_usd if self.gpu_usd is None else None
            means = ((PER_REQUEST, paid), (PROMPT, self.prompt), (OUTPUT, self.output))
            yield from ((name, whole / requests, requests) for name, whole in means if whole is not None)
        if self.cached is not None and self.prompt:
            yield CACHE_HITS, min(self.cached / self.prompt, 1.0), max(requests, 1.0)
        times = ((LATENCY, self.seconds, self.timed), (FIRST_TOKEN, self.first_seconds, self.firsts))
        for name, seconds, count in (*times, (INTER_TOKEN, self.gap_seconds, self.gaps)):
            if seconds is not None and count:
                yield name, seconds / count, count
        if self.api_usd is not None and self.api_tokens:
            yield PER_MILLION, self.api_usd / self.api_tokens * 1e6, max(requests, 1.0)

    def stake(self, metric: str) -> float | None:
        """Return the $/hour that a figure of it is about, None where none is paid for it.

        What a longer prompt costs more is a share of what prompts cost, and what a cache no longer saves one of what it
        would if it had all of them. A slower answer costs the same: latency has the scope's dollars, which say how much
        hangs on it.
        """
        if metric == CACHE_HITS:
            return self.missed_usd * (self.prompt or 0.0) / self.missed if self.missed_usd and self.missed else None
        if metric in (PROMPT, OUTPUT):
            return self.prompt_usd if metric == PROMPT else self.output_usd
        if metric == USD or metric in LATENCIES:
            return self.usd
        return self.idle_usd if metric == IDLE else self.api_usd


_AMOUNTS = tuple(each.name for each in fields(Flow))


def added(one: float | None, other: float | None) -> float | None:
    """Add two amounts of which either may be unknown."""
    if one is None or other is None:
        return other if one is None else one
    return one + other


def scopes_of(place: Place) -> list[Scope]:
    """Return every scope that a place is in, everything first."""
    values = zip(DIMENSIONS, place, strict=True)
    return [EVERYTHING, *(((name, value),) for name, value in values if value is not None)]


def is_in(place: Place, scope: Scope) -> bool:
    """Say whether a place is in a scope."""
    return all(getattr(place, name) == value for name, value in scope)


_MEANS = frozenset({PER_MILLION, PER_REQUEST, PROMPT, OUTPUT, CACHE_HITS})
_NO_SHARE = 0.05  # added to a share, so that a figure of none has a value


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure: what it is called, how its values read, and which way it costs."""

    name: str
    words: str
    form: str
    in_usd: bool = False
    costs_when_low: bool = False

    def watched(self, value: float) -> float:
        """Return the value that is watched: the larger, the dearer. Of a share it is how many others there are to one.

        A third of the hits is then about three times as much, whether there were many or few.
        """
        return (1 - value) / (value + _NO_SHARE) if self.costs_when_low else value

    def shown(self, watched: float) -> float:
        """Return the figure of a value that is watched."""
        return max(0.0, (1 - _NO_SHARE * watched) / (1 + watched)) if self.costs_when_low else watched

    def text(self, value: float) -> str:
        """Return a figure as people read it."""
        return self.form.format(value)

    def rule(self, base: Rule) -> Rule:
        """Return what makes an incident of it."""
        share = self._share if self.costs_when_low else None
        return replace(base, in_usd=self.in_usd, share=share, mean=self.name in _MEANS)

    def _share(self, watched: float, plan: float) -> float:
        """Return which share of all that hits could save is beyond the plan."""
        return self.shown(plan) - self.shown(watched)


METRICS: Mapping[str, Metric] = {
    each.name: each
    for each in (
        Metric(USD, "$/hour", "${:,.2f}/h", in_usd=True),
        Metric(IDLE, "idle GPUs", "${:,.2f}/h", in_usd=True),
        Metric(PER_MILLION, "cost per 1M tokens", "${:,.3f}"),
        Metric(PER_REQUEST, "cost per request", "${:,.4f}"),
        Metric(PROMPT, "prompt tokens per request", "{:,.0f}"),
        Metric(OUTPUT, "output tokens per request", "{:,.0f}"),
        Metric(REQUESTS, "requests per second", "{:,.2f}"),
        Metric(CACHE_HITS, "cache-hit rate", "{:.0%}", costs_when_low=True),
        Metric(LATENCY, "request time", "{:,.2f} s"),
        Metric(FIRST_TOKEN, "time to first token", "{:,.2f} s"),
        Metric(INTER_TOKEN, "time between tokens", "{:,.3f} s"),
    )
}

# What is watched of everything, of each model, of who asks (what a request takes is steadier than how many there are);
# of the others $/hour alone.
OF_EVERYTHING = frozenset({USD, IDLE, PER_MILLION})
OF_MODELS = frozenset({USD, PER_REQUEST, PROMPT, OUTPUT, REQUESTS, CACHE_HITS}) | LATENCIES
OF_CLIENTS = OF_MODELS - {REQUESTS} - LATENCIES
CLIENTS = frozenset({"key", "project"})


def watched_of(scope: Scope) -> frozenset[str]:
    """Return the names of the figures that are watched of a scope, where it is one of the dearest."""
    if not scope:
        return OF_EVERYTHING
    if scope[0][0] in CLIENTS:
        return OF_CLIENTS
    return OF_MODELS if scope[0][0] == "model" else frozenset({USD})
