"""Budgets: what is spent of each, where it will end, and when it is gone."""

from __future__ import annotations

from dataclasses import replace

from infertop.views.shapes import BudgetRow, BurnRow
from tui import format as fmt
from tui.incidents import about_budget
from tui.panels.panel import TablePanel
from tui.scene import Scene, plain_or
from tui.sentences import sentence
from tui.themes import ALARM, BOLD, DIM, OK, PLAIN, WARN
from tui.widgets.spark import bar
from tui.widgets.table import Cell, Column

_PERIODS = {"hour": "/h", "day": "/day", "week": "/wk", "month": "/mo"}
_COMPLETE = 0.995
_OVER = "over"
_HOUR = 3600.0
_MOST_TIMES = 100


def level_style(level: str | None) -> str:
    """Return the style of a budget's level: over is an alarm, any level crossed a warning, what is unknown dim."""
    if level is None:
        return DIM
    return ALARM if level == _OVER else OK if level == "ok" else WARN


def _name(budget: BudgetRow, scene: Scene, width: int) -> Cell:
    """Return its name; one that a provider keeps is marked as that provider's."""
    mark = f" ({budget.origin}'s)" if budget.origin else ""
    return budget.name + (mark if len(budget.name) + len(mark) <= width else "*" * bool(mark)), PLAIN


def _bar(budget: BudgetRow, scene: Scene, width: int) -> Cell:
    return bar(budget.fraction, width), level_style(budget.level)


def _percent(budget: BudgetRow, scene: Scene, width: int) -> Cell:
    return fmt.percent(budget.fraction), ALARM if budget.level == _OVER else BOLD


def _limit(budget: BudgetRow, scene: Scene, width: int) -> Cell:
    return fmt.money(budget.limit_usd) + _PERIODS.get(budget.period, f"/{budget.period}"[:4]), PLAIN


def _burn(budget: BudgetRow, scene: Scene, width: int) -> Cell:
    """Return what it burns now, marked where an open incident is within it."""
    text = fmt.money(budget.burn_usd_per_hour)
    return (f"{text}!", ALARM) if about_budget(scene.view.events, budget.scope) else (text, PLAIN)


def _ends(budget: BudgetRow, scene: Scene, width: int) -> Cell:
    mid = budget.forecast_usd[1]
    over = fmt.known(mid) and mid > budget.limit_usd
    text = fmt.spread(budget.forecast_usd)
    return text if len(text) <= width else fmt.money(mid), plain_or(over, WARN)


def _next(budget: BudgetRow, scene: Scene, width: int) -> Cell:
    """Return when the limit is reached, else the next level."""
    if budget.level == _OVER:
        return "! over", ALARM
    if budget.unread:
        return "reading back", DIM
    if budget.exhausted_at is not None:
        when = scene.when(budget.exhausted_at)
        text = f"! gone {when}"
        return text if len(text) <= width else f"! {when}", ALARM
    if budget.crossings:
        level, when = budget.crossings[0][0], scene.when(budget.crossings[0][1])
        text = sentence(f"{level} {when}")
        return text if len(text) <= width else level, DIM
    return "-", DIM


def _of_plan(budget: BudgetRow, scene: Scene, width: int) -> Cell:
    """Return how many times the plan the last hour was."""
    found = next((burn.of_plan for burn in budget.burns if burn.seconds == _HOUR), None)
    if not fmt.known(found):
        return fmt.UNKNOWN, DIM
    return f"{found:.1f}x" if found < _MOST_TIMES else f"{found:.0f}x", plain_or(found > 1, WARN)


def _coverage(budget: BudgetRow, scene: Scene, width: int) -> Cell:
    partial = fmt.known(budget.coverage) and budget.coverage < _COMPLETE
    return fmt.percent(budget.coverage), plain_or(partial, WARN)


COLUMNS: tuple[Column[BudgetRow], ...] = (
    Column("budget", "BUDGET", 12, _name, left=True, grow=38),
    Column("fraction", "SPENT", 8, _bar, rank=5, left=True, grow=16, late=True, gap=2),
    Column("fraction", "", 7, _percent),
    Column("spent_usd", "$", 7, lambda b, s, w: (fmt.money(b.spent_usd), PLAIN), rank=7),
    Column("limit_usd", "of", 10, _limit, rank=3, gap=2),
    Column("burn_usd_per_hour", "now/h", 7, _burn, rank=4),
    Column("forecast_usd", "ends at", 12, _ends, rank=2),
    Column("burns", "of plan", 8, _of_plan, rank=6),
    Column("exhausted_at", "NEXT", 13, _next, rank=1, left=True, grow=6, gap=2),
    Column("coverage", "seen", 6, _coverage, rank=8),
    Column("resets_at", "RESETS", 11, lambda b, s, w: (s.when(b.resets_at), DIM), rank=9, left=True, gap=2),
    Column("scope", "SCOPE", 12, lambda b, s, w: (b.scope or "everything", DIM), rank=10, left=True, grow=30, gap=2),
)


def _counted_by(budget: BudgetRow) -> str:
    return "it says itself" if budget.own_count else "the ledger has it"


def _burnt(burn: BurnRow) -> str:
    if not fmt.known(burn.usd_per_hour):
        return "unknown: for most of it nothing was read"
    part = fmt.known(burn.known_seconds) and burn.known_seconds < burn.seconds
    known = f" over the {fmt.span(burn.known_seconds)} that are known" if part else ""
    of_plan = f", {burn.of_plan:.1f}x the plan" if fmt.known(burn.of_plan) else ""
    usual = f", usually {fmt.money(burn.usual_usd_per_hour)}/h" if fmt.known(burn.usual_usd_per_hour) else ""
    return f"{fmt.money(burn.usd_per_hour)}/h{known}{of_plan}{usual}"


def _will_end(budget: BudgetRow) -> str:
    low, mid, high = budget.forecast_usd
    between = f", in 8 of 10 cases between {fmt.money(low)} and {fmt.money(high)}" if fmt.known(low) else ""
    over = f"; {fmt.percent(budget.over)} likely to be over the limit" if fmt.known(budget.over) else ""
    return f"{fmt.money(mid)}{between}{over}"


def _spent(budget: BudgetRow) -> str:
    level = budget.level or "unknown"
    known = f", as far as it is read back from {', '.join(budget.unread[:3])}" if budget.unread else ""
    return f"{fmt.money(budget.spent_usd)} of {fmt.money(budget.limit_usd)} {_a(budget.period)}, level {level}{known}"


def _a(period: str) -> str:
    return f"an {period}" if period == "hour" else f"a {period}"


def _gone(budget: BudgetRow, scene: Scene) -> str:
    """Return when nothing is left of it, as far as that can be said."""
    if budget.exhausted_at is not None or not fmt.known(budget.forecast_usd[1]):
        return scene.when(budget.exhausted_at)
    return "all of it is spent" if budget.level == _OVER else f"not in this {budget.period}, as it goes"


def _detail(budget: BudgetRow, scene: Scene) -> list[tuple[str, str]]:
    return [
        ("of what", budget.scope or "everything"),
        *(
            [("whose", f"{budget.origin}'s own limit; spent as {_counted_by(budget)}, by days in UTC")]
            if budget.origin
            else []
        ),
        ("spent", _spent(budget)),
        ("now", f"{fmt.money(budget.burn_usd_per_hour)}/h"),
        *((f"last {fmt.span(burn.seconds)}", _burnt(burn)) for burn in budget.burns),
        ("will end at", _will_end(budget)),
        *((sentence(f"reaches {level}"), scene.when(when)) for level, when in budget.crossings if level != _OVER),
        ("gone", _gone(budget, scene)),
        ("resets", scene.when(budget.resets_at)),
        ("recorded", f"{fmt.percent(budget.coverage)} of today so far"),
    ]


BUDGETS: TablePanel[BudgetRow] = TablePanel(
    name="budgets",
    title="BUDGET",
    columns=COLUMNS,
    items=lambda scene: sorted(scene.view.budgets, key=lambda budget: budget.level != _OVER),
    key=lambda budget: budget.name,
    label=lambda budget: budget.name,
    detail=_detail,
)
BUDGETS_ALONE = replace(BUDGETS, empty=lambda scene: "no budget is set: [[budget]] in pricing.toml sets one")
"""The same on a page of its own, where it says that there are none."""
