"""What a rule makes of one layout: the positions of a page's samples by name, model and rank, and how they are read.

Counters and histograms are never added up here. A sum would fall when one of its lines cannot be read or goes, and a
fall looks like a restart: their lines stay series of their own, and who reads increases adds those.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import gt
from typing import TYPE_CHECKING

from infertop.readings.exposition_shape import picker
from infertop.readings.model import Buckets, Series
from infertop.readings.registry import METRICS, Kind

if TYPE_CHECKING:
    from infertop.readings.exposition import Layout, RawSeries
    from infertop.readings.mapping import Combine, Rule, Table

# The names of a rule's samples on a page, as the page spells them: one, or several that stand together.
Names = tuple[str, ...]
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Scalar:
    """One number made of the samples at `at`."""

    at: tuple[int, ...]
    per: float
    combine: Combine

    def read(self, values: Sequence[float]) -> float | None:
        """Return the number, None where it is not finite."""
        found = [values[i] for i in self.at]
        if self.combine != "sum":
            # A summary of an idle version is NaN beside that of a busy one; a sum with a part missing would fall.
            found = [value for value in found if math.isfinite(value)]
            if not found:
                return None
        total = max(found) if self.combine == "max" else sum(found)
        value = total / self.per / (len(found) if self.combine == "mean" else 1)
        return value if math.isfinite(value) else None


@dataclass(frozen=True, slots=True)
class Histogram:
    """One histogram: what picks its buckets, in the order of `bounds`, and where its sum is."""

    bounds: tuple[float, ...]
    pick: Callable[[Sequence[float]], tuple[float, ...]]
    sum_at: int
    per: float

    def read(self, values: Sequence[float]) -> Buckets | None:
        """Return the histogram, None where a number is not finite or the counts fall from bucket to bucket."""
        counts = self.pick(values)
        total = values[self.sum_at] / self.per
        if not math.isfinite(total + sum(counts)) or any(map(gt, counts, counts[1:])):
            return None
        return Buckets(self.bounds, counts, total)


Cell = Scalar | Histogram


class Positions:
    """Which positions of a layout belong to which name, model and rank."""

    def __init__(self, layout: Layout, table: Table, model: str | None) -> None:
        self._series = layout.series
        self._table = table
        self.named: dict[str, list[int]] = defaultdict(list)
        again = _followers(layout.series, table) if table.lead_labels else frozenset[int]()
        for i, raw in enumerate(layout.series):
            if i not in again:
                self.named[canonical(raw.name)].append(i)
        own = {canonical(name) for name in table.names()}
        for name in list(self.named):
            for bare in _without_units(name):
                if name not in own or bare not in own:  # else it is another meter, whose line may be lost
                    self.named.setdefault(bare, self.named[name])
        models = {value for raw in layout.series for name, value in raw.labels if name == table.model_label}
        self._model = model or (next(iter(models)) if len(models) == 1 else None)

    def choose(self, rule: Rule, before: Names | None) -> Names | None:
        """Return the names that a rule takes: the first that are on the page, and none behind those of `before`."""
        for name, prefix in itertools.product(rule.names, self._table.prefixes):
            names = tuple(prefix + part for part in parts(name))
            if names == before or self.has(rule, names):
                return names
        return None

    def has(self, rule: Rule, names: Names) -> bool:
        """Say whether the page has one of these names."""
        return any(canonical(name) + _suffix(rule) in self.named for name in names)

    def cells(self, rule: Rule, names: Names) -> Iterator[tuple[Series, Cell]]:
        """Yield what a rule makes of these names."""
        histogram = METRICS[rule.metric].kind is Kind.HISTOGRAM
        for series, at in self._grouped(rule, names).items():
            cell = self._histogram(at, rule.per) if histogram else Scalar(tuple(at), rule.per, rule.combine)
            if cell is not None:
                yield series, cell

    def _grouped(self, rule: Rule, names: Names) -> dict[Series, list[int]]:
        patterns = {name: re.compile(pattern) for name, pattern in rule.where.items()}
        groups: dict[Series, list[int]] = defaultdict(list)
        for name in names:
            for i in self.named.get(canonical(name) + _suffix(rule), ()):
                labels = dict(self._series[i].labels)
                if all(pattern.fullmatch(labels.get(key, "")) for key, pattern in patterns.items()):
                    groups[self._translated(rule, labels, name if len(names) > 1 else "")].append(i)
        return groups

    def _translated(self, rule: Rule, labels: Mapping[str, str], name: str) -> Series:
        ours = {kept: labels.get(theirs) for theirs, kept in rule.keep.items()}
        ours["model"] = labels.get(self._table.model_label, self._model)
        rank = [labels[key] for key in self._table.rank_labels if key in labels]
        if METRICS[rule.metric].kind is not Kind.GAUGE:
            rank += [*self._other(rule, labels), *([name] if name else [])]
        ours["rank"] = "/".join(rank) or None
        ours.update(rule.labels)
        return Series.of(rule.metric, **{key: value for key, value in ours.items() if value is not None})

    def _other(self, rule: Rule, labels: Mapping[str, str]) -> list[str]:
        """Return what tells a line from its siblings besides model and rank, in the order of the labels' names."""
        table = self._table
        said = {"le", table.model_label, *table.rank_labels, *rule.keep}
        said |= {name for name, pattern in rule.where.items() if re.escape(pattern) == pattern}
        return [value for name, value in sorted(labels.items()) if name not in said]

    def _histogram(self, at: Sequence[int], per: float) -> Histogram | None:
        """Put the buckets of one histogram in the order of their bounds."""
        first = self._series[at[0]]
        labels = _but_le(first.labels)
        buckets: dict[float, int] = {}
        for i in at:
            bound = _number(dict(self._series[i].labels).get("le", ""))
            if bound is not None and _but_le(self._series[i].labels) == labels:
                buckets.setdefault(bound, i)
        bounds = sorted(buckets)
        sums = self.named.get(canonical(first.name.removesuffix("_bucket")) + "_sum", ())
        sum_at = next((i for i in sums if self._series[i].labels == labels), None)
        if not bounds or bounds[-1] != math.inf or sum_at is None:
            return None
        pick = picker([buckets[each] for each in bounds])
        return Histogram(tuple(bound / per for bound in bounds), pick, sum_at, per)


def _followers(series: Sequence[RawSeries], table: Table) -> frozenset[int]:
    """Return where processes speak that do the work of another one, whose rank is theirs and whose number is lower."""
    said: list[tuple[int, tuple[str | None, ...], str, tuple[int, str]]] = []
    for i, raw in enumerate(series):
        labels = dict(raw.labels)
        group = tuple(labels.get(label) for label in table.rank_labels)
        said += [(i, group, label, _rank(labels[label])) for label in table.lead_labels if labels.get(label)]
    first: dict[tuple[tuple[str | None, ...], str], tuple[int, str]] = {}
    for _, group, label, rank in said:
        first[group, label] = min(rank, first.get((group, label), rank))
    return frozenset(i for i, group, label, rank in said if rank != first[group, label])


def _rank(text: str) -> tuple[int, str]:
    """Return what orders ranks as numbers."""
    return len(text), text


def canonical(name: str) -> str:
    """Return the spelling under which names are compared: Ray and OpenTelemetry collectors write `:` as `_`."""
    return name.replace(":", "_")


# OpenTelemetry's collectors put a unit behind a name, and `_total` behind a counter's.
_UNITS = ("_seconds", "_ratio")
_PARTS = re.compile(r"(.*?)(_total|_bucket|_sum|_count|)")


def with_units(name: str) -> Iterator[str]:
    """Yield a name and how it may be spelt once a collector of OpenTelemetry passed it on."""
    yield name
    stem, _ = _split(name)
    yield from (stem + unit for unit in _UNITS)


def _without_units(name: str) -> Iterator[str]:
    stem, end = _split(name)
    bare = [stem, *(stem.removesuffix(unit) for unit in _UNITS if stem.endswith(unit))]
    yield from (each + end for each in bare[1:])
    if end == "_total":
        yield from bare


def _split(name: str) -> tuple[str, str]:
    found = _PARTS.fullmatch(name)
    return (found[1], found[2]) if found else (name, "")


def parts(name: str) -> list[str]:
    """Return the names that a rule's `a + b` joins."""
    return name.split(" + ")


def _suffix(rule: Rule) -> str:
    return "_bucket" if METRICS[rule.metric].kind is Kind.HISTOGRAM else ""


def _but_le(labels: Labels) -> Labels:
    return tuple(pair for pair in labels if pair[0] != "le")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return None if math.isnan(value) else value
