"""Runs: what each session of an agent took and cost, and what is usual of one."""

from __future__ import annotations

from typing import NamedTuple

from infertop.views.run_shapes import RunRow, RunsPage, Spread
from tui import format as fmt
from tui.panels.panel import Order, TablePanel
from tui.panels.sheet import Sheet
from tui.scene import Scene, named
from tui.themes import BOLD, DIM, PLAIN
from tui.widgets.spark import bar
from tui.widgets.table import Cell, Column

NAME = "runs"
_MARK = "…"


class _Usual(NamedTuple):
    """What is usual of a run, in one figure of it; `all` is the sum, where there is one."""

    what: str
    of: Spread
    all: str
    money: bool = False


def _made(scene: Scene) -> RunsPage:
    return scene.runs or RunsPage(scene.view.at, 0.0, 0.0)


def runs(scene: Scene) -> list[RunRow]:
    """Return the runs that the filter lets through, in the order chosen."""
    choices = scene.choices
    shown = [
        row for row in _made(scene).rows if choices.matches(row.run, row.source, row.agent, row.project, *row.models)
    ]
    return RUNS.order(scene).sorted(shown)


def run_key(row: RunRow) -> str:
    """Return what tells a run from every other."""
    return f"{row.source}\t{row.run}"


def _end(text: str, width: int) -> str:
    """Return the end of a path, which tells folders apart."""
    return text if len(text) <= width else _MARK + text[len(text) - width + 1 :]


def _project(row: RunRow, scene: Scene, width: int) -> Cell:
    return _end(row.project, width) or "-", PLAIN


def _model(row: RunRow, scene: Scene, width: int) -> Cell:
    more = f" +{len(row.models) - 1}" if len(row.models) > 1 else ""
    return (named(row.models[0]) + more if row.models else "-"), PLAIN


def _usd(row: RunRow, scene: Scene, width: int) -> Cell:
    return fmt.money(row.usd), BOLD if row.counts else DIM


def _unpriced(row: RunRow, scene: Scene, width: int) -> Cell:
    return (fmt.count(float(row.unpriced_tokens)) if row.unpriced_tokens else ""), DIM


def _calls(row: RunRow, scene: Scene, width: int) -> Cell:
    return fmt.count(None if row.requests is None else float(row.requests)), PLAIN


COLUMNS: tuple[Column[RunRow], ...] = (
    Column("project", "RUN IN", 14, _project, left=True, grow=34),
    Column("agent", "AGENT", 11, lambda r, s, w: (r.agent or r.source, DIM), rank=4, left=True),
    Column("model", "MODEL", 16, _model, rank=2, left=True, grow=16),
    Column("start", "BEGAN", 10, lambda r, s, w: (s.when(r.start), PLAIN), rank=3, left=True),
    Column("requests", "CALLS", 6, _calls, rank=1),
    Column("tokens", "TOKENS", 7, lambda r, s, w: (fmt.count(float(r.all_tokens)), PLAIN), rank=1),
    Column("usd", "$", 8, _usd),
    Column("unpriced", "unpriced", 8, _unpriced, rank=6),
    Column("run", "SESSION", 10, lambda r, s, w: (r.run, DIM), rank=5, left=True, grow=26, gap=2),
)
_ORDERS: tuple[Order[RunRow], ...] = (
    Order("usd"),
    Order("tokens", lambda row: row.all_tokens),
    Order("requests", lambda row: row.requests),
    Order("start", lambda row: row.start),
)


def _empty(scene: Scene) -> str:
    if scene.runs is None:
        return "the runs are being added up"
    return (
        "no run that matches"
        if _made(scene).rows
        else f"no run of an agent was recorded in the last {fmt.span(scene.choices.span)}: t looks further back"
    )


def _tokens(row: RunRow) -> str:
    return ", ".join(f"{name} {fmt.count(float(amount))}" for name, amount in row.tokens.items() if amount) or "-"


def _detail(row: RunRow, scene: Scene) -> list[tuple[str, str]]:
    return [
        ("session", row.run),
        ("in", row.project or "-"),
        ("from", f"{scene.when(row.start)} to {scene.when(row.end)}, {fmt.span(row.end - row.start)}"),
        ("models", ", ".join(map(named, row.models)) or "-"),
        ("tokens", _tokens(row)),
        ("counts", "in what is spent" if row.counts else "beside what is spent: something else counts it"),
    ]


def _told(row: RunRow) -> tuple[str, tuple[str, ...]]:
    """Return how a run's cost was come by: a title, then what it took, and by which prices."""
    calls = "calls that nobody counts" if row.requests is None else f"{row.requests} calls"
    lines = [
        f"{calls} of {', '.join(map(named, row.models)) or 'no model that is known'}, as {row.source} tells them",
        f"tokens: {_tokens(row)}",
        "each class at the price that held when it was told, or the cost that the log states; infertop prices MODEL "
        "shows the prices",
    ]
    if row.unpriced_tokens:
        lines.append(f"{fmt.count(float(row.unpriced_tokens))} tokens have no price and are not in it")
    return f"{row.run}   $  {fmt.money(row.usd)}", tuple(lines)


RUNS: TablePanel[RunRow] = TablePanel(
    name=NAME,
    title="RUN IN",
    columns=COLUMNS,
    items=runs,
    key=run_key,
    label=lambda row: row.run,
    orders=_ORDERS,
    empty=_empty,
    detail=_detail,
    told=_told,
)


def _usuals(scene: Scene) -> list[_Usual]:
    made = _made(scene)
    if not made.runs:
        return []
    return [
        _Usual("$", made.usd_per_run, fmt.money(made.usd), money=True),
        _Usual("calls", made.requests_per_run, ""),
        _Usual("tokens", made.tokens_per_run, ""),
    ]


def _figure(row: _Usual, value: float | None) -> Cell:
    return (fmt.money(value) if row.money else fmt.count(value)), PLAIN


USUAL: Sheet[_Usual] = Sheet(
    name="usual",
    title=lambda scene: f"{_made(scene).runs} RUNS IN {fmt.span(scene.choices.span)}",
    columns=(
        Column("what", "", 20, lambda r, s, w: (f"{r.what} of a run", PLAIN), left=True),
        Column("median", "MEDIAN", 8, lambda r, s, w: _figure(r, r.of.median)),
        Column("p95", "P95", 8, lambda r, s, w: _figure(r, r.of.p95)),
        Column("all", "TOTAL", 10, lambda r, s, w: (r.all, PLAIN)),
        Column("of", "of runs", 7, lambda r, s, w: (fmt.count(float(r.of.of)), DIM), rank=1),
    ),
    items=_usuals,
)


class _Project(NamedTuple):
    """The runs of one project that are listed: how many, and what they took; `share` is of the dollars of all."""

    name: str
    runs: int
    usd: float | None
    share: float | None
    tokens: int


def _projects(scene: Scene) -> list[_Project]:
    """Return the projects of the runs that are listed, the dearest first; what another source counts adds nothing."""
    by_name: dict[str, list[RunRow]] = {}
    for row in runs(scene):
        by_name.setdefault(row.project, []).append(row)
    dollars = {name: [row.usd for row in rows if row.counts and fmt.known(row.usd)] for name, rows in by_name.items()}
    whole = sum(map(sum, dollars.values()))
    found = [
        _Project(
            name or "-",
            len(rows),
            sum(dollars[name]) if dollars[name] else None,
            sum(dollars[name]) / whole if whole > 0 else None,
            sum(row.all_tokens for row in rows),
        )
        for name, rows in by_name.items()
    ]
    return sorted(found, key=lambda each: (-(each.usd or 0.0), -each.tokens, each.name))


BY_PROJECT: Sheet[_Project] = Sheet(
    name="by project",
    title=lambda scene: "BY PROJECT",
    columns=(
        Column("name", "", 18, lambda r, s, w: (_end(r.name, w), PLAIN), left=True, grow=34),
        Column("runs", "runs", 5, lambda r, s, w: (fmt.count(float(r.runs)), PLAIN)),
        Column("usd", "$", 8, lambda r, s, w: (fmt.money(r.usd), BOLD)),
        Column("percent", "%", 6, lambda r, s, w: (fmt.percent(r.share), PLAIN), rank=1),
        Column("share", "", 9, lambda r, s, w: (bar(r.share, w), PLAIN), rank=3, left=True, grow=24, late=True, gap=2),
        Column("tokens", "tokens", 7, lambda r, s, w: (fmt.count(float(r.tokens)), PLAIN), rank=2),
    ),
    items=_projects,
)
