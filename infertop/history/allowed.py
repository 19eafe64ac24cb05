"""Limits that providers keep, as budgets: marked as theirs, of their own days, and by ids as they say them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import replace

from infertop.history.account_notes import KIND, accounts_of
from infertop.history.accounts import read_accounts
from infertop.history.scopes import Scopes
from infertop.history.summary import add_usd
from infertop.history.sums import account_sums
from infertop.money.dimensions import Names
from infertop.money.lines import NANO
from infertop.money.periods import PeriodKind, period
from infertop.money.settings import UTC, Budget
from infertop.readings.account import Account, Allowance

MOST = 200
_MINUTE = 60
_PERIODS = frozenset(each.value for each in PeriodKind)


def allowance_budgets(accounts: Mapping[str, Account], taken: Iterable[str] = ()) -> tuple[Budget, ...]:
    """Return the limits that begin anew after some time, each with a name that no other budget has."""
    return tuple(budget for budget, _, _ in _limits(accounts, taken))


def spent_by_own_count(accounts: Mapping[str, Account], taken: Iterable[str], now: float) -> dict[str, int]:
    """Return what providers themselves say was spent in the running period of their limits, in 1e-9 USD by budget.

    What was said before the period began is of the one before.
    """
    return {
        budget.name: int(each.spent_usd * NANO)
        for budget, each, said in _limits(accounts, taken)
        if each.spent_usd is not None and said is not None and said >= period(budget.period, now, UTC)[0]
    }


def _limits(accounts: Mapping[str, Account], taken: Iterable[str]) -> list[tuple[Budget, Allowance, float | None]]:
    """Return each limit as a budget, with when it was last told what is spent."""
    names = set(taken)
    found: list[tuple[Budget, Allowance, float | None]] = []
    for source, account in sorted(accounts.items()):
        for each in account.allowances or ():
            if each.period in _PERIODS and each.limit_usd > 0 and len(found) < MOST:
                made = _budget(source, each, names)
                names.add(made.name)
                found.append((made, each, account.spent_hour))
    return found


def _budget(source: str, each: Allowance, taken: set[str]) -> Budget:
    name, number = each.name, 2
    while name in taken:
        name, number = f"{each.name} ({source}{f' {number}' if number > 2 else ''})", number + 1
    return Budget(
        name=name,
        limit_usd=each.limit_usd,
        period=PeriodKind(each.period),
        where=f"{each.provider}, as {source} was told",
        alert_at=tuple(sorted(share for share in each.alert_at if share > 0)),
        conditions=(("source", source), *((kind, value) for kind, value in each.conditions if kind != "source")),
        origin=each.provider,
    )


def spent_of_limits(
    connection: sqlite3.Connection, taken: Iterable[str], now: float
) -> list[tuple[Budget, int | None]]:
    """Return the limits that providers last told of and what is spent of each in its running period, in 1e-9 USD.

    By the provider's own count where it told one, else by the ledger; None: nothing has a price.
    """
    rows = connection.execute("SELECT kind, content FROM inventory WHERE kind GLOB ?", (f"{KIND}*",)).fetchall()
    said = accounts_of({kind: json.loads(content) for kind, content in rows})
    names = set(taken)
    own, accounts = spent_by_own_count(said, names, now), read_accounts(connection)
    found = []
    for budget in allowance_budgets(said, names):
        nano = own.get(budget.name)
        if nano is None:
            sums = account_sums(connection, period(budget.period, now, UTC)[0], now + _MINUTE)
            for number, amount in sums.items():
                nano = add_usd(nano, amount.usd_nano) if Scopes().is_in(accounts[number], budget) else nano
        found.append((budget, nano))
    return found


def with_names(budget: Budget, names: Names) -> Budget:
    """Return a provider's budget with names in place of the ids that it is about."""
    if not budget.origin:
        return budget
    name = budget.name
    for kind, value in budget.conditions:
        if (called := names.get((kind, value))) is not None:
            name = name.replace(value, called)
    own = tuple((kind, names.get((kind, value), value)) for kind, value in budget.conditions)
    return replace(budget, name=name, conditions=own)
