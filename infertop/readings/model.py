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
    stated cost in 1e-9 USD where there is one.
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


class Covered(NamedTuple):
    """A span (epoch seconds) that the statements of a batch tell whole.

    What their source said before of anything inside it no longer stands; with a `scope`, only what has a key that
    begins with it.
    """

    start: float
    end: float
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything that one poll of one source read.

    `series` and `values` are parallel. A collector hands over the same `series` object while the shape of what it
    reads stays the same, so that those who index by series need to do it once. `started` is when the process that
    was read began (epoch seconds), or None where it does not say: a change means that its counters began again at 0.
    `notes` are sentences for the person at the screen about what was odd in an otherwise good poll, `rejected` counts
    the lines or fields of it that could not be read. `covered` are the spans that `statements` tell whole; None: the
    one that they reach over, of their source; empty: they are added to what was said, or replace it by their keys.
    `account` is what a provider says besides usage.
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
