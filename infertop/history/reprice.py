"""Price lines again after pricing.toml was edited: amounts of money change, quantities never."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from infertop.history.accounts import Account, Accounts, Entry, read_price
from infertop.history.ledger import INSERT_CLOSED
from infertop.money.lines import Basis, Line, Price

Rule = Callable[[Line], tuple[int | None, Price | None] | None]
"""What a line costs now: (1e-9 USD or None, the price or None), or None where it stays as it is."""

_LINES = "SELECT start, until, account, quantity, usd_nano FROM lines WHERE start >= ? AND NOT open"


def reprice(
    connection: sqlite3.Connection,
    accounts: Accounts,
    rule: Rule,
    since: float,
    concerns: Callable[[Account], bool] = lambda _account: True,
) -> int:
    """Price the closed lines that start at or after `since` again and return how many changed.

    Billed lines stay as they are. `concerns` says of which accounts the lines need to be looked at.
    """
    wanted = {
        number: (account, read_price(connection, account.price) if account.price else None)
        for number, account in accounts.by_id.items()
        if account.basis != Basis.BILLED and concerns(account)
    }
    gone: list[tuple[int, int, int]] = []
    added: list[Entry] = []
    for start, until, number, quantity, usd in connection.execute(_LINES, (since,)):
        if number in wanted:
            line = _line(*wanted[number], start, until, quantity, usd)
            answer = rule(line)
            if answer is not None and answer != (line.usd_nano, line.price):
                gone.append((start, until, number))
                added.append(accounts.entry(_line(wanted[number][0], answer[1], start, until, quantity, answer[0])))
    connection.executemany("DELETE FROM lines WHERE start = ? AND until = ? AND account = ?", gone)
    accounts.write(connection)
    connection.executemany(INSERT_CLOSED, added)
    return len(gone)


def _line(account: Account, price: Price | None, start: int, until: int, quantity: int, usd_nano: int | None) -> Line:
    return Line(
        start=start,
        end=until,
        source=account.source,
        provider=account.provider,
        model=account.model,
        resource=account.resource,
        dimensions=account.dimensions,
        quantity=quantity,
        unit=account.unit,
        usd_nano=usd_nano,
        price=price,
        basis=Basis(account.basis),
        flags=account.flags,
    )
