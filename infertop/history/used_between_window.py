"""How much of a window each source has told, or was recorded, and what is to be said where that is not all."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime, tzinfo

from infertop.history.account_notes import KIND, accounts_of
from infertop.history.accounts import Account, read_accounts
from infertop.history.counting import counted_sums
from infertop.history.scopes import Scopes
from infertop.history.sums import MINUTE, Sum
from infertop.money.why.usage import UsageLine
from infertop.readings.safe import safe

# A window of which no more than this is missing is told as whole.
_WHOLE = 0.98
_TOLD = """
    SELECT DISTINCT source, start, lines.until FROM lines JOIN accounts ON accounts.id = lines.account
    WHERE start >= :since AND start < :until AND basis != 'measured' AND unit NOT IN ('ms', 'mJ')
    UNION SELECT source, start, lines.until FROM lines INDEXED BY lines_wide
    JOIN accounts ON accounts.id = lines.account
    WHERE lines.until - start > 60 AND lines.until > :since AND start < :since
        AND basis != 'measured' AND unit NOT IN ('ms', 'mJ')"""


class ToldWindow:
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

    def amounts(self, connection: sqlite3.Connection, scopes: Scopes) -> Iterator[tuple[Account, Sum, bool]]:
        """Yield what each account has of it, of each source up to where that told all, and whether it counts."""
        accounts = read_accounts(connection)
        for end in sorted({self.end(each.source) for each in accounts.values()}):
            for account, amount, counts in counted_sums(connection, accounts, self.since, end, scopes):
                if self.end(account.source) == end:
                    yield account, amount, counts

    def seconds(self, account: Account) -> float:
        """Return the seconds that what is booked on `account` stands for."""
        key = account.source if account.is_stated else None
        if key not in self._seconds:
            self._seconds[key] = self._covered(self.until) if key is None else self._stated(key)
        return self._seconds[key]

    def known(self, sources: Iterable[str], *, metered: bool = False) -> float:
        """Return the least share of the window that was recorded or told of what these sources used in it.

        Where they used nothing, it is known by what they told, or by what was recorded. What is `metered` is known as
        far as it was recorded, whether it was used or not.
        """
        shares = [
            seconds / (self.end(source or "") - self.since)
            for source, seconds in self._seconds.items()
            if self.end(source or "") > self.since
        ] + ([self.recorded] if metered else [])
        if shares:
            return min(shares)
        told = [self.end(source) > self.since for source in sources if self._told.get(source) is not None]
        return float(any(told)) if told else self.recorded

    def flags(self, lines: Iterable[UsageLine], sources: Iterable[str], *, metered: bool = False) -> Iterator[str]:
        """Yield sentences on what is not known of the window."""
        name = f"{self._day(self.since)} to {self._moment(self.until)}"
        sources = sorted(sources)
        known = self.known(sources, metered=metered)
        if known == 0 and (metered or not any(self._told.get(source) is not None for source in sources)):
            others = any(self.end(source) > self.since for source in sources if self._told.get(source) is not None)
            yield f"nothing of {name} was recorded{': machines are left out' if others else ''}"
        elif 0 < known < _WHOLE:
            yield f"{known * 100:.0f} % of {name} was recorded: amounts are those of a recorded hour"
        for source in sources:
            end = self.end(source)
            if end <= self.since:
                yield f"{safe(source, 40)} has reported nothing of {name} yet"
            elif end < self.until:
                yield f"{safe(source, 40)} has reported {name} up to {self._moment(end)} only"
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
