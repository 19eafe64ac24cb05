"""The ledger's minutes as flows: what each place used an hour, read a few minutes at a time.

Gaps are left out, and so are adjustments: they are of times that passed. What is told by wider spans than a minute is
only named, since the mean of an hour says nothing about its minutes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from infertop.history.accounts import Account, Entry, read_accounts
from infertop.history.latencies import Latencies, Took
from infertop.history.paid import Paid
from infertop.history.sums import MINUTE, coverage_ms, entries_between
from infertop.money.detect.scopes import FIRST_TOKEN, INTER_TOKEN, LATENCY, Flow, Place, added
from infertop.money.gpu_drafts import GPU_RESOURCES, is_idle
from infertop.money.lines import NANO
from infertop.readings.registry import TOKEN_CLASSES
from infertop.readings.serving import is_own

LEAST_COVERED_MS = 30_000
_ADJUSTMENT = "adjustment"
_REQUESTS = "requests"
_MOST_PRICES = 20_000
_KEPT_CHANGES = 4
_TIMES = {
    LATENCY: ("seconds", "timed"),
    FIRST_TOKEN: ("first_seconds", "firsts"),
    INTER_TOKEN: ("gap_seconds", "gaps"),
}
_SUMS = """
    SELECT account, sum(quantity), sum(usd_nano) FROM lines
    WHERE start >= ? AND start < ? AND until - start = 60 AND NOT open GROUP BY account"""
_WIDE = """
    SELECT start, until, account, quantity, usd_nano FROM lines INDEXED BY lines_wide
    WHERE until - start > 60 AND until - start <= 3600 AND until > ? AND start < ? AND NOT open"""


@dataclass(slots=True)
class MinuteFlows:
    """One minute: its start, how much of it was recorded, what each place used, and of which wider spans tell.

    `metered` are the sources that were measured, `stated` those that told of it themselves.
    """

    start: int
    covered_ms: int
    flows: dict[Place, Flow] = field(default_factory=dict)
    wide: set[Place] = field(default_factory=set)
    metered: set[str] = field(default_factory=set)
    stated: set[str] = field(default_factory=set)

    @property
    def covered(self) -> bool:
        """Whether enough of it was recorded for its rates to mean something."""
        return self.covered_ms >= LEAST_COVERED_MS


class _Unit(NamedTuple):
    """USD for one of its unit at the last price, that price, and the changes: first minute, and what it was before."""

    usd: float
    price: str
    changes: tuple[tuple[int, float | None], ...]


class Flows:
    """Reads minutes, and remembers the unit price of each kind of line: an edit of pricing.toml is no change of use."""

    def __init__(self) -> None:
        self._accounts: dict[int, Account] = {}
        self._places: dict[int, Place] = {}
        self._names: dict[int, str] = {}
        self._units: dict[str, _Unit] = {}
        self._latencies = Latencies()

    def accounts(self) -> Iterable[Account]:
        """Return the accounts that are known."""
        return self._accounts.values()

    def numbered(self) -> Iterable[tuple[int, Account]]:
        """Return the accounts that are known, by their numbers."""
        return self._accounts.items()

    def look(self, connection: sqlite3.Connection) -> None:
        """Learn of the accounts that are new."""
        new = read_accounts(connection, max(self._accounts, default=0))
        self._accounts |= new
        self._places |= {number: place_of(each) for number, each in new.items()}
        self._names |= {number: _name(each) for number, each in new.items()}

    def read(
        self, connection: sqlite3.Connection, since: int, until: int, frontier: Callable[[str], int] | None = None
    ) -> list[MinuteFlows]:
        """Return every minute that starts in [since, until), in order, also those of which nothing is known.

        Of what a source told behind its `frontier` prices are not learned: it is read once more, after what is before.
        """
        self.look(connection)
        rows = connection.execute("SELECT minute, ms FROM coverage WHERE minute >= ? AND minute < ?", (since, until))
        covered = dict(rows.fetchall())
        found = {start: MinuteFlows(start, covered.get(start, 0)) for start in range(since, until, MINUTE)}
        for row in connection.execute(_WIDE, (since, until)).fetchall():
            entry = Entry(*row)
            account = self._accounts.get(entry.account)
            if account is not None and account.is_stated and account.resource != _ADJUSTMENT:
                for start in range(max(since, entry.start // MINUTE * MINUTE), min(until, entry.until), MINUTE):
                    found[start].wide.add(self._places[entry.account])
        entries = [each for each in entries_between(connection, since, until, open_too=False) if self._is_told(each)]
        mixed = self._mixed(entries)
        paid: dict[int, dict[Place, Paid]] = {start: {} for start in found}
        for entry in entries:
            account = self._accounts[entry.account]
            early = frontier is not None and entry.start >= frontier(account.source)
            same = early or (entry.start, self._names[entry.account]) in mixed
            self._add(found[entry.start], entry, same, paid[entry.start])
        for start, places in paid.items():
            for place, each in places.items():
                each.put_into(found[start].flows[place])
        took: dict[int, list[Took]] = {}
        for one in self._latencies.read(connection, since, until):
            took.setdefault(one.start, []).append(one)
        for start, times in took.items():
            if found[start].covered:
                self._time(found[start].flows, times)
        return list(found.values())

    @staticmethod
    def _time(flows: Mapping[Place, Flow], times: Iterable[Took]) -> None:
        """Add what requests took to the flow of their model."""
        first: dict[tuple[str | None, ...], Flow] = {}
        for place, flow in flows.items():
            first.setdefault(place[:3], flow)
        for took in times:
            if (of := first.get(took.place)) is not None:
                seconds, count = _TIMES[took.metric]
                setattr(of, seconds, added(getattr(of, seconds), took.seconds))
                setattr(of, count, added(getattr(of, count), took.number))

    def between(
        self,
        connection: sqlite3.Connection,
        since: int,
        until: int,
        frontier: Callable[[str], int],
        timed: bool = False,
    ) -> dict[Place, Flow]:
        """Return what each place used an hour in [since, until), as far as its source has told it.

        How long requests took, of all that ended in it together, is read where they are `timed`.
        """
        self.look(connection)
        covered_ms = coverage_ms(connection, since, until)
        found: dict[Place, Flow] = {}
        paid: dict[Place, Paid] = {}
        for number, quantity, nano in connection.execute(_SUMS, (since, until)).fetchall():
            account = self._accounts.get(number)
            if account is None or account.resource == _ADJUSTMENT or account.is_gap:
                continue
            seconds = min(until, frontier(account.source)) - since if account.is_stated else covered_ms / 1000
            if seconds > 0:
                place = self._places[number]
                usd = None if nano is None else nano / NANO * 3600 / seconds
                self._use(found.setdefault(place, Flow()), account, quantity * 3600 / seconds, usd, place, paid)
        for place, each in paid.items():
            each.put_into(found[place])
        if timed:
            self._time(found, self._latencies.read(connection, since, until))
        return found

    def _is_told(self, entry: Entry) -> bool:
        account = self._accounts.get(entry.account)
        return entry.until - entry.start == MINUTE and account is not None and not account.is_gap

    def _mixed(self, entries: Iterable[Entry]) -> set[tuple[int, str]]:
        """Return which kinds of lines have two prices in a minute: the file was edited in the middle of it."""
        prices: dict[tuple[int, str], str | None] = {}
        found = set()
        for entry in entries:
            key = entry.start, self._names[entry.account]
            price = self._accounts[entry.account].price
            if prices.setdefault(key, price) != price:
                found.add(key)
        return found

    def _add(self, minute: MinuteFlows, entry: Entry, same: bool, paid: dict[Place, Paid]) -> None:
        """Add a line; `same` says that its price is that of before, or is not to be looked at."""
        account, place = self._accounts[entry.account], self._places[entry.account]
        stated = account.is_stated
        if not stated:
            minute.metered.add(account.source)
        if account.resource == _ADJUSTMENT or not (stated or minute.covered):
            return
        if stated:
            minute.stated.add(account.source)
        flow = minute.flows.get(place)
        if flow is None:
            flow = minute.flows[place] = Flow()
        per_hour = 60.0 if stated else 3_600_000 / minute.covered_ms
        usd = None if entry.usd_nano is None else entry.usd_nano / NANO
        old = usd if same else self._old_usd(entry, account, usd)
        if old is not None:
            flow.old_usd = added(flow.old_usd, old * per_hour)
            flow.old_api_usd = added(flow.old_api_usd, old * per_hour if stated else None)
        self._use(flow, account, entry.quantity * per_hour, None if usd is None else usd * per_hour, place, paid)

    def _use(
        self, flow: Flow, account: Account, amount: float, usd: float | None, place: Place, paid: dict[Place, Paid]
    ) -> None:
        """Add what of `account` was used an hour, and what that cost."""
        stated = account.is_stated
        if usd is not None:
            flow.usd = added(flow.usd, usd)
            if stated:
                flow.api_usd = added(flow.api_usd, usd)
            elif account.resource in GPU_RESOURCES:
                flow.gpu_usd = added(flow.gpu_usd, usd)
                flow.idle_usd = added(flow.idle_usd, usd if is_idle(account.resource, account.dimensions) else 0.0)
        if account.resource == _REQUESTS:
            flow.requests = added(flow.requests, amount)
        elif (kind := TOKEN_CLASSES.get(account.resource)) is not None:
            if kind.prompt:
                flow.prompt = added(flow.prompt, amount)
            else:
                flow.output = added(flow.output, amount)
            if kind.name == "cache_read":
                flow.cached = added(flow.cached, amount)
            if stated and not is_own(account.provider):
                flow.api_tokens = added(flow.api_tokens, amount)
        if stated and not is_own(account.provider):
            paid.setdefault(place, Paid()).add(account, amount, usd, self._unit_price)

    def _unit_price(self, account: Account) -> float | None:
        unit = self._units.get(_name(account))
        return unit.usd if unit else None

    def _old_usd(self, entry: Entry, account: Account, usd: float | None) -> float | None:
        """Return what a line costs by the unit price that its like had before, in the first minute of another one.

        What had no price cost nothing that is known.
        """
        price = account.price or ("" if account.lacks_price else None)
        if price is None or entry.quantity <= 0:
            return usd
        name = self._names[entry.account]
        before = self._units.get(name)
        if before is not None and entry.start <= before.changes[-1][0]:  # who reads behind the others
            old = dict(before.changes).get(entry.start)
            return usd if old is None else entry.quantity * old
        if before is not None and price == before.price:
            return usd
        if len(self._units) < _MOST_PRICES or before is not None:
            changes = (*before.changes, (entry.start, before.usd)) if before else ((entry.start, None),)
            self._units[name] = _Unit((usd or 0.0) / entry.quantity, price, changes[-_KEPT_CHANGES:])
        return usd if before is None else entry.quantity * before.usd

    def dump(self) -> dict[str, list[object]]:
        """Return the unit prices, for JSON."""
        return {name: list(unit) for name, unit in self._units.items()}

    def load(self, state: dict[str, list[Any]]) -> None:
        """Take up the unit prices that `dump` told of; raise TypeError or ValueError where they are none."""
        for name, (usd, price, changes) in state.items():
            told = tuple((int(since), None if old is None else float(old)) for since, old in changes)
            self._units[name] = _Unit(float(usd), str(price), told)


def place_of(account: Account) -> Place:
    """Return whose flow an account is part of."""
    own = dict(account.dimensions)
    return Place(account.source, account.provider, account.model, own.get("key"), own.get("project"))


def _name(account: Account) -> str:
    dimensions = ";".join(f"{name}={value}" for name, value in account.dimensions)
    return "|".join((account.source, account.provider, account.model or "", account.resource, dimensions))
