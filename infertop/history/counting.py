"""Sums of a span, told apart by what counts: a source may have begun to attribute, or ended, in the middle of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping

from infertop.history.accounts import Account
from infertop.history.scopes import Scopes
from infertop.history.sums import Sum, Sums, account_sums
from infertop.money.overlap import Span

_NOTHING = Sum(0, None)


def counted_sums(
    connection: sqlite3.Connection, accounts: Mapping[int, Account], since: float, until: float, scopes: Scopes
) -> Iterator[tuple[Account, Sum, bool]]:
    """Yield what each account has in [since, until), and whether it is part of totals; the parts sum to the whole."""
    within: dict[Span, Sums] = {}
    for number, whole in account_sums(connection, since, until).items():
        account = accounts[number]
        spans = [(max(a, since), min(b, until)) for a, b in scopes.times_apart(account) if a < until and b > since]
        if not spans or spans == [(since, until)]:
            yield account, whole, not spans
            continue
        apart = _NOTHING
        for span in spans:
            if span not in within:
                within[span] = account_sums(connection, *span)
            apart = apart.plus(*within[span].get(number, _NOTHING))
        for part, counts in ((_rest(whole, apart), True), (apart, False)):
            if part.quantity or part.usd_nano:
                yield account, part, counts


def _rest(whole: Sum, apart: Sum) -> Sum:
    usd = whole.usd_nano if whole.usd_nano is None else whole.usd_nano - (apart.usd_nano or 0)
    return Sum(whole.quantity - apart.quantity, usd, whole.prorated or apart.prorated)
