"""Make the lines of statements again whose price is another one now."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Protocol

from infertop.history.accounts import Account, Accounts
from infertop.history.stated import Changes, Say, rebook
from infertop.history.statements import Touched
from infertop.money.lines import Basis, Price


class Restating(Protocol):
    """What statements cost now."""

    def may_differ(self, account: Account, price: Price | None) -> bool:
        """Say whether lines like this may have another price than this at any time."""
        ...

    def differing(
        self, account: Account, price: Price | None, since: float, until: float
    ) -> Iterator[tuple[float, float]]:
        """Yield the spans within [since, until) in which such lines have another price than this."""
        ...


def reprice_stated(
    connection: sqlite3.Connection, accounts: Accounts, say: Say, restating: Restating, since: float = 0
) -> Changes:
    """Make the lines that start at or after `since` again where they have another price now."""
    asked = {
        number: (account, price)
        for number, account in list(accounts.by_id.items())
        if account.is_stated
        and account.basis != Basis.BILLED
        and restating.may_differ(account, price := accounts.price(connection, account.price))
    }
    touched: Touched = {}
    for number, first, last in _spans(connection, asked, since):
        account, price = asked[number]
        for start, end in restating.differing(account, price, first, last + 1):
            rows = connection.execute(
                "SELECT start FROM lines WHERE start >= ? AND start < ? AND account = ? AND NOT open",
                (start, end, number),
            )
            touched.setdefault(account.source, set()).update(at for (at,) in rows)
    changes = rebook(connection, accounts, say, touched)
    accounts.write(connection)
    return changes


def _spans(
    connection: sqlite3.Connection, asked: dict[int, tuple[Account, Price | None]], since: float
) -> list[tuple[int, int, int]]:
    if not asked:
        return []
    rows = connection.execute(
        f"""SELECT account, min(start), max(start) FROM lines
        WHERE start >= ? AND NOT open AND account IN ({",".join(map(str, asked))}) GROUP BY account""",
        (since,),
    )
    return rows.fetchall()
