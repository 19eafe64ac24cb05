"""Rules that turn a page of metrics into the vocabulary, compiled once for each layout of the page.

A collector states its system as a Table of Rules: which of the page's samples make which metric of the registry. A
Plan is that table applied to one layout: lists of positions, so that reading an unchanged page is indexing and adding.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal
from weakref import WeakKeyDictionary

from infertop.readings.mapping_page import Cell, Names, Positions, canonical, parts, with_units
from infertop.readings.model import Series, Value

if TYPE_CHECKING:
    from infertop.readings.exposition import Layout

# So many series may a page make, and so many metrics of models a source over all its pages, however many it names.
MAX_SERIES = 5_000
MAX_METRICS = 50_000
_MOST_LEFT_OUT = 64  # ways of leaving series out that are remembered
Combine = Literal["sum", "mean", "max"]
_MOST_PLANS = 8
_EARLIEST = 1e9  # what says that it began before 2001 is no start, but a number cut short


@dataclass(frozen=True, slots=True)
class Rule:
    """Where one metric of the registry comes from.

    `names` are sample names as the page spells them (of a histogram: its family), in order: the first that the page
    has is taken, so that a name may change between versions. `a + b` adds two; `:` and `_` are equal, and a unit or
    `_total` at a name's end may be OpenTelemetry's. `where` maps a
    label to a pattern for its whole value (a label that is missing is empty). `keep` renames labels that stay, `labels`
    are added. Gauges that differ in other labels only are put together by `combine`; counters and histograms stay apart
    by rank. `per` is how many of the page's unit make one of ours (1e6 for microseconds).
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
    """A system's rules; where two make the same metric of one model, the earlier one does.

    `model_label` and `rank_labels` are the page's names for them: a series has a rank wherever the page has one of
    those, also when there is one rank only, so that a second one does not rename the first. Into the rank of a counter
    or a histogram go all labels that nothing else takes; several are joined by `/`. `lead_labels` tell processes apart
    that do the same work and each say so: of each rank only the first of them counts. `prefixes` are what relays put
    before the names. `started` is the sample that says when the process began.
    """

    rules: tuple[Rule, ...]
    model_label: str = ""
    rank_labels: tuple[str, ...] = ()
    lead_labels: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ("",)
    started: str = ""

    def names(self) -> frozenset[str]:
        """Return all names that the rules look for, as they spell them."""
        said = {part for rule in self.rules for name in rule.names for part in parts(name)}
        return frozenset(prefix + name for prefix in self.prefixes for name in said)

    def wanted(self) -> frozenset[str]:
        """Return all names that the rules look for, in all spellings, and that of the start."""
        spelt = {spelling for name in self.names() for spelling in with_units(name)}
        return frozenset(spelt | {self.started} - {""})

    def metrics(self) -> frozenset[str]:
        """Return which metrics of the registry the rules make."""
        return frozenset(rule.metric for rule in self.rules)

    def scaled(self, metrics: Sequence[str], factor: float) -> Table:
        """Return the table with the readings of `metrics` multiplied by `factor`."""
        rules = (replace(r, per=r.per / factor) if r.metric in metrics else r for r in self.rules)
        return replace(self, rules=tuple(rules))


@dataclass(frozen=True, slots=True)
class Choices:
    """What was taken where there was a choice: of each rule's names, and of the rules that make a metric of a model.

    A later name or rule steps in for an earlier one when a page is first read, never because a line of it could not be
    read: it is another meter, and the difference of two meters is no increase. `lacking` says that something chosen is
    not on this page, `dropped` counts the series that are beyond a limit.
    """

    names: Mapping[Names, Names] = field(default_factory=dict)
    rules: Mapping[Series, Names] = field(default_factory=dict)
    lacking: bool = False
    dropped: int = 0


def plan_for(table: Table, layout: Layout, model: str | None, before: Choices | None) -> Plan:
    """Return the plan of a layout, the same object for all targets that have the layout and read it alike.

    So they have the same series too, and what others make of those is made once.
    """
    plans = _PLANS.setdefault(layout, [])
    for of_table, of_model, of_before, plan in plans:
        if of_model == model and of_before is before and (of_table is table or of_table == table):
            return plan
    plan = Plan(table, layout, model, before)
    del plans[: max(len(plans) - _MOST_PLANS + 1, 0)]
    plans.append((table, model, before, plan))
    return plan


class Plan:
    """A table applied to one layout. `series` are all that it makes, in the order of the rules.

    `choices` is what the next layout's plan has to keep to, as this one does to that of the last.
    """

    def __init__(self, table: Table, layout: Layout, model: str | None = None, before: Choices | None = None) -> None:
        """Find every rule's positions; `model` names the samples without a model label.

        Without `model` they get the page's model where it has exactly one, else none.
        """
        page = Positions(layout, table, model)
        self._cells_of: dict[Series, Cell] = {}
        self.choices = self._choose(page, table, before or Choices())
        self.series = tuple(self._cells_of)
        self._cells = tuple(self._cells_of.values())
        self._started = page.named.get(canonical(table.started), [])
        self._some: dict[tuple[bool, ...], tuple[Series, ...]] = {}

    def _choose(self, page: Positions, table: Table, before: Choices) -> Choices:
        names, makers, made = dict(before.names), dict(before.rules), set[Series]()
        lacking, dropped = False, 0
        earlier: set[Names] = set()
        for rule in table.rules:
            taken = page.choose(rule, names.get(rule.names))
            if taken is None:
                continue
            names[rule.names] = taken
            lacking = lacking or not page.has(rule, taken)
            for series, cell in page.cells(rule, taken):
                bare = _bare(series)
                maker = makers.get(bare, rule.names)
                if maker != rule.names and maker in earlier:
                    lacking = lacking or bare not in made
                    continue
                if len(self._cells_of) >= MAX_SERIES or (len(makers) >= MAX_METRICS and bare not in makers):
                    dropped += 1
                    continue
                makers[bare] = rule.names
                made.add(bare)
                self._cells_of[series] = cell
            earlier.add(rule.names)
        return Choices(names, makers, lacking, dropped)

    def read(self, values: Sequence[float]) -> tuple[tuple[Series, ...], tuple[Value, ...]]:
        """Return series and their values; one whose value is not a finite number is left out.

        The tuple of series is the same object while the same ones are left out.
        """
        read = [cell.read(values) for cell in self._cells]
        if None not in read:
            return self.series, tuple(value for value in read if value is not None)
        present = tuple(value is not None for value in read)
        if present not in self._some:
            if len(self._some) >= _MOST_LEFT_OUT:
                self._some.clear()
            self._some[present] = tuple(itertools.compress(self.series, present))
        return self._some[present], tuple(value for value in read if value is not None)

    def started(self, values: Sequence[float]) -> float | None:
        """Return when the process began, in epoch seconds, or None where the page does not say."""
        said = [values[i] for i in self._started]
        return said[0] if said and _EARLIEST <= said[0] < math.inf else None


def _bare(series: Series) -> Series:
    return Series(series.metric, tuple(pair for pair in series.labels if pair[0] != "rank"))


_PLANS: WeakKeyDictionary[Layout, list[tuple[Table, str | None, Choices | None, Plan]]] = WeakKeyDictionary()
