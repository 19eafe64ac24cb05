"""What a scope of the ledger cost over time, in equal bins: the picture behind windows that are compared."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from infertop.history.accounts import Account, Entry, read_accounts
from infertop.history.names import read_names
from infertop.history.scopes import Scopes
from infertop.history.sums import share_of
from infertop.money.baseline import Scope
from infertop.money.lines import NANO

HOUR = 3600
_NARROW = """
    SELECT CAST((start - :since) / :width AS INTEGER), account, sum(usd_nano) FROM lines
    WHERE start >= :since AND start < :until AND until - start <= 60 AND usd_nano IS NOT NULL GROUP BY 1, 2"""
_WIDE = """
    SELECT start, until, account, 0, usd_nano FROM lines INDEXED BY lines_wide
    WHERE until - start > 60 AND until > :since AND start < :until AND usd_nano IS NOT NULL"""
_COVERED = """
    SELECT DISTINCT CAST((minute - :since) / :width AS INTEGER) FROM coverage
    WHERE minute >= :since AND minute < :until AND ms > 0"""


def course(
    connection: sqlite3.Connection, scope: Scope, since: float, width: float, count: int, scopes: Scopes | None = None
) -> tuple[float | None, ...]:
    """Return the $/hour of what counts of `scope` in each of `count` bins of `width` seconds (whole minutes).

    None where nobody recorded and nothing was told. Names and [[assign]] are applied as in reports.
    """
    reading = _Reading(connection, scope, replace(scopes or Scopes(), names=read_names(connection)))
    span = {"since": since, "until": since + width * count, "width": width}
    nano: dict[int, int] = {bin_: 0 for (bin_,) in connection.execute(_COVERED, span)}
    for place, number, amount in connection.execute(_NARROW, span):
        if reading.counts(number, since + (place + 0.5) * width):
            nano[place] = nano.get(place, 0) + amount
    for row in connection.execute(_WIDE, span).fetchall():
        _spread(Entry(*row), reading, nano, (since, width, count))
    per_hour = HOUR / width / NANO
    return tuple(nano[n] * per_hour if n in nano else None for n in range(count))


def _spread(entry: Entry, reading: _Reading, nano: dict[int, int], bins: tuple[float, float, int]) -> None:
    """Add a line that is wider than a minute to the bins that it reaches over."""
    since, width, count = bins
    first = max(0, int((entry.start - since) // width))
    last = min(count, int(-(-(entry.until - since) // width)))
    for place in range(first, last):
        begin = since + place * width
        share = share_of(entry, begin, begin + width)
        if share is not None and share[1] is not None and reading.counts(entry.account, begin + width / 2):
            nano[place] = nano.get(place, 0) + share[1]


class _Reading:
    """Which accounts are of a scope, and when they count."""

    def __init__(self, connection: sqlite3.Connection, scope: Scope, scopes: Scopes) -> None:
        self._scope = scope
        self._scopes = scopes
        self._accounts = read_accounts(connection)
        self._apart: dict[int, Sequence[tuple[float, float]] | None] = {}

    def counts(self, number: int, ts: float) -> bool:
        """Return whether what is booked on an account is of the scope, and part of totals at `ts`."""
        if number not in self._apart:
            account = self._accounts[number]
            self._apart[number] = self._scopes.times_apart(account) if self._is_of(account) else None
        apart = self._apart[number]
        return apart is not None and not any(start <= ts < end for start, end in apart)

    def _is_of(self, account: Account) -> bool:
        own, shown = account.own(), self._scopes.dimensions(account)
        return all(value in (shown.get(name), own.get(name)) for name, value in self._scope)
