"""All that the ledger has ever booked, by source, provider and model: what the exporter's counters show.

Only minutes that are closed are counted. What is open is divided anew at every tick (a GPU's minute goes to whom it
turns out to belong), so that a model's part of it may fall; a counter must not. A place that has open lines alone is
there with 0 of what it has: whoever reads a counter sees no increase in the first value that there is.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field

from infertop.history.accounts import Account, read_accounts
from infertop.history.compact import Cells
from infertop.history.meta import read_meta
from infertop.history.summary import add_usd
from infertop.history.sums import Sum, Sums, add_entries, entries_ended

Place = tuple[str, str, str]
"""Source, provider and model; the model is empty for what belongs to none."""

_REQUESTS = "requests"
_UP_TO = """
    SELECT account, sum(quantity), sum(usd_nano) FROM lines WHERE NOT open AND until <= ? GROUP BY account"""
_OPEN = "SELECT account, max(usd_nano IS NOT NULL) FROM lines WHERE open GROUP BY account"
_IDENTITY = "SELECT boot, pid, started FROM sessions ORDER BY id LIMIT 1"


@dataclass(slots=True)
class Used:
    """What one place used: None is unknown (no request was ever counted, nothing has a price).

    `usd_nano` is in 1e-9 USD, `unpriced` are tokens whose price should be known and is not.
    """

    requests: int | None = None
    tokens: dict[str, int] = field(default_factory=dict)
    usd_nano: int | None = None
    unpriced: int | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """The sums of all lines that ended by `closed` (epoch seconds)."""

    closed: int = 0
    places: Mapping[Place, Used] = field(default_factory=dict)


class Counting:
    """Keeps the sums between two looks: the ledger is summed once, and again where closed lines were changed.

    `look` is a question for a `Reader`. It sees one state of the database, never half of a repricing.
    """

    def __init__(self) -> None:
        self._identity: object = None
        self._accounts: dict[int, Account] = {}
        self._sums: Sums = {}
        self._revision = ""
        self._closed = -1

    def look(self, connection: sqlite3.Connection) -> Counted:
        """Return the sums as of now."""
        identity = connection.execute(_IDENTITY).fetchone()
        closed, revision = int(read_meta(connection, "closed", "0")), read_meta(connection, "revision")
        compacted = max(Cells.read(connection))
        known = (self._identity, self._revision) == (identity, revision) and compacted <= self._closed <= closed
        if identity != self._identity:
            self._accounts = {}
        self._accounts |= read_accounts(connection, max(self._accounts, default=0))
        if known and closed > self._closed:
            add_entries(self._sums, entries_ended(connection, self._closed, closed), 0, float("inf"))
        elif not known:
            # A compacted span can reach behind the last closed minute, where nobody recorded for weeks.
            upto = max(closed, compacted)
            self._sums = {number: Sum(*rest) for number, *rest in connection.execute(_UP_TO, (upto,)).fetchall()}
        self._identity, self._revision, self._closed = identity, revision, closed
        begun = connection.execute(_OPEN).fetchall()
        return Counted(closed, self._places({number: Sum(0, 0 if priced else None) for number, priced in begun}))

    def _places(self, begun: Sums) -> dict[Place, Used]:
        found: dict[Place, Used] = {}
        for number, amount in (begun | self._sums).items():
            account = self._accounts[number]
            used = found.setdefault((account.source, account.provider, account.model or ""), Used())
            used.usd_nano = add_usd(used.usd_nano, amount.usd_nano)
            if account.is_tokens:
                used.tokens[account.resource] = used.tokens.get(account.resource, 0) + amount.quantity
                if account.lacks_price:
                    used.unpriced = (used.unpriced or 0) + amount.quantity
            elif account.resource == _REQUESTS:
                used.requests = (used.requests or 0) + amount.quantity
        return found
