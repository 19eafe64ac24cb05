"""Rules that turn a page of metrics into the vocabulary, compiled once for each layout of the page.

A collector states its system as a Table of Rules: which of the page's samples make which metric of the registry. A
Plan is that table applied to one layout: lists of positions, so that reading an unchanged page is indexing and adding.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

from infertop.readings.model import Buckets, Series, Value
from infertop.readings.registry import METRICS, Kind

if TYPE_CHECKING:
    from infertop.readings.exposition import Layout

Combine = Literal["sum", "mean", "max"]


@dataclass(frozen=True, slots=True)
class Rule:
    """Where one metric of the registry comes from.

    `names` are sample names as the page spells them (of a histogram: its family), in order: the first that the page
    has is taken, so that a name may change between versions. `a + b` adds two; `:` and `_` are equal. `where` maps a
    label to a pattern for its whole value (a label that is missing is empty). `keep` renames labels that stay, `labels`
    are added; what differs in other labels is put together by `combine`. `per` is how many of the page's unit make one
    of ours (1e6 for microseconds).
    """

    metric: str
    names: tuple[str, ...]
    where: Mapping[str, str] = field(default_factory=dict)
    keep: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    per: float = 1.0
    combine: Combine = "sum"


@dataclass(frozen=True, slots=True)
class Table:
    """A system's rules; where two make the same series, the earlier one does.

    `model_label` and `rank_labels` are the page's names for them: a series has a rank wherever the page has one of
    those, also when there is one rank only, so that a second one does not rename the first; several are joined by
    `/`. Counters of different processes must differ in rank: a sum over them would fall when one of them goes.
    `prefixes` are what relays put before the names. `started` is the sample that says when the process began.
    """

    rules: tuple[Rule, ...]
    model_label: str = ""
    rank_labels: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ("",)
    started: str = ""

    def wanted(self) -> frozenset[str]:
        """Return all names that the rules look for."""
        names = {part for rule in self.rules for name in rule.names for part in _parts(name)}
        spelt = {prefix + name for prefix in self.prefixes for name in names}
        return frozenset(spelt | {self.started} - {""})

    def scaled(self, metrics: Sequence[str], factor: float) -> Table:
        """Return the table with the readings of `metrics` multiplied by `factor`."""
        rules = (replace(r, per=r.per / factor) if r.metric in metrics else r for r in self.rules)
        return replace(self, rules=tuple(rules))


class Plan:
    """A table applied to one layout. `series` are all that it makes, in the order of the rules."""

    def __init__(self, table: Table, layout: Layout, model: str | None = None) -> None:
        """Find every rule's positions; `model` names the samples without a model label.

        Without `model` they get the page's model where it has exactly one, else none.
        """
        page = _Positions(layout, table, model)
        cells: dict[Series, _Cell] = {}
        for rule in table.rules:
            for series, cell in page.cells(rule):
                cells.setdefault(series, cell)
        self.series = tuple(cells)
        self._cells = tuple(cells.values())
        self._started = page.named.get(_canonical(table.started), [])
        self._present: tuple[bool, ...] = ()
        self._some = self.series

    def read(self, values: Sequence[float]) -> tuple[tuple[Series, ...], tuple[Value, ...]]:
        """Return series and their values; one whose value is not a finite number is left out.

        The tuple of series is the same object while the same ones are left out.
        """
        read = [cell.read(values) for cell in self._cells]
        if None not in read:
            return self.series, tuple(value for value in read if value is not None)
        present = tuple(value is not None for value in read)
        if present != self._present:
            self._present, self._some = present, tuple(itertools.compress(self.series, present))
        return self._some, tuple(value for value in read if value is not None)

    def started(self, values: Sequence[float]) -> float | None:
        """Return when the process began, in epoch seconds, or None where the page does not say."""
        said = [values[i] for i in self._started]
        return said[0] if said and math.isfinite(said[0]) and said[0] > 0 else None


@dataclass(frozen=True, slots=True)
class _Scalar:
    at: tuple[int, ...]
    per: float
    combine: Combine

    def read(self, values: Sequence[float]) -> float | None:
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
class _Histogram:
    bounds: tuple[float, ...]
    counts_at: tuple[tuple[int, ...], ...]  # one row for each label set, in the order of bounds
    sums_at: tuple[int, ...]
    per: float

    def read(self, values: Sequence[float]) -> Buckets | None:
        rows = [[values[i] for i in row] for row in self.counts_at]
        counts = rows[0] if len(rows) == 1 else [sum(column) for column in zip(*rows, strict=True)]
        total = sum([values[i] for i in self.sums_at]) / self.per
        if not math.isfinite(total + sum(counts)) or counts != sorted(counts):
            return None
        return Buckets(self.bounds, tuple(counts), total)


_Cell = _Scalar | _Histogram


class _Positions:
    """Which positions of a layout belong to which name, model and rank."""

    def __init__(self, layout: Layout, table: Table, model: str | None) -> None:
        self._series = layout.series
        self._table = table
        self.named: dict[str, list[int]] = defaultdict(list)
        for i, raw in enumerate(layout.series):
            self.named[_canonical(raw.name)].append(i)
        models = {value for raw in layout.series for name, value in raw.labels if name == table.model_label}
        self._model = model or (next(iter(models)) if len(models) == 1 else None)

    def cells(self, rule: Rule) -> Iterator[tuple[Series, _Cell]]:
        """Yield what a rule makes of this layout."""
        if METRICS[rule.metric].kind is not Kind.HISTOGRAM:
            for series, at in self._grouped(rule, self._first_present(rule, "")).items():
                yield series, _Scalar(tuple(at), rule.per, rule.combine)
            return
        for series, at in self._grouped(rule, self._first_present(rule, "_bucket")).items():
            cell = self._histogram(at, rule.per)
            if cell is not None:
                yield series, cell

    def _first_present(self, rule: Rule, suffix: str) -> list[int]:
        for name, prefix in itertools.product(rule.names, self._table.prefixes):
            at = [i for part in _parts(name) for i in self.named.get(_canonical(prefix + part) + suffix, ())]
            if at:
                return at
        return []

    def _grouped(self, rule: Rule, at: Sequence[int]) -> dict[Series, list[int]]:
        patterns = {name: re.compile(pattern) for name, pattern in rule.where.items()}
        groups: dict[Series, list[int]] = defaultdict(list)
        for i in at:
            labels = dict(self._series[i].labels)
            if all(pattern.fullmatch(labels.get(name, "")) for name, pattern in patterns.items()):
                groups[self._translated(rule, labels)].append(i)
        return groups

    def _translated(self, rule: Rule, labels: Mapping[str, str]) -> Series:
        ours = {name: labels.get(theirs) for theirs, name in rule.keep.items()}
        ours["model"] = labels.get(self._table.model_label, self._model)
        ours["rank"] = "/".join(labels[name] for name in self._table.rank_labels if name in labels) or None
        ours.update(rule.labels)
        return Series.of(rule.metric, **{name: value for name, value in ours.items() if value is not None})

    def _histogram(self, at: Sequence[int], per: float) -> _Histogram | None:
        """Line up the label sets' buckets; bounds that not all of them have are dropped, for counts are cumulative."""
        by_labels: dict[tuple[tuple[str, str], ...], dict[float, int]] = defaultdict(dict)
        for i in at:
            labels = self._series[i].labels
            bound = _number(dict(labels).get("le", ""))
            if bound is not None:
                by_labels[tuple(pair for pair in labels if pair[0] != "le")].setdefault(bound, i)
        family = self._series[at[0]].name.removesuffix("_bucket")
        sums = [i for i in self.named.get(_canonical(family) + "_sum", ()) if self._series[i].labels in by_labels]
        bounds = sorted(set.intersection(*(set(row) for row in by_labels.values()))) if by_labels else []
        if not bounds or bounds[-1] != math.inf or len(sums) != len(by_labels):
            return None
        rows = tuple(tuple(row[bound] for bound in bounds) for row in by_labels.values())
        return _Histogram(tuple(bound / per for bound in bounds), rows, tuple(sums), per)


def _canonical(name: str) -> str:
    # Ray and OpenTelemetry collectors write `:` as `_`.
    return name.replace(":", "_")


def _parts(name: str) -> list[str]:
    return name.split(" + ")


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return None if math.isnan(value) else value
