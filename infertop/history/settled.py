"""Days that are settled: their adjustment lines in the ledger are at any time what bills and computed lines give."""

from __future__ import annotations

import sqlite3

from infertop.history.accounts import Account, Accounts, Entry
from infertop.history.bills import BillDay, bills_of, days_due
from infertop.history.connect import put
from infertop.history.stated import Changes
from infertop.money.settlement import ADJUSTMENT, Settlement, settle

_LINES = """
    SELECT start, until, account, quantity, usd_nano FROM lines
    WHERE start >= ? AND start < ? AND until <= ? AND NOT open AND account IN ({})"""


def settle_due(connection: sqlite3.Connection, accounts: Accounts, now: float) -> Changes:
    """Write the adjustments of the days whose bills are final by `now`, and return what that changed."""
    gone: list[Entry] = []
    new: list[Entry] = []
    for day in days_due(connection, now):
        before = {each[:3]: each for each in _entries(connection, accounts, day) if _adjusts(accounts, each)}
        made = [accounts.entry(line) for line in settlement(connection, accounts, day).lines]
        after = {each[:3]: each for each in made}
        gone += [each for key, each in before.items() if after.get(key) != each]
        new += [each for key, each in after.items() if before.get(key) != each]
    put(connection, "DELETE FROM lines WHERE start = ? AND until = ? AND account = ?", [each[:3] for each in gone])
    put(connection, "INSERT INTO lines VALUES (?,?,?,?,?,0)", new)
    if new:
        accounts.write(connection)
    return Changes(gone, new)


def settlement(connection: sqlite3.Connection, accounts: Accounts, day: BillDay) -> Settlement:
    """Return how far a day's bills are from what was computed, and what settles it, settled or not."""
    lines = [accounts.by_id[each.account].line(each) for each in _entries(connection, accounts, day)]
    return settle(lines, bills_of(connection, day), day.source, day.leaves_out)


def _entries(connection: sqlite3.Connection, accounts: Accounts, day: BillDay) -> list[Entry]:
    mine = [str(number) for number, account in accounts.by_id.items() if _is_of(account, day.source)]
    rows = connection.execute(_LINES.format(",".join(mine)), (day.start, day.until, day.until))
    return [Entry(*row) for row in rows.fetchall()]


def _is_of(account: Account, source: str) -> bool:
    return account.source == source and (account.is_stated or account.resource == ADJUSTMENT)


def _adjusts(accounts: Accounts, entry: Entry) -> bool:
    return accounts.by_id[entry.account].resource == ADJUSTMENT
