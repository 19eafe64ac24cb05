"""What a meter says: series, samples, histograms, statements, and the batch in which one poll hands them over.

Labels are kept as sent (they are keys); `infertop.readings.safe` makes them fit for a terminal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from infertop.readings.account import Account


class Series(NamedTuple):
    """One meter: a metric of the registry and the labels that tell it from its siblings, sorted by name."""

    metric: str
    labels: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, metric: str, /, **labels: str) -> Series:
        """Make a series from keyword labels, in sorted order."""
        return cls(metric, tuple(sorted(labels.items())))

    def label(self, name: str) -> str | None:
        """Return the value of label `name`, or None where the series has no such label."""
        for key, value in self.labels:
            if key == name:
                return value
        return None


class Buckets(NamedTuple):
    """A histogram's reading: cumulative counts at each upper bound (the last bound is +Inf), and their sum."""

    bounds: tuple[float, ...]
    counts: tuple[float, ...]
    total: float

    @property
    def observations(self) -> float:
        """How many observations all buckets hold."""
        return self.counts[-1] if self.counts else 0.0


Value = float | Buckets


LOCAL = "local"
"""The provider of what one's own engines serve; no list has a price for it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """What a provider or a log says about a span of time; it is replaced by (source, key).

    `start` and `end` are epoch seconds, `quantities` maps token classes and call units to counts, `usd_nano` is the
    stated cost in 1e-9 USD where there is one. Logs say the same more than once, and in any order: of two with one key
    and a `rank` the higher one stands, and of equals the earlier. Without a rank it is what was said last.
    """

    source: str
    key: str
    start: float
    end: float
    provider: str
    model: str | None
    dimensions: Mapping[str, str]
    quantities: Mapping[str, int]
    requests: int | None
    usd_nano: int | None
    basis: str
    rank: int = 0

    def order(self) -> tuple[object, ...]:
        """Return what is lowest for the one that stands of those with one key and a rank."""
        said = sorted(self.dimensions.items()), sorted(self.quantities.items())
        return (
            -self.rank,
            self.start,
            self.end,
            self.provider,
            self.model or "",
            said,
            self.requests,
            self.usd_nano or 0,
        )


class Covered(NamedTuple):
    """A span (epoch seconds) that the statements of a batch tell whole.

    What their source said before of anything inside it no longer stands; with a `scope`, only what has a key that
    begins with it.
    """

    start: float
    end: float
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Member:
    """A source that is read through another one, as the targets of a Prometheus are.

    `batches` are its new readings in order of time, each stamped with when it was read there; none where nothing is
    new. It is read every `interval_seconds`. A member that a poll does not name is still known, and was not read.
    `counts` is False where it only passes on what others serve.
    """

    name: str
    kind: str
    url: str
    interval_seconds: float
    batches: tuple[Batch, ...] = ()
    counts: bool | None = None
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one poll of one source read.

    `series` and `values` are parallel. A collector hands over the same `series` object while the shape of what it
    reads stays the same, so that those who index by series need to do it once. `started` is when the process that
    was read began (epoch seconds), or None where it does not say: a change means that its counters began again at 0.
    `notes` are sentences for the person at the screen about what was odd in an otherwise good poll, `rejected` counts
    the lines or fields of it that could not be read. `covered` are the spans that `statements` tell whole; None: the
    one that they reach over, of their source; empty: they are added to what was said, or replace it by their keys.
    `account` is what a provider says besides usage. `bookmarks` say how far what was read is told by now: they are kept
    with the statements, and a collector that resumes gets the newest of each key back; an empty one is forgotten.
    `members` are what it read on behalf of other sources. One with more to tell is polled again after `again_seconds`.
    """

    source: str
    ts: float
    series: tuple[Series, ...]
    values: tuple[Value, ...]
    started: float | None = None
    statements: tuple[Statement, ...] = ()
    notes: tuple[str, ...] = field(default=())
    rejected: int = 0
    covered: tuple[Covered, ...] | None = None
    account: Account | None = None
    bookmarks: Mapping[str, str] = field(default_factory=dict)
    members: tuple[Member, ...] = ()
    again_seconds: float | None = None
