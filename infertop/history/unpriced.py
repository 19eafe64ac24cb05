"""What was used without a price: the models of the ledger whose tokens should have one and have none."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field

from infertop.history.accounts import read_accounts
from infertop.history.sums import account_sums

_LAST = "SELECT max(until) FROM lines WHERE account = ? AND start < ?"


@dataclass(slots=True)
class Unpriced:
    """A model's tokens by class that have no price, and when the last of them were used, in epoch seconds."""

    provider: str
    model: str
    tokens: dict[str, int] = field(default_factory=dict)
    last: float = 0.0


def unpriced(connection: sqlite3.Connection, since: float, until: float) -> list[Unpriced]:
    """Return the models with unpriced tokens in [since, until), those with most first."""
    accounts = read_accounts(connection)
    found: dict[tuple[str, str], Unpriced] = {}
    for number, amount in account_sums(connection, since, until).items():
        account = accounts[number]
        if not account.lacks_price or not amount.quantity:
            continue
        name = (account.provider, account.model or "")
        each = found.setdefault(name, Unpriced(*name))
        each.tokens[account.resource] = each.tokens.get(account.resource, 0) + amount.quantity
        each.last = max(each.last, connection.execute(_LAST, (number, until)).fetchone()[0] or 0)
    return sorted(found.values(), key=lambda each: -sum(each.tokens.values()))
