"""The ledger, summed by whatever the reader wants to know."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import reduce

from infertop.history.accounts import Account, read_accounts
from infertop.history.counting import counted_sums
from infertop.history.names import read_names
from infertop.history.scopes import Scopes
from infertop.history.summary import add_usd
from infertop.history.sums import Sum, coverage_ms
from infertop.money.settings import ASSIGN_RESULTS, Conditions

_REQUESTS = "requests"


@dataclass(slots=True)
class Row:
    """One group. `keys` has exactly the keys asked for (None: the lines have none).

    `requests` is None where no source counts them, `usd_nano` (1e-9 USD) where nothing has a price. `unpriced_tokens`
    are tokens whose price should be known and is not. `counts` is False for what another source counts too.
    `prorated` says that a line astride the edge of the span is in it with its share.
    """

    keys: dict[str, str | None]
    counts: bool
    requests: int | None = None
    tokens: dict[str, int] = field(default_factory=dict)
    usd_nano: int | None = None
    unpriced_tokens: int = 0
    prorated: bool = False

    def add(self, account: Account, amount: Sum) -> None:
        """Add what an account has in the span."""
        if account.is_tokens:
            self.tokens[account.resource] = self.tokens.get(account.resource, 0) + amount.quantity
            self.unpriced_tokens += amount.quantity if account.lacks_price else 0
        elif account.resource == _REQUESTS:
            self.requests = (self.requests or 0) + amount.quantity
        self.usd_nano = add_usd(self.usd_nano, amount.usd_nano)
        self.prorated |= amount.prorated


@dataclass(frozen=True, slots=True)
class Report:
    """The groups, dearest first, and the share of the span that was recorded (None for an empty span)."""

    since: float
    until: float
    by: tuple[str, ...]
    coverage: float | None
    rows: tuple[Row, ...]

    @property
    def unassigned(self) -> dict[str, float]:
        """The share of the cost that counts and is given to nobody, by each key that [[assign]] can give."""
        counted = [(row, row.usd_nano) for row in self.rows if row.counts and row.usd_nano]
        whole = sum(usd for _, usd in counted)
        keys = [key for key in self.by if key in ASSIGN_RESULTS] if whole > 0 else []
        return {key: sum(usd for row, usd in counted if row.keys[key] is None) / whole for key in keys}


def report(
    connection: sqlite3.Connection, by: Sequence[str], since: float, until: float, scopes: Scopes | None = None
) -> Report:
    """Sum the ledger over [since, until) by source, provider, model, resource, basis or any dimension.

    Dimensions are the lines' own and those that [[assign]] gives them. Groups of which only a part counts are two.
    """
    scopes = replace(scopes or Scopes(), names=read_names(connection))
    accounts = read_accounts(connection)
    rows: dict[tuple[object, ...], Row] = {}
    for account, amount, counts in counted_sums(connection, accounts, since, until, scopes):
        values = _values(account, by, scopes)
        group = (*values, counts)
        if group not in rows:
            rows[group] = Row(dict(zip(by, values, strict=True)), counts)
        rows[group].add(account, amount)
    ordered = sorted(rows.values(), key=lambda row: (-(row.usd_nano or 0), -sum(row.tokens.values()), str(row.keys)))
    return Report(since, until, tuple(by), coverage(connection, since, until), tuple(ordered))


def coverage(connection: sqlite3.Connection, since: float, until: float) -> float | None:
    """Return the share of [since, until) that was recorded."""
    if until <= since:
        return None
    return min(coverage_ms(connection, since // 60 * 60, until) / 1000 / (until - since), 1.0)


def spent(
    connection: sqlite3.Connection, conditions: Conditions, since: float, until: float, scopes: Scopes | None = None
) -> int | None:
    """Return what was spent in [since, until) on what `conditions` match, in 1e-9 USD.

    None: of what there is nothing has a price; 0: there is nothing.
    """
    scopes = replace(scopes or Scopes(), names=read_names(connection))
    accounts = read_accounts(connection)
    counted = [
        amount.usd_nano
        for account, amount, counts in counted_sums(connection, accounts, since, until, scopes)
        if counts and scopes.fits(conditions, account)
    ]
    return reduce(add_usd, counted, None if counted else 0)


def _values(account: Account, by: Sequence[str], scopes: Scopes) -> tuple[str | None, ...]:
    dimensions = scopes.dimensions(account)
    dimensions |= {"resource": account.resource, "basis": account.basis}
    return tuple(dimensions.get(key) for key in by)
