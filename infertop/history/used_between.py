"""What was used in a window of the ledger, an hour, of all that counts and is of a scope: what changes are made of.

Hours are those that were recorded; of what statements tell, those that were told whole or recorded.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from infertop.history.accounts import Account, read_accounts, read_price
from infertop.history.names import read_names
from infertop.history.scopes import Scopes
from infertop.history.sums import Sum
from infertop.history.used_between_window import ToldWindow
from infertop.money.baseline import Scope
from infertop.money.gpu_drafts import GPU_RESOURCES
from infertop.money.lines import NANO
from infertop.money.quote import CONTEXT_TIER
from infertop.money.statement_lines import way_of
from infertop.money.why.usage import Usage, UsageLine

_HOUR = 3600


def used_between(
    connection: sqlite3.Connection,
    scope: Scope,
    spans: Sequence[tuple[float, float]],
    scopes: Scopes | None = None,
) -> list[Usage]:
    """Return what counts of `scope` in each span [since, until), an hour, of one state of the ledger.

    Names and [[assign]] are applied as in reports; a value of the scope may be an id or its name.
    """
    reading = _Reading(connection, scope, replace(scopes or Scopes(), names=read_names(connection)))
    return [reading.usage(*span) for span in spans]


class _Reading:
    """One scope in one state of the ledger."""

    def __init__(self, connection: sqlite3.Connection, scope: Scope, scopes: Scopes) -> None:
        self._connection = connection
        self._scope = scope
        self._scopes = scopes
        self._accounts = read_accounts(connection)
        self._prices = _Prices(connection)
        self._dimensions: dict[Account, dict[str, str] | None] = {}
        of_scope = [each for each in self._accounts.values() if self._dimensions_of(each) is not None]
        self._sources = {each.source for each in of_scope}
        self._metered = any(not each.is_stated for each in of_scope)

    def usage(self, since: float, until: float) -> Usage:
        """Return what was used in [since, until)."""
        window = ToldWindow(self._connection, since, until, self._scopes.settings.zone)
        lines: list[UsageLine] = []
        unpolled = 0
        for account, amount, dimensions in self._amounts(window):
            if account.is_gap:
                unpolled += amount.usd_nano or 0
            elif (seconds := window.seconds(account)) > 0:
                lines.append(_line(account, amount, dimensions, _HOUR / seconds, self._prices))
        flags = list(window.flags(lines, self._sources, metered=self._metered))
        if unpolled:
            flags.append(f"${unpolled / NANO:,.2f} of a time in which nobody polled is left out")
        known = window.known(self._sources, metered=self._metered)
        lacks = self._metered and not window.recorded
        return Usage(tuple(lines), until - since, known, tuple(flags), lacks)

    def _amounts(self, window: ToldWindow) -> Iterator[tuple[Account, Sum, dict[str, str]]]:
        """Yield what counts and is of the scope, of each source up to where it told all."""
        for account, amount, counts in window.amounts(self._connection, self._scopes):
            dimensions = self._dimensions_of(account) if counts else None
            if dimensions is not None:
                yield account, amount, dimensions

    def _dimensions_of(self, account: Account) -> dict[str, str] | None:
        """Return the dimensions of what is booked on `account`, None where it is not of the scope."""
        if account not in self._dimensions:
            own = account.own()
            found = {name: value for name, value in self._scopes.dimensions(account).items() if value}
            is_in = all(value in (found.get(name), own.get(name)) for name, value in self._scope)
            self._dimensions[account] = found if is_in else None
        return self._dimensions[account]


def _line(account: Account, amount: Sum, dimensions: dict[str, str], per_hour: float, prices: _Prices) -> UsageLine:
    on_gpu = account.resource in GPU_RESOURCES
    return UsageLine(
        dimensions=dimensions,
        resource=account.resource,
        per_hour=amount.quantity * per_hour,
        nano_per_hour=None if amount.usd_nano is None else round(amount.usd_nano * per_hour),
        way="" if on_gpu else way(account.dimensions, account.flags),
        pool=prices.name(account.price) if on_gpu else "",
        gpu=dict(account.dimensions).get("gpu", "") if on_gpu else "",
        unpriced=account.lacks_price,
        metered=not account.is_stated,
    )


@lru_cache(maxsize=4096)
def way(dimensions: tuple[tuple[str, str], ...], flags: str) -> str:
    """Return how requests were processed: "batch", "priority", "above 200,000", several with blanks between."""
    tiers = (word.partition(":")[2] for word in flags.split() if word.startswith(f"{CONTEXT_TIER}:"))
    above = [f"above {int(each):,}" for each in tiers if each.isdecimal()]
    return " ".join(filter(None, (str(way_of(dict(dimensions))), *above)))


class _Prices:
    """The names of GPU prices."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._names: dict[str, str] = {}

    def name(self, price: str | None) -> str:
        """Return what kind of GPU a price is for, empty where there is none."""
        if price is None:
            return ""
        if price not in self._names:
            found = read_price(self._connection, price)
            self._names[price] = found.name if found else ""
        return self._names[price]
