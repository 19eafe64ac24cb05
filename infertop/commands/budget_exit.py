"""`--budget-exit`, of reports and of `--once`: a status for cron and CI, a sentence for each budget that makes one."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

from infertop.commands.unread import INVENTORY, of_budget
from infertop.history.allowed import spent_of_limits
from infertop.history.reader import Reader
from infertop.history.report import coverage, spent
from infertop.history.scopes import Scopes
from infertop.money.budgets import spent_text
from infertop.money.lines import NANO
from infertop.money.periods import period
from infertop.money.settings import Budget
from infertop.readings.safe import safe
from infertop.views.shapes import BudgetRow

GOOD, UNKNOWN, OVER = 0, 1, 3
_MINUTE = 60


class Standing(NamedTuple):
    """The status that is asked for, and why, a sentence each."""

    status: int
    sentences: tuple[str, ...]


class _Budget(NamedTuple):
    """What is spent of a budget (USD, None: unknown) and its limit; `left` are sources that are still read back."""

    origin: str
    name: str
    usd: Decimal | None
    limit: Decimal
    left: tuple[str, ...]


def standing(reader: Reader, scopes: Scopes, now: float) -> Standing:
    """Return status 3 where a budget's limit is reached in its running period, else 1 where that is not known of one.

    A warning below the limit is no reason to end a job, and nothing is said of it: cron would send that.
    """
    left = reader.ask(_unread)
    return _standing(
        _Budget(
            each.origin,
            each.name,
            None if nano is None else Decimal(nano) / NANO,
            each.limit_usd,
            of_budget(each, left, {}),
        )
        for each, nano in _spent(reader, scopes, now)
    )


def standing_of(rows: Iterable[BudgetRow]) -> Standing:
    """Return the same by the budgets of a reading."""
    return _standing(
        _Budget(
            row.origin,
            row.name,
            None if row.spent_usd is None else Decimal(str(row.spent_usd)),
            Decimal(f"{row.limit_usd:.12g}"),
            row.unread,
        )
        for row in rows
    )


def _standing(budgets: Iterable[_Budget]) -> Standing:
    over, unknown = [], []
    for each in budgets:
        whose = f"{safe(each.origin)}'s" if each.origin else "the budget"
        name = f"{whose} {safe(each.name)}"
        if each.usd is not None and each.usd >= each.limit:
            over.append(f"{name} is over: {spent_text(each.usd, each.limit)} of {each.limit:f} USD")
        elif why := _unknown(each.usd, each.left):
            unknown.append(f"{name}: whether it is over is not known: {why}")
    return Standing(OVER if over else UNKNOWN if unknown else GOOD, (*over, *unknown))


def _spent(reader: Reader, scopes: Scopes, now: float) -> Iterable[tuple[Budget, int | None]]:
    for budget in scopes.settings.budgets:
        start, _ = period(budget.period, now, scopes.settings.zone)
        nano = reader.ask(spent, budget.conditions, start, now + _MINUTE, scopes)
        yield budget, _known(reader, nano, start, now)
    for budget, nano in reader.ask(spent_of_limits, [each.name for each in scopes.settings.budgets], now):
        yield budget, nano


def _known(reader: Reader, nano: int | None, start: float, now: float) -> int | None:
    return None if nano == 0 and not reader.ask(coverage, start, now) else nano


def _unread(connection: sqlite3.Connection) -> frozenset[str]:
    """Return the sources whose past the recorder is reading back, or was when it ended."""
    row = connection.execute("SELECT content FROM inventory WHERE kind = ?", (INVENTORY,)).fetchone()
    return frozenset(str(each["name"]) for each in json.loads(row[0])) if row else frozenset()


def _unknown(usd: Decimal | None, left: tuple[str, ...]) -> str:
    if left:
        return f"{', '.join(safe(each, 40) for each in left[:3])} is still being read back"
    return "nothing that counts towards it has a price, or nobody recorded" if usd is None else ""
