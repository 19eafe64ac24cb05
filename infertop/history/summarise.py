"""Keep the summary's sums: asked of the database once for each period, then carried forward line by line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from infertop.history.accounts import Account, Entry
from infertop.history.names import read_names
from infertop.history.scopes import Periods, Scopes
from infertop.history.spread import spread_sums
from infertop.history.summary import Key, Minute, Spent, Summary, Totals, add_usd
from infertop.history.sums import Sums, account_sums, accounts_since, add_entries, coverage_ms, entries_between
from infertop.history.totals import apart, counted_usd, counting, joined, merged, minutes_of, totals_by_key

_HISTORY_SECONDS = 3600
_FOREVER = float("inf")


class Summariser:
    """The closed part of every sum is kept; what is open is added anew at each tick."""

    def __init__(self, accounts: Mapping[int, Account], scopes: Scopes) -> None:
        self._accounts = accounts
        self._scopes = scopes
        self._periods = Periods(0.0, 0.0, {})
        self._windows: dict[float, Sums] = {}
        self._covered: dict[float, int] = {}
        self._minutes: tuple[Minute, ...] = ()
        self._today: dict[Key, Totals] = {}
        self._counting: dict[Key, bool] = {}
        self._today_usd: int | None = None
        self._month_usd: int | None = None
        self._spent: dict[str, int | None] = {}
        self._in_budget: dict[str, dict[int, bool]] = {}
        self._given: dict[str, dict[int, bool]] = {}
        self._nobody_today: dict[str, int | None] = {}
        self._recent: dict[str, dict[str, dict[int, int]]] = {}
        self._providers: dict[Key, tuple[str, ...]] = {}
        self._known = 0

    def rescope(self, scopes: Scopes) -> None:
        """Sum something else from now on; call `load` next."""
        self._scopes = scopes
        self._in_budget, self._given = {}, {}
        self._windows = {}

    def load(self, connection: sqlite3.Connection, ts: float, closed: int, unsaved: Sequence[Entry] = ()) -> None:
        """Ask the database for everything that ended by `closed`; `unsaved` are closed lines that it does not have."""
        self._windows, self._covered = {}, {}
        self._scopes = replace(self._scopes, names=read_names(connection))
        self._in_budget, self._given = {}, {}
        self._load_minutes(connection, ts, unsaved)
        self.turn(connection, ts, closed, unsaved)

    def turn(self, connection: sqlite3.Connection, ts: float, closed: int, unsaved: Sequence[Entry] = ()) -> None:
        """Ask the database for the periods that began since; nothing to ask in most minutes."""
        self._periods = self._scopes.at(ts)
        starts = self._periods.starts()
        for start in starts - self._windows.keys():
            sums = account_sums(connection, start, _FOREVER, open_too=False)
            add_entries(sums, unsaved, start, _FOREVER)
            self._covered[start] = coverage_ms(connection, start, closed)
            self._windows[start] = sums
        for gone in self._windows.keys() - starts:
            del self._windows[gone], self._covered[gone]
        self._settle()

    def close(self, entries: Sequence[Entry], covered_ms: Mapping[int, int]) -> None:
        """Take lines that were closed, and the recorded milliseconds of their minutes."""
        for start, sums in self._windows.items():
            add_entries(sums, entries, start, _FOREVER)
            self._covered[start] += sum(ms for minute, ms in covered_ms.items() if minute >= start)
        more = minutes_of(entries, self._accounts, covered_ms, self._scopes.has)
        oldest = max(more, default=0) - _HISTORY_SECONDS + 60
        kept = {each.start: each for each in self._minutes if each.start >= oldest}
        # What was told of a minute before it closed is there already.
        more = {start: joined(kept[start], each) if start in kept else each for start, each in more.items()}
        self._minutes = tuple(each for _, each in sorted((kept | more).items()))
        self._settle()

    def amend(self, connection: sqlite3.Connection, ts: float, gone: Sequence[Entry], new: Sequence[Entry]) -> None:
        """Take closed lines that are gone from the database, whatever their age, and those that are new in it."""
        for start, sums in self._windows.items():
            add_entries(sums, gone, start, _FOREVER, sign=-1)
            add_entries(sums, new, start, _FOREVER)
            empty = {each.account for each in gone if each.account in sums and not any(sums[each.account][:2])}
            for number in empty - accounts_since(connection, start, empty):
                del sums[number]
        self._load_minutes(connection, ts)
        self._settle()

    def _load_minutes(self, connection: sqlite3.Connection, ts: float, unsaved: Sequence[Entry] = ()) -> None:
        since = int(ts - _HISTORY_SECONDS) // 60 * 60
        rows = connection.execute("SELECT minute, ms FROM coverage WHERE minute >= ?", (since,)).fetchall()
        entries = [*entries_between(connection, since, _FOREVER, open_too=False), *unsaved]
        spread = spread_sums(connection, self._accounts, since, ts)
        found = minutes_of(entries, self._accounts, dict(rows), self._scopes.has, spread)
        self._minutes = tuple(each for _, each in sorted(found.items()))
        self._recent = self._of_budgets(entries)

    def _of_budgets(self, entries: Iterable[Entry]) -> dict[str, dict[str, dict[int, int]]]:
        """Return what statements spent of each budget with conditions, by source and minute."""
        limited = [each for each in self._scopes.budgets if each.conditions]
        of_account: dict[int, list[str]] = {}
        found: dict[str, dict[str, dict[int, int]]] = {}
        for start, _, number, _, usd in entries:
            account = self._accounts[number]
            if usd is None or not limited or not account.is_stated:
                continue
            if number not in of_account:
                of_account[number] = [each.name for each in limited if self._scopes.is_in(account, each)]
            for name in of_account[number]:
                minutes = found.setdefault(name, {}).setdefault(account.source, {})
                minutes[start] = minutes.get(start, 0) + usd
        return found

    def summary(self, ts: float, open_entries: Sequence[Entry], covered_ms: Mapping[int, int]) -> Summary:
        """Return the sums as of `ts`, with what is open."""
        day = self._periods.day
        today = self._open(open_entries, day)
        return Summary(
            ts=ts,
            day_start=day,
            apart=apart(self._counting, counting(today, self._accounts, self._scopes.has)),
            today=merged(self._today, totals_by_key(today, self._accounts)),
            today_usd_nano=add_usd(self._today_usd, self._counted(today)),
            month_usd_nano=add_usd(self._month_usd, self._counted(self._open(open_entries, self._periods.month))),
            minutes=(*self._minutes, *self._open_minutes(open_entries, covered_ms)),
            coverage_today=self._coverage(day, ts, covered_ms),
            budgets=self._budgets(ts, open_entries, covered_ms),
            providers=self._of_providers(),
            unassigned=self._without(today),
            allowances=self._scopes.allowances,
            names=self._scopes.names,
            recent=self._recent,
        )

    def _without(self, open_sums: Sums) -> Mapping[str, int | None]:
        """Return what of today is given to nobody, by each dimension that [[assign]] gives."""
        sums = [(number, each.usd_nano) for number, each in open_sums.items()]
        return {name: self._of(name, sums, self._nobody_today.get(name)) for name in self._scopes.assigned}

    def _of(self, name: str, amounts: Iterable[tuple[int, int | None]], total: int | None = None) -> int | None:
        known = self._given.setdefault(name, {})
        for number, usd in amounts:
            if number not in known:
                account = self._accounts[number]
                known[number] = self._scopes.has(account) and self._scopes.dimensions(account).get(name) is None
            if known[number]:
                total = add_usd(total, usd)
        return total

    def _of_providers(self) -> Mapping[Key, tuple[str, ...]]:
        """Return the providers of each model on a source, with the accounts that are new."""
        if len(self._accounts) != self._known:
            found = dict(self._providers)
            for account in islice(self._accounts.values(), self._known, None):
                key = (account.source, account.model)
                if account.provider not in found.get(key, ()):
                    found[key] = tuple(sorted((*found.get(key, ()), account.provider)))
            self._providers, self._known = found, len(self._accounts)
        return self._providers

    def _settle(self) -> None:
        """Sum up what is closed, once a minute."""
        day, month = self._windows.get(self._periods.day, {}), self._windows.get(self._periods.month, {})
        self._today = totals_by_key(day, self._accounts)
        self._counting = counting(day, self._accounts, self._scopes.has)
        self._today_usd, self._month_usd = self._counted(day), self._counted(month)
        amounts = [(number, each.usd_nano) for number, each in day.items()]
        self._nobody_today = {name: self._of(name, amounts) for name in self._scopes.assigned}
        for budget in self._scopes.budgets:
            window = self._windows.get(self._periods.budgets.get(budget.name, 0.0), {})
            self._spent[budget.name] = self._of_budget(budget.name, window)

    def _budgets(self, ts: float, entries: Iterable[Entry], covered_ms: Mapping[int, int]) -> dict[str, Spent]:
        found = {}
        for name, start in self._periods.budgets.items():
            opened, seen = self._open(entries, start), self._coverage(start, ts, covered_ms)
            usd = add_usd(self._spent.get(name), self._of_budget(name, opened))
            if usd is None and seen and not self._is_used(name, self._windows.get(start, {}), opened):
                usd = 0
            found[name] = Spent(start, usd, seen)
        return found

    def _of_budget(self, name: str, sums: Sums) -> int | None:
        known = self._in_budget.setdefault(name, {})
        budget = next(each for each in self._scopes.budgets if each.name == name)
        for number in sums.keys() - known.keys():
            known[number] = self._scopes.is_in(self._accounts[number], budget)
        total: int | None = None
        for number, each in sums.items():
            if known[number]:
                total = add_usd(total, each.usd_nano)
        return total

    def _is_used(self, name: str, *sums: Sums) -> bool:
        """Say whether anything is spent from a budget, with a price or without; `_of_budget` looked at these before."""
        return any(self._in_budget[name][number] for each in sums for number in each)

    def _open(self, entries: Iterable[Entry], since: float) -> Sums:
        sums: Sums = {}
        add_entries(sums, entries, since, _FOREVER)
        return sums

    def _counted(self, sums: Sums) -> int | None:
        return counted_usd(sums, self._accounts, self._scopes.has)

    def _coverage(self, since: float, ts: float, covered_ms: Mapping[int, int]) -> float | None:
        if since not in self._covered or ts <= since:
            return None
        recorded = self._covered[since] + sum(ms for minute, ms in covered_ms.items() if minute >= since)
        return min(recorded / 1000 / (ts - since), 1.0)

    def _open_minutes(self, entries: Iterable[Entry], covered_ms: Mapping[int, int]) -> list[Minute]:
        found = minutes_of(entries, self._accounts, covered_ms, self._scopes.has)
        return [each for _, each in sorted(found.items())]
