"""Which of several sources that tell of the same requests counts, where the others only tell who made them.

An engine or a provider counts what it serves. A gateway passes requests on to them, and an agent's log tells of
requests to any of them: what they say of a model counts only where nobody who serves it says the same. The same is
said where provider and model are the same and the times of use overlap. `counts` of [[source]] stands above all this.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from infertop.readings.model import LOCAL
from infertop.readings.serving import is_own, served_by

Counts = Callable[[str, str, str | None], bool]
"""Says of (source, provider, model) whether it is part of totals."""

Span = tuple[float, float]


def all_count(_source: str, _provider: str, _model: str | None) -> bool:
    """Let everything be part of totals."""
    return True


# Clocks differ, buckets are cut at minutes, and logs tell of a request when it is over.
_SLACK_SECONDS = 60.0
_DATED = re.compile(r"[-@](?:20\d{6}|20\d{2}-\d{2}-\d{2}|latest)(?=$|-v\d|:)")
# Names by which a gateway may call any server that speaks one of these APIs, one's own too.
_ANY = frozenset({"", "custom", "custom_openai", "huggingface", "litellm", "litellm_proxy", "nvidia_nim", "openai"})
_ANY_LIKE = frozenset({"openai_like", "text-completion-openai", "tgi"})


class Role(IntEnum):
    """What a source is to the requests that it tells of: of two the lower one counts."""

    SERVES = 0
    GATEWAY = 1
    LOG = 2


class Place(NamedTuple):
    """Whose traffic it is, and of what."""

    source: str
    provider: str
    model: str | None


@dataclass(frozen=True, slots=True)
class Told:
    """What a source tells of a model: when it was used (epoch seconds), and what `counts` of the source was set to."""

    place: Place
    role: Role
    spans: tuple[Span, ...]
    kind: str = ""
    counts: bool | None = None


@dataclass(frozen=True, slots=True)
class Choices:
    """What counts. `apart` is in no total, each with the source that counts the same (empty: none is known).

    `twice` was set to count though the source that is named counts the same. Of the sources `unsure` nothing counts
    that is not `known`: nobody has looked yet who else tells of it. `never` are sources that were set not to count.
    """

    apart: Mapping[Place, str] = field(default_factory=dict)
    twice: Mapping[Place, str] = field(default_factory=dict)
    known: frozenset[Place] = frozenset()
    unsure: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()

    def counts(self, source: str, provider: str, model: str | None) -> bool:
        """Say whether what a source tells of a provider's model is part of totals."""
        place = Place(source, provider, model)
        if source in self.never or place in self.apart:
            return False
        return source not in self.unsure or place in self.known

    def by(self, source: str, provider: str, model: str | None) -> str:
        """Return the source that counts the same in its stead, empty where there is none."""
        return self.apart.get(Place(source, provider, model), "")

    @property
    def sources_apart(self) -> frozenset[str]:
        """The sources of which nothing counts."""
        told = {place.source for place in self.apart}
        return self.never | (told - {place.source for place in self.known - self.apart.keys()})

    def doubles(self, source: str) -> tuple[str, ...]:
        """Return the sources that count what this one was set to count as well."""
        return tuple(sorted({by for place, by in self.twice.items() if place.source == source}))

    def others(self, source: str) -> tuple[str, ...]:
        """Return the sources that count what this one only attributes."""
        return tuple(sorted({by for place, by in self.apart.items() if place.source == source and by}))


def choose(told: Iterable[Told], canonical: Callable[[str], str] = str.lower) -> Choices:
    """Return what counts; `canonical` gives the one name of a provider that has several."""
    everything = sorted(told, key=lambda each: (each.role, each.place.source, each.place.provider, each.place[2] or ""))
    index = _Index(canonical)
    apart: dict[Place, str] = {}
    twice: dict[Place, str] = {}
    for each in everything:
        by = index.counting(each) if each.role is not Role.SERVES else ""
        if each.counts is False:
            apart[each.place] = by
        elif by and each.counts:
            twice[each.place] = by
        elif by:
            apart[each.place] = by
        if each.counts is not False:
            index.add(each, by if each.place in apart else each.place.source)
    return Choices(
        apart,
        twice,
        frozenset(each.place for each in everything),
        frozenset(each.place.source for each in everything if each.role is not Role.SERVES and each.counts is None),
        frozenset(each.place.source for each in everything if each.counts is False),
    )


def overlap_seconds(one: Sequence[Span], other: Sequence[Span]) -> float:
    """Return for how long both were used, give or take a minute; both are ordered, and 0 is not at all."""
    seconds, i, j = 0.0, 0, 0
    while i < len(one) and j < len(other):
        start = max(one[i][0], other[j][0]) - _SLACK_SECONDS
        end = min(one[i][1], other[j][1]) + _SLACK_SECONDS
        seconds += max(end - start, 0.0)
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return seconds


def same_model(one: str | None, other: str | None) -> bool:
    """Say whether two names mean the same model: the path before a name and the date behind it may be missing."""
    if one is None or other is None:
        return False
    a, b = _base(one), _base(other)
    return a == b or (_undated(a) == _undated(b) and _undated(a) in (a, b))


class _Index:
    """What was decided so far, to be found by the names of models."""

    def __init__(self, canonical: Callable[[str], str]) -> None:
        self._canonical = canonical
        self._named: dict[str, list[tuple[Told, str]]] = defaultdict(list)
        self._served: dict[str, list[tuple[Told, str]]] = defaultdict(list)

    def add(self, told: Told, by: str) -> None:
        """Take what counts, or by whom it is counted."""
        self._named[_key(told.place.model)].append((told, by))
        if told.place.provider == LOCAL:
            self._served[told.kind].append((told, by))

    def counting(self, each: Told) -> str:
        """Return the source that counts the same requests, empty where there is none; of several the best match."""
        named = [
            (told, by)
            for told, by in self._named[_key(each.place.model)]
            if same_model(told.place.model, each.place.model) and self._same_provider(each, told)
        ]
        # An engine knows its first name alone: what is asked of it under another one is told under the first.
        kind = served_by(each.place.provider)
        return _best(each, named) or (_best(each, self._served[kind]) if kind else "")

    def _same_provider(self, each: Told, other: Told) -> bool:
        asked, serving = each.place.provider, other.place.provider
        if serving == LOCAL:
            return is_own(asked) or asked in _ANY or asked in _ANY_LIKE
        return self._canonical(asked) == self._canonical(serving)


def _best(each: Told, others: Iterable[tuple[Told, str]]) -> str:
    found = [
        (told.role, -seconds, told.place.source, by)
        for told, by in others
        if told.role < each.role
        and told.place.source != each.place.source
        and (seconds := overlap_seconds(each.spans, told.spans)) > 0
    ]
    return min(found)[-1] if found else ""


def _base(model: str) -> str:
    return model.lower().rsplit("/", 1)[-1].strip()


def _undated(base: str) -> str:
    return _DATED.sub("", base)


def _key(model: str | None) -> str:
    return "" if model is None else _undated(_base(model))
