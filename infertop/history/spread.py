"""What is told by wider spans than a minute, spread evenly over its minutes: so much a minute it was in the mean."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from infertop.history.accounts import Account, Entry
from infertop.history.sums import MINUTE, Sum, Sums, share_of

WIDEST_SECONDS = 3600
_WIDE = """
    SELECT start, until, account, quantity, usd_nano FROM lines INDEXED BY lines_wide
    WHERE until - start > 60 AND until - start <= ? AND until > ? AND start < ? AND NOT open"""


def spread_sums(
    connection: sqlite3.Connection, accounts: Mapping[int, Account], since: float, until: float
) -> dict[int, Sums]:
    """Return by minute of [since, until) the shares of statements' lines up to an hour wide.

    Accounts that differ in nothing that a minute tells are summed under one of them. Shares sum to the line.
    """
    whole: dict[tuple[int, int, int], Sum] = {}
    first: dict[tuple[object, ...], int] = {}
    for row in connection.execute(_WIDE, (WIDEST_SECONDS, since, until)).fetchall():
        entry = Entry(*row)
        account = accounts[entry.account]
        if account.is_stated:
            alike = (account.source, account.provider, account.model, account.resource, account.lacks_price)
            span = (entry.start, entry.until, first.setdefault(alike, entry.account))
            whole[span] = whole.get(span, Sum(0, None)).plus(entry.quantity, entry.usd_nano)
    found: dict[int, Sums] = {}
    for (start, end, number), each in whole.items():
        line = Entry(start, end, number, each.quantity, each.usd_nano)
        low = max(start // MINUTE * MINUTE, -(-int(since) // MINUTE) * MINUTE)
        for minute in range(low, min(end, int(-(-until // MINUTE)) * MINUTE), MINUTE):
            share = share_of(line, minute, minute + MINUTE)
            if share is not None:
                sums = found.setdefault(minute, {})
                sums[number] = sums.get(number, Sum(0, None)).plus(*share)
    return found
