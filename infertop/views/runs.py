"""Runs: what each session of an agent took and cost, from the statements that name one."""

from __future__ import annotations

import math
import sqlite3
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from infertop.history.price_log import PriceLog
from infertop.history.statements import statements_told
from infertop.history.summary import add_usd
from infertop.money.lines import NANO, Line
from infertop.money.overlap import Counts, all_count
from infertop.money.rates import PriceBook
from infertop.money.statement_lines import TOKENS, statement_lines
from infertop.readings.model import LOCAL, Statement
from infertop.views.run_shapes import RunRow, RunsPage, Spread

MOST_ROWS = 500
# What a run is called, and what else tells single requests apart: both have no part in prices.
RUN_NAMES = ("run", "run_id", "session", "session_id", "trace", "trace_id")
_IDS = frozenset({*RUN_NAMES, "id", "message", "message_id", "request", "request_id"})
# Prices change at edges of days and of tariffs: what is told within so long has the same.
_TOGETHER_SECONDS = 900

Say = Callable[[Statement], Sequence[Line]]


class _Whose(NamedTuple):
    source: str
    run: str


@dataclass(slots=True)
class _Run:
    """A run as it is summed; money in 1e-9 USD."""

    start: float = math.inf
    end: float = 0.0
    agent: str = ""
    project: str = ""
    requests: int | None = None
    tokens: dict[str, int] = field(default_factory=dict)
    usd_nano: int | None = None
    counted_nano: int | None = None
    counts: bool = False
    unpriced: int = 0
    models: dict[str, int] = field(default_factory=dict)

    def add(self, each: Statement, lines: Iterable[Line], counts: bool) -> None:
        """Add what was told within a quarter of an hour of one model; `counts` says whether it is part of totals."""
        self.counts |= counts
        self.start, self.end = min(self.start, each.start), max(self.end, each.end)
        self.agent = self.agent or each.dimensions.get("agent", "")
        self.project = self.project or each.dimensions.get("project", "")
        if each.requests is not None:
            self.requests = (self.requests or 0) + each.requests
        nano: int | None = None
        for line in lines:
            nano = add_usd(nano, line.usd_nano)
            if line.unit == TOKENS:
                self.tokens[line.resource] = self.tokens.get(line.resource, 0) + line.quantity
                priced = line.usd_nano is not None or each.usd_nano is not None or each.provider == LOCAL
                self.unpriced += 0 if priced else line.quantity
        self.usd_nano = add_usd(self.usd_nano, nano)
        self.counted_nano = add_usd(self.counted_nano, nano if counts else None)
        if each.model:
            self.models[each.model] = self.models.get(each.model, 0) + (nano or 0)


def runs_page(
    connection: sqlite3.Connection,
    prices: PriceBook,
    now: float,
    since: float,
    until: float,
    counts: Counts = all_count,
) -> RunsPage:
    """Return the runs of [since, until), priced as the ledger prices what is told."""
    history = PriceLog(connection).take(prices, now)
    told = statements_told(connection, since, until)
    return runs_of(told, lambda each: statement_lines(each, history), now, since, until, counts)


def runs_of(
    told: Iterable[Statement],
    say: Say,
    now: float,
    since: float,
    until: float,
    counts: Counts = all_count,
) -> RunsPage:
    """Return the runs that statements tell of; `say` makes the lines of one, with their prices."""
    runs: dict[_Whose, _Run] = {}
    without = 0
    for run, each in _together(told):
        if run:
            whose = _Whose(each.source, run)
            runs.setdefault(whose, _Run()).add(each, say(each), counts(each.source, each.provider, each.model))
        else:
            without += each.requests or 0
    rows = sorted((_row(whose, run) for whose, run in runs.items()), key=_dearest)
    nano: int | None = None
    for each_run in runs.values():
        nano = add_usd(nano, each_run.counted_nano)
    return RunsPage(
        at=now,
        since=since,
        until=until,
        rows=tuple(rows[:MOST_ROWS]),
        runs=len(rows),
        usd=None if nano is None else nano / NANO,
        usd_per_run=spread([row.usd for row in rows if row.usd is not None]),
        requests_per_run=spread([float(row.requests) for row in rows if row.requests is not None]),
        tokens_per_run=spread([float(row.all_tokens) for row in rows]),
        requests_without=without,
    )


def spread(values: Sequence[float]) -> Spread:
    """Return the median, the least value that 95 % do not exceed, and of how many they are."""
    if not values:
        return Spread()
    ordered = sorted(values)
    return Spread(statistics.median(ordered), ordered[math.ceil(0.95 * len(ordered)) - 1], len(ordered))


def run_of(dimensions: Mapping[str, str]) -> str:
    """Return the run that a statement names, empty where it names none."""
    return next((dimensions[name] for name in RUN_NAMES if dimensions.get(name)), "")


def _together(told: Iterable[Statement]) -> Iterator[tuple[str, Statement]]:
    """Yield runs with what was told of them alike within a quarter of an hour, as one statement."""
    sums: dict[tuple[object, ...], tuple[str, Statement, dict[str, int]]] = {}
    for each in told:
        run = run_of(each.dimensions)
        alike = {name: value for name, value in each.dimensions.items() if name not in _IDS}
        quarter = each.start // _TOGETHER_SECONDS
        key = (each.source, run, each.provider, each.model, quarter, each.usd_nano is None, *sorted(alike.items()))
        known = sums.get(key)
        if known is None:
            sums[key] = run, replace(each, dimensions=alike), dict(each.quantities)
            continue
        _, before, quantities = known
        for name, amount in each.quantities.items():
            quantities[name] = quantities.get(name, 0) + amount
        sums[key] = run, _sum(before, each), quantities
    return ((run, replace(each, quantities=quantities)) for run, each, quantities in sums.values())


def _sum(before: Statement, each: Statement) -> Statement:
    requests = (
        None if before.requests is None and each.requests is None else (before.requests or 0) + (each.requests or 0)
    )
    return replace(
        before,
        start=min(before.start, each.start),
        end=max(before.end, each.end),
        requests=requests,
        usd_nano=add_usd(before.usd_nano, each.usd_nano),
    )


def _row(whose: _Whose, run: _Run) -> RunRow:
    return RunRow(
        run=whose.run,
        source=whose.source,
        agent=run.agent,
        project=run.project,
        models=tuple(sorted(run.models, key=lambda each: (-run.models[each], each))),
        start=run.start,
        end=run.end,
        requests=run.requests,
        tokens={name: run.tokens[name] for name in sorted(run.tokens)},
        usd=None if run.usd_nano is None else run.usd_nano / NANO,
        unpriced_tokens=run.unpriced,
        counts=run.counts,
    )


def _dearest(row: RunRow) -> tuple[float, int, str, str]:
    return -(row.usd or 0.0), -row.all_tokens, row.source, row.run
