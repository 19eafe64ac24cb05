"""Which of several sources that tell of the same requests counts, where the others only tell who made them.

An engine or a provider counts what it serves. A gateway passes requests on to them, and an agent's log tells of
requests to any of them: what they say of a model counts only where nobody who serves it says the same. The same is
said where provider and model are the same and the times of use overlap, day by day: what a gateway told before somebody
read the engine counts as it did then. `counts` of [[source]] stands above all this.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from infertop.money.same_model import model_key, same_model
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
_DAY = 86_400.0
# So long after the last overlap nothing counts yet: nothing was used meanwhile, or a provider tells late.
_CARRY_SECONDS = 2 * _DAY
ALWAYS = (float("-inf"), float("inf"))
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

    That is as of the last use; `spans` are the times (epoch seconds, days in UTC) of what is or was apart. `twice` was
    set to count though the source that is named counts the same. Of the sources `unsure` nothing counts that is not
    `known`: nobody has looked yet who else tells of it. `never` are sources that were set not to count.
    """

    apart: Mapping[Place, str] = field(default_factory=dict)
    spans: Mapping[Place, tuple[Span, ...]] = field(default_factory=dict)
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
    spans: dict[Place, tuple[Span, ...]] = {}
    twice: dict[Place, str] = {}
    for each in everything:
        same = index.same(each) if each.role is not Role.SERVES else []
        by = _best(each, same)
        if each.counts is False:
            apart[each.place], spans[each.place] = by, (ALWAYS,)
            continue
        if by and each.counts:
            twice[each.place] = by
        elif by:
            spans[each.place] = told_by_others(each, same)
            if _holds(spans[each.place], each):
                apart[each.place] = by
        index.add(each, apart.get(each.place, each.place.source))
    return Choices(
        apart,
        spans,
        twice,
        frozenset(each.place for each in everything),
        frozenset(each.place.source for each in everything if each.role is not Role.SERVES and each.counts is None),
        frozenset(each.place.source for each in everything if each.counts is False),
    )


def overlap_seconds(one: Sequence[Span], other: Sequence[Span]) -> float:
    """Return for how long both were used, give or take a minute; both are ordered, and 0 is not at all."""
    return sum(end - start for start, end in _common(one, other)) + _SLACK_SECONDS * sum(1 for _ in _common(one, other))


def told_by_others(each: Told, others: Iterable[tuple[Told, str]]) -> tuple[Span, ...]:
    """Return when others tell of the same: whole days in UTC, and some beyond the last of each row of them."""
    days = {
        float(day)
        for other, _ in others
        for start, end in _common(each.spans, other.spans)
        for day in range(int(start // _DAY), int(max(end - 1e-3, start) // _DAY) + 1)
    }
    found: list[Span] = []
    for day in sorted(days):
        start, end = day * _DAY, (day + 1) * _DAY + _CARRY_SECONDS
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], end)
        else:
            found.append((start, end))
    return tuple(found)


class _Index:
    """What was decided so far, to be found by the names of models."""

    def __init__(self, canonical: Callable[[str], str]) -> None:
        self._canonical = canonical
        self._named: dict[str, list[tuple[Told, str]]] = defaultdict(list)
        self._served: dict[str, list[tuple[Told, str]]] = defaultdict(list)

    def add(self, told: Told, by: str) -> None:
        """Take what counts, or by whom it is counted."""
        self._named[model_key(told.place.model)].append((told, by))
        if told.place.provider == LOCAL:
            self._served[told.kind].append((told, by))

    def same(self, each: Told) -> list[tuple[Told, str]]:
        """Return who of a lower role tells of the same requests at the same time, and by whom those are counted."""
        named = [
            (told, by)
            for told, by in self._named[model_key(each.place.model)]
            if same_model(told.place.model, each.place.model) and self._same_provider(each, told)
        ]
        # An engine knows its first name alone: what is asked of it under another one is told under the first.
        kind = served_by(each.place.provider)
        return _overlapping(each, named) or (_overlapping(each, self._served[kind]) if kind else [])

    def _same_provider(self, each: Told, other: Told) -> bool:
        asked, serving = each.place.provider, other.place.provider
        if serving == LOCAL:
            return is_own(asked) or asked in _ANY or asked in _ANY_LIKE
        # Who only logs what a client says may not know whom it asked: then the model alone tells.
        return not asked or self._canonical(asked) == self._canonical(serving)


def _overlapping(each: Told, others: Iterable[tuple[Told, str]]) -> list[tuple[Told, str]]:
    return [
        (told, by)
        for told, by in others
        if told.role < each.role
        and told.place.source != each.place.source
        and overlap_seconds(each.spans, told.spans) > 0
    ]


def _best(each: Told, others: Iterable[tuple[Told, str]]) -> str:
    """Return by whom it is counted: one that tells of its last days, before others; then by role, then by time."""
    found = [
        (
            not _holds(told_by_others(each, [(told, by)]), each),
            told.role,
            -overlap_seconds(each.spans, told.spans),
            told.place.source,
            by,
        )
        for told, by in others
    ]
    return min(found)[-1] if found else ""


def _holds(spans: Iterable[Span], each: Told) -> bool:
    """Say whether what was used last lies within these spans."""
    if not each.spans:
        return False
    last = max(each.spans[-1][1] - 1e-3, each.spans[-1][0])
    return any(start <= last < end for start, end in spans)


def _common(one: Sequence[Span], other: Sequence[Span]) -> Iterator[Span]:
    """Yield where ordered spans overlap; of two that are less than two minutes apart, the hole between them."""
    i = j = 0
    while i < len(one) and j < len(other):
        start, end = max(one[i][0], other[j][0]), min(one[i][1], other[j][1])
        if start - end < 2 * _SLACK_SECONDS:
            yield min(start, end), max(start, end)
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
