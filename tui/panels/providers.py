"""Providers: what each account costs, by whom it was used, and how far its bills are from what was computed."""

from __future__ import annotations

from datetime import UTC, datetime

from infertop.views.account_shapes import AccountRow, AccountsPage, DayRow, PartRow
from tui import format as fmt
from tui.choices import PARTS
from tui.incidents import about
from tui.panels.panel import Order, TablePanel
from tui.panels.sheet import Sheet
from tui.scene import STATES, Scene, short_source
from tui.themes import ALARM, BOLD, DIM, PLAIN, WARN
from tui.widgets.spark import bar
from tui.widgets.table import Cell, Column

NAME, SPEND = "providers", "spend"
_FAR = 0.05
_LATEST = 253_402_300_800.0
_EMPTY = "no provider or agent is read: set OPENAI_ADMIN_KEY, or a [[source]]"


def made(scene: Scene) -> AccountsPage:
    """Return the page as it was last made, an empty one before."""
    return scene.accounts or AccountsPage(scene.view.at, 0.0, scene.choices.part, ())


def chosen(scene: Scene) -> AccountRow | None:
    """Return the account that the page is limited to, else the one under the cursor."""
    rows = accounts(scene)
    source = next((name for what, name in made(scene).within if what == "source"), "")
    wanted = source or scene.choices.cursor(NAME).key
    return next((row for row in rows if row.source == wanted), rows[0] if rows else None)


def accounts(scene: Scene) -> list[AccountRow]:
    """Return all accounts, the dearest of the month first."""
    return sorted(made(scene).accounts, key=lambda row: (not row.counts, -(row.month_usd or 0.0), row.source))


def _money(value: float | None) -> Cell:
    return fmt.money(value), PLAIN


def _count(value: int | None) -> Cell:
    return fmt.count(None if value is None else float(value)), PLAIN


def _computed(row: AccountRow | PartRow, name: str) -> str:
    """Return a figure of a row, marked where some of it was worked out and not charged."""
    value = getattr(row, name)
    about = "" if name in row.charged else "~"
    return f"{about}{fmt.money(value)}" if fmt.known(value) else fmt.UNKNOWN


def _signed(value: float | None) -> str:
    return f"+{fmt.money(value)}" if fmt.known(value) and value > 0 else fmt.money(value)


def _percent(ratio: float | None) -> str:
    if not fmt.known(ratio):
        return fmt.UNKNOWN
    return f"{'+' if ratio > 0 else '-' if ratio < 0 else ''}{fmt.percent(abs(ratio))}"


def _drift_style(ratio: float | None) -> str:
    return WARN if fmt.known(ratio) and abs(ratio) >= _FAR else PLAIN


def _age(row: AccountRow, scene: Scene, width: int) -> Cell:
    return fmt.span(row.age_seconds), DIM


def _state(row: AccountRow, scene: Scene, width: int) -> Cell:
    glyph, style = STATES.get(row.state, ("?", DIM))
    return f"{glyph} {row.state}" + ("" if row.counts else " *"), style


ACCOUNTS: TablePanel[AccountRow] = TablePanel(
    name=NAME,
    title="ACCOUNT",
    columns=(
        Column("source", "ACCOUNT", 14, lambda r, s, w: (short_source(r.source), PLAIN), left=True, grow=26),
        Column("usd_per_hour", "$/h", 8, lambda r, s, w: (_computed(r, "usd_per_hour"), BOLD)),
        Column("today_usd", "today", 8, lambda r, s, w: (_computed(r, "today_usd"), PLAIN)),
        Column("month_usd", "month", 8, lambda r, s, w: _money(r.month_usd)),
        Column("settled_usd", "settled", 8, lambda r, s, w: _money(r.settled_usd), rank=2),
        Column("unsettled_usd", "unsettled", 9, lambda r, s, w: (_computed(r, "unsettled_usd"), PLAIN), rank=4),
        Column("drift_usd", "drift $", 8, lambda r, s, w: (_signed(r.drift_usd), _drift_style(r.drift_ratio)), rank=3),
        Column("drift_ratio", "%", 6, lambda r, s, w: (_percent(r.drift_ratio), _drift_style(r.drift_ratio)), rank=2),
        Column("age_seconds", "AGE", 7, _age),
        Column("state", "", 8, _state, rank=1, left=True, gap=2),
    ),
    items=accounts,
    key=lambda row: row.source,
    label=lambda row: row.source,
    fresh=lambda row: row.state in ("up", "starting"),
    empty=lambda scene: "the history is being read" if scene.accounts is None else _EMPTY,
    detail=lambda row, scene: list(row.lines),
    told=lambda row: (f"{row.source}   $/h  {_computed(row, 'usd_per_hour')}", row.told) if row.told else ("", ()),
)


def parts(scene: Scene) -> list[PartRow]:
    """Return the parts that the filter lets through, in the order chosen."""
    shown = [row for row in made(scene).parts if scene.choices.matches(row.name)]
    return SPEND_BY[scene.choices.part].order(scene).sorted(shown)


def _share(row: PartRow, scene: Scene, width: int) -> Cell:
    return bar(row.share, width), PLAIN


def _name(row: PartRow, scene: Scene, width: int) -> Cell:
    if about(scene.view.events, **dict([row.chosen])):
        return f"{row.name} !", ALARM
    return row.name if row.counts else f"{row.name} *", PLAIN if row.counts else DIM


PART_COLUMNS: tuple[Column[PartRow], ...] = (
    Column("name", "", 20, _name, left=True, grow=40),
    Column("usd_per_hour", "$/h", 8, lambda r, s, w: (_computed(r, "usd_per_hour"), BOLD)),
    Column("today_usd", "today", 8, lambda r, s, w: (_computed(r, "today_usd"), PLAIN)),
    Column("month_usd", "month", 8, lambda r, s, w: _money(r.month_usd)),
    Column("percent", "%", 6, lambda r, s, w: (fmt.percent(r.share), PLAIN), rank=1),
    Column("share", "of month", 9, _share, rank=4, left=True, grow=16, late=True, gap=2),
    Column("requests", "calls", 7, lambda r, s, w: _count(r.requests), rank=3),
    Column("tokens", "tokens", 7, lambda r, s, w: _count(r.tokens), rank=2),
)


def _spend(by: str) -> TablePanel[PartRow]:
    return TablePanel(
        name=SPEND,
        title=f"BY {by.upper()}",
        columns=PART_COLUMNS,
        items=parts,
        key=lambda row: row.name if row.counts else f"{row.name}\t*",
        label=lambda row: row.name,
        orders=(
            Order("month_usd"),
            Order("usd_per_hour", lambda row: row.usd_per_hour),
            Order("today_usd", lambda row: row.today_usd),
            Order("tokens", lambda row: row.tokens),
            Order("name", lambda row: row.name.casefold(), rising=True),
        ),
        empty=lambda scene: "nothing was used this month" if made(scene).accounts else "",
        told=lambda row: (f"{row.name}   $ of this month  {fmt.money(row.month_usd)}", row.told),
    )


SPEND_BY: dict[str, TablePanel[PartRow]] = {by: _spend(by) for by in PARTS}


def _days(scene: Scene) -> list[DayRow]:
    account = chosen(scene)
    return list(account.days) if account else []


def _date(row: DayRow, scene: Scene, width: int) -> Cell:
    if not (fmt.known(row.start) and 0 <= row.start < _LATEST):
        return fmt.UNKNOWN, DIM
    at = datetime.fromtimestamp(row.start, UTC)
    return f"{at:%a} {at.day} {at:%b}", PLAIN


def _settles(row: DayRow, scene: Scene, width: int) -> Cell:
    return ("settled", DIM) if row.settled else (f"settles {scene.when(row.settles_at)}", PLAIN)


def _title(scene: Scene) -> str:
    return "BILLED (UTC)"


DAYS: Sheet[DayRow] = Sheet(
    name="days",
    title=_title,
    columns=(
        Column("start", "", 14, _date, left=True),
        Column("billed", "billed", 8, lambda r, s, w: (fmt.money(r.billed_usd), PLAIN)),
        Column("computed", "computed", 8, lambda r, s, w: (fmt.money(r.computed_usd), PLAIN)),
        Column("drift", "drift $", 8, lambda r, s, w: (_signed(r.drift_usd), _drift_style(r.drift_ratio))),
        Column("ratio", "%", 6, lambda r, s, w: (_percent(r.drift_ratio), _drift_style(r.drift_ratio))),
        Column("unmatched", "no line", 8, lambda r, s, w: (fmt.money(r.unmatched_usd or None), PLAIN), rank=1),
        Column("settles", "", 18, _settles, rank=2, left=True, gap=2),
    ),
    items=_days,
)

UNASSIGNED: Sheet[tuple[str, float]] = Sheet(
    name="unassigned",
    title=lambda scene: "TODAY, GIVEN TO NOBODY",
    columns=(
        Column("what", "", 24, lambda r, s, w: (f"no {r[0]}", PLAIN), left=True),
        Column("share", "OF ALL SPEND", 12, lambda r, s, w: (fmt.percent(r[1]), WARN if r[1] >= _FAR else PLAIN)),
    ),
    items=lambda scene: list(made(scene).unassigned),
)
