"""[[budget]] and [[assign]]: what may be spent, and who spent it."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal

from infertop.money import checks
from infertop.money.periods import PeriodKind
from infertop.money.schema import Key, Reader, Table
from infertop.money.section_parts import name_of, no_two_names
from infertop.money.settings import (
    ALERT_AT,
    ASSIGN_CONDITIONS,
    ASSIGN_RESULTS,
    DIMENSIONS,
    HOUR_ALERT_AT,
    Assignment,
    Budget,
    Conditions,
)
from infertop.money.toml_lines import Path

_SHARE = checks.number(above=Decimal(0), most=Decimal(10), note=": 0.5 is 50 % of the limit")
_BUDGET = {
    "name": Key(checks.text, required=True),
    "limit_usd": Key(checks.number(above=Decimal(0)), required=True),
    "period": Key(checks.choice([each.value for each in PeriodKind]), required=True),
    "alert_at": Key(checks.list_of(_SHARE, most=20)),
} | {name: Key(checks.text) for name in DIMENSIONS}
_ASSIGN = {name: Key(checks.text) for name in (*ASSIGN_CONDITIONS, *ASSIGN_RESULTS)}


def read_budgets(reader: Reader, raw: object) -> tuple[Budget, ...]:
    """Read all [[budget]]; each has a name of its own."""
    stated = reader.tables(raw, ("budget",))
    budgets = [_budget(reader, each, path) for path, each in stated]
    no_two_names(reader, "budget", [name_of(each) for _, each in stated])
    return tuple(filter(None, budgets))


def read_assignments(reader: Reader, raw: object) -> tuple[Assignment, ...]:
    """Read all [[assign]]; each sets something."""
    rules = [_assignment(reader, each, path) for path, each in reader.tables(raw, ("assign",))]
    return tuple(filter(None, rules))


def _budget(reader: Reader, raw: object, path: Path) -> Budget | None:
    table = reader.table(raw, path, _BUDGET)
    if not table.good:
        return None
    kind = PeriodKind(table.get("period"))
    usual = HOUR_ALERT_AT if kind is PeriodKind.HOUR else ALERT_AT
    return Budget(
        period=kind,
        where=reader.where((*path, "limit_usd")),
        conditions=_pairs(table, DIMENSIONS),
        alert_at=tuple(sorted(set(table.get("alert_at", usual)))),
        **table.given("name", "limit_usd"),
    )


def _assignment(reader: Reader, raw: object, path: Path) -> Assignment | None:
    table = reader.table(raw, path, _ASSIGN)
    results = _pairs(table, ASSIGN_RESULTS)
    if table.good and not results:
        reader.wrong(path, f"sets nothing: give one of {', '.join(ASSIGN_RESULTS)}")
    return Assignment(_pairs(table, ASSIGN_CONDITIONS), results, reader.where(path)) if results else None


def _pairs(table: Table, names: Collection[str]) -> Conditions:
    return tuple(table.given(*names).items())
