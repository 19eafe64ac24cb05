"""Deployments: what each costs an hour, how much of it is used, and from which use on it pays."""

from __future__ import annotations

from infertop.views.shapes import DeploymentRow
from tui import format as fmt
from tui.panels.panel import TablePanel
from tui.scene import Scene, estimated
from tui.themes import BOLD, DIM, OK, PLAIN, WARN
from tui.widgets.spark import bar
from tui.widgets.table import Cell, Column

_EVEN = "│"


def _pays(row: DeploymentRow) -> bool | None:
    """Return whether it pays at this use, None where that is not known: serverless seconds do below the break-even."""
    if not fmt.known(row.utilization) or not fmt.known(row.break_even):
        return None
    if row.kind == "serverless":
        return row.utilization <= row.break_even
    return row.utilization >= row.break_even


def marked_bar(row: DeploymentRow, width: int) -> str:
    """Return a thin bar of what is used, with a mark at the break-even: beyond the right edge it is never reached."""
    line = bar(row.utilization, width).ljust(width)
    if not fmt.known(row.break_even) or row.break_even < 0 or width <= 0:
        return line.rstrip()
    place = min(width - 1, int(row.break_even * width))
    mark = _EVEN if row.break_even <= 1 else "›"
    return (line[:place] + mark + line[place + 1 :]).rstrip()


def _bar(row: DeploymentRow, scene: Scene, width: int) -> Cell:
    return marked_bar(row, width), {True: OK, False: WARN, None: PLAIN}[_pays(row)]


def _usd(row: DeploymentRow, scene: Scene, width: int) -> Cell:
    return estimated(fmt.money(row.usd_per_hour), row.basis), BOLD


def _use(row: DeploymentRow, scene: Scene, width: int) -> Cell:
    return fmt.percent(row.utilization), PLAIN


def _beside(row: DeploymentRow, scene: Scene, width: int) -> Cell:
    return ("" if row.counts else "beside"), DIM


def _verdict(row: DeploymentRow, scene: Scene, width: int) -> Cell:
    pays = _pays(row)
    glyph = {True: "▼ ", False: "▲ ", None: ""}[pays]
    return f"{glyph}{row.verdict or '-'}", {True: OK, False: WARN, None: DIM}[pays]


def _figure(text: str) -> Cell:
    return text, PLAIN


COLUMNS: tuple[Column[DeploymentRow], ...] = (
    Column("name", "DEPLOYMENT", 14, lambda d, s, w: (d.name, PLAIN), left=True, grow=20),
    Column("kind", "KIND", 11, lambda d, s, w: (d.kind, DIM), rank=6, left=True),
    Column("model", "MODEL", 10, lambda d, s, w: (d.model or "-", DIM), rank=9, left=True, grow=20),
    Column("usd_per_hour", "$/h", 7, _usd),
    Column("counts", "", 6, _beside, rank=5, left=True, gap=1),
    Column("utilization", "USE", 8, _bar, rank=2, left=True, grow=12, late=True, gap=2),
    Column("utilization", "", 6, _use, rank=1),
    Column("break_even", "even at", 7, lambda d, s, w: _figure(fmt.percent(d.break_even)), rank=3),
    Column("usd_per_million", "$/1M", 6, lambda d, s, w: _figure(fmt.per_million(d.usd_per_million_tokens)), rank=4),
    Column("verdict", "VERDICT", 14, _verdict, rank=4, left=True, grow=90, gap=2),
    Column("price_source", "PRICE FROM", 16, lambda d, s, w: (d.price_source, DIM), rank=11, left=True, grow=14, gap=2),
)


def _detail(row: DeploymentRow, scene: Scene) -> list[tuple[str, str]]:
    return [
        ("kind", f"{row.kind}, {row.provider} {row.model}".strip()),
        ("verdict", row.verdict),
        ("traffic", row.traffic),
        ("price", row.price_source),
        ("counts", "in what is spent" if row.counts else "beside what is spent: something else counts it"),
    ]


def _told(row: DeploymentRow) -> tuple[str, tuple[str, ...]]:
    """Return how its figures were come by: a title, then the verdict, the formulas and inputs, and what counts."""
    spent = "it is part of what is spent" if row.counts else "it stands beside what is spent, and is no part of it"
    title = f"{row.name}   $/h  {estimated(fmt.money(row.usd_per_hour), row.basis)}   {row.basis}"
    head = row.verdict or "no verdict: the traffic or a price is unknown"
    even = f"break-even at {fmt.percent(row.break_even)} against {row.against}" if fmt.known(row.break_even) else ""
    return title, tuple(text for text in (head, *row.lines, even, spent) if text)


DEPLOYMENTS: TablePanel[DeploymentRow] = TablePanel(
    name="deployments",
    title="DEPLOYMENT",
    columns=COLUMNS,
    items=lambda scene: [d for d in scene.view.deployments if scene.choices.matches(d.name, d.model, d.provider)],
    key=lambda row: row.name,
    label=lambda row: row.name,
    detail=_detail,
    told=_told,
)
