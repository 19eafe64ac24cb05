"""What was used in a window of the ledger, an hour, of all that counts and is of a scope: what changes are made of.

Hours are those that were recorded; of what statements tell, those that were told whole or recorded.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, tzinfo
from functools import lru_cache

from infertop.history.account_notes import KIND, accounts_of
from infertop.history.accounts import Account, read_accounts, read_price
from infertop.history.counting import counted_sums
from infertop.history.names import read_names
from infertop.history.scopes import Scopes
from infertop.history.sums import MINUTE, Sum
from infertop.money.baseline import Scope
from infertop.money.gpu_drafts import GPU_RESOURCES
from infertop.money.lines import NANO
from infertop.money.quote import CONTEXT_TIER
from infertop.money.statement_lines import way_of
from infertop.money.why.usage import Usage, UsageLine
from infertop.readings.safe import safe

_HOUR = 3600
# A window of which no more than this is missing is told as whole.
_WHOLE = 0.98
_TOLD = """
    SELECT DISTINCT source, start, lines.until FROM lines JOIN accounts ON accounts.id = lines.account
    WHERE start >= :since AND start < :until AND basis != 'measured' AND unit NOT IN ('ms', 'mJ')
    UNION SELECT source, start, lines.until FROM lines INDEXED BY lines_wide
    JOIN accounts ON accounts.id = lines.account
    WHERE lines.until - start > 60 AND lines.until > :since AND start < :since
        AND basis != 'measured' AND unit NOT IN ('ms', 'mJ')"""


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


def used_of_two(
    connection: sqlite3.Connection,
    scope: Scope,
    before: tuple[float, float],
    after: tuple[float, float],
    scopes: Scopes | None = None,
) -> tuple[Usage, Usage]:
    """Return what was used in two windows (epoch seconds)."""
    one, other = used_between(connection, scope, (before, after), scopes)
    return one, other


class _Reading:
    """One scope in one state of the ledger."""

    def __init__(self, connection: sqlite3.Connection, scope: Scope, scopes: Scopes) -> None:
        self._connection = connection
        self._scope = scope
        self._scopes = scopes
        self._accounts = read_accounts(connection)
        self._prices = _Prices(connection)
        self._dimensions: dict[Account, dict[str, str] | None] = {}

    def usage(self, since: float, until: float) -> Usage:
        """Return what was used in [since, until)."""
        window = _Window(self._connection, since, until, self._scopes.settings.zone)
        lines: list[UsageLine] = []
        unpolled = 0
        for account, amount, dimensions in self._amounts(window):
            if account.is_gap:
                unpolled += amount.usd_nano or 0
            elif (seconds := window.seconds(account)) > 0:
                lines.append(_line(account, amount, dimensions, _HOUR / seconds, self._prices))
        flags = list(window.flags(lines))
        if unpolled:
            flags.append(f"${unpolled / NANO:,.2f} of a time in which nobody polled is left out")
        return Usage(tuple(lines), until - since, window.known, tuple(flags))

    def _amounts(self, window: _Window) -> Iterator[tuple[Account, Sum, dict[str, str]]]:
        """Yield what counts and is of the scope, of each source up to where it told all."""
        for end in sorted({window.end(each.source) for each in self._accounts.values()}):
            for account, amount, counts in counted_sums(
                self._connection, self._accounts, window.since, end, self._scopes
            ):
                if counts and window.end(account.source) == end:
                    dimensions = self._dimensions_of(account)
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


class _Window:
    """A window and how much of it each source has told."""

    def __init__(self, connection: sqlite3.Connection, since: float, until: float, zone: tzinfo) -> None:
        self.since, self.until = since, until
        self._zone = zone
        rows = connection.execute("SELECT kind, content FROM inventory WHERE kind LIKE ?", (f"{KIND}%",)).fetchall()
        said = accounts_of({kind: json.loads(content) for kind, content in rows})
        self._told = {source: each.complete_until for source, each in said.items()}
        span = (since // MINUTE * MINUTE, until)
        covered = connection.execute("SELECT minute, ms FROM coverage WHERE minute >= ? AND minute < ?", span)
        self._minutes: dict[int, int] = dict(covered.fetchall())
        whole = until - since
        self.recorded = self._covered(until) / whole if whole > 0 else 0.0
        self._spans = {} if self.recorded >= _WHOLE else self._minutes_told(connection)
        self._seconds: dict[str | None, float] = {}

    def end(self, source: str) -> float:
        """Return up to where of the window a source told all: a provider tells the last minutes later."""
        told = self._told.get(source)
        return self.until if told is None else max(min(told // MINUTE * MINUTE, self.until), self.since)

    def seconds(self, account: Account) -> float:
        """Return the seconds that what is booked on `account` stands for."""
        key = account.source if account.is_stated else None
        if key not in self._seconds:
            self._seconds[key] = self._covered(self.until) if key is None else self._stated(key)
        return self._seconds[key]

    @property
    def known(self) -> float:
        """The least share of the window that any of the sources asked about was recorded or told for."""
        shares = [
            seconds / (self.end(source or "") - self.since)
            for source, seconds in self._seconds.items()
            if self.end(source or "") > self.since
        ]
        return min(shares, default=1.0 if self._told else self.recorded)

    def flags(self, lines: Iterable[UsageLine]) -> Iterator[str]:
        """Yield sentences on what is not known of the window."""
        name = f"{self._day(self.since)} to {self._moment(self.until)}"
        if self.known == 0:
            yield f"nothing of {name} was recorded"
        elif self.known < _WHOLE:
            yield f"{self.known * 100:.0f} % of {name} was recorded: amounts are those of a recorded hour"
        sources = sorted({each.dimensions.get("source", "") for each in lines} | self._told.keys())
        for source in sources:
            end = self.end(source)
            if end <= self.since:
                yield f"{safe(source, 40)} has told nothing of {name} yet"
            elif end < self.until:
                yield f"{safe(source, 40)} has told of {name} up to {self._moment(end)} only"
        unpriced = sorted({each.model for each in lines if each.unpriced and each.per_hour})
        if unpriced:
            names = ", ".join(safe(model, 40) for model in unpriced[:3])
            yield f"{names}{' and others' if len(unpriced) > 3 else ''} had tokens without a price: they are in no sum"

    def _covered(self, end: float) -> float:
        seconds = sum(ms for minute, ms in self._minutes.items() if minute < end) / 1000
        return max(min(seconds, end - self.since), 0.0)

    def _stated(self, source: str) -> float:
        """Return the seconds that a source told whole, or that were recorded or that its lines are about."""
        end = self.end(source)
        if self._told.get(source) is not None:
            return end - self.since
        if self.recorded >= _WHOLE:
            return self._covered(end)
        minutes = self._minutes | dict.fromkeys(self._spans.get(source, ()), MINUTE * 1000)
        return max(min(sum(minutes.values()) / 1000, end - self.since), 0.0)

    def _minutes_told(self, connection: sqlite3.Connection) -> dict[str, set[int]]:
        found: dict[str, set[int]] = {}
        asked = {"since": self.since, "until": self.until}
        for source, start, until in connection.execute(_TOLD, asked).fetchall():
            low, high = max(start, self.since), min(until, self.until)
            minutes = range(int(low // MINUTE * MINUTE), int(-(-high // MINUTE) * MINUTE), MINUTE)
            found.setdefault(source, set()).update(minutes)
        return found

    def _day(self, ts: float) -> str:
        at = datetime.fromtimestamp(ts, self._zone)
        return f"{at:%b} {at.day} {at:%H:%M}"

    def _moment(self, ts: float) -> str:
        """Return a time of day, with its day where that is not the one on which the window begins."""
        at, first = (datetime.fromtimestamp(each, self._zone) for each in (ts, self.since))
        return f"{at:%H:%M}" if at.date() == first.date() else self._day(ts)
