"""What was taken from budgets of late, an hour, over windows of which it is known."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from infertop.history.accounts import read_accounts
from infertop.history.names import read_names
from infertop.history.scopes import Scopes
from infertop.history.sums import account_sums, coverage_ms
from infertop.money.lines import NANO
from infertop.money.settings import Budget

_HOUR = 3600
_LEAST_KNOWN = 0.5
_WHOLE_SECONDS = 120.0  # so little is missing where minutes are not closed yet


class Burnt(NamedTuple):
    """USD an hour over what is known of a window, and how many seconds that is."""

    usd_per_hour: float
    seconds: float


def burnt(
    connection: sqlite3.Connection,
    scopes: Scopes,
    budgets: Sequence[Budget],
    until: float,
    widths: Iterable[float],
    first: Mapping[str, float],
) -> dict[str, dict[float, Burnt | None]]:
    """Return what was taken from each budget in windows of so many seconds before `until`, by budget and width.

    Meters know of the time in which they were read, a source that tells in statements of what is after its `first`
    line. None: less than half of the window is known of one that tells of the budget, or nothing of it has a price.
    Where nothing was used, it is 0 if anybody told of anything then.
    """
    scopes = replace(scopes, names=read_names(connection))
    accounts = read_accounts(connection)
    members: dict[int, list[str]] = {}
    found: dict[str, dict[float, Burnt | None]] = {each.name: {} for each in budgets}
    for width in widths:
        begin = until - width
        read = _known(coverage_ms(connection, begin, until) / 1000, width)
        longest = max(read, *(_known(until - max(begin, each), width) for each in first.values()), 0.0)
        taken: dict[str, Burnt | None] = {}
        for number, amount in account_sums(connection, until - width, until).items():
            account = accounts[number]
            if number not in members:
                members[number] = [each.name for each in budgets if scopes.is_in(account, each)]
            told = _known(until - max(begin, first.get(account.source, until)), width)
            known = told if account.is_stated else read
            rate = (amount.usd_nano or 0) / NANO / max(known, _LEAST_KNOWN * width) * _HOUR
            for name in members[number]:
                before = taken.setdefault(name, None)
                if amount.usd_nano is not None:
                    before = before or Burnt(0.0, width)
                    taken[name] = Burnt(before.usd_per_hour + rate, min(before.seconds, known))
        for name, windows in found.items():
            each = taken.get(name, Burnt(0.0, longest))
            known_enough = each is not None and each.seconds >= _LEAST_KNOWN * width
            windows[width] = each._replace(usd_per_hour=max(0.0, each.usd_per_hour)) if each and known_enough else None
    return found


def _known(seconds: float, width: float) -> float:
    return width if seconds >= width - _WHOLE_SECONDS else seconds
