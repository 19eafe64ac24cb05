"""What the history has of providers: this month's lines by who used what, and the days that they billed."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

from infertop.history.accounts import Account, Accounts, read_accounts
from infertop.history.bills import BillDay, bill_days, bills_of
from infertop.history.counting import counted_sums
from infertop.history.names import read_names
from infertop.history.scopes import Scopes
from infertop.history.settled import settlement
from infertop.history.summary import add_usd
from infertop.history.sums import Sum, account_sums
from infertop.money.dimensions import Names
from infertop.money.lines import NANO
from infertop.readings.account import Bill
from infertop.views.account_shapes import DayRow
from infertop.views.api_rates import Window

DAY = 86_400
_LEAST_DAYS = 8
# A day that is settled changes only when it is read again.
_AGAIN_SECONDS = 300.0

Group = tuple[tuple[str, str | None], ...]


@dataclass(slots=True)
class Used:
    """What one (source, provider, model, dimensions) used; money in 1e-9 USD, `now_nano` over its source's window.

    `charged_nano` is the part of the month's that its usage itself was told to have been charged, `computed_nano` what
    was worked out here; settlements are neither. `..._computed`: some of that cost was worked out here.
    """

    counts: bool
    now_nano: int | None = None
    today_nano: int | None = None
    month_nano: int | None = None
    charged_nano: int | None = None
    computed_nano: int | None = None
    requests: int | None = None
    tokens: int | None = None
    unpriced: int = 0
    now_unpriced: int = 0
    now_computed: bool = False
    today_computed: bool = False


@dataclass(frozen=True, slots=True)
class AccountBooks:
    """What was read of the history at `at`: `used` by dimensions (names in place of ids), the days billed, by source.

    `settled` is, by source, up to when its days are settled and what of this month is before that, in 1e-9 USD.
    `windows` are those that were shown as now then, `names` what ids are called.
    """

    at: float
    month: float
    used: Mapping[tuple[Group, bool], Used] = field(default_factory=dict)
    days: Mapping[str, tuple[DayRow, ...]] = field(default_factory=dict)
    settled: Mapping[str, tuple[float, int | None]] = field(default_factory=dict)
    leaves_out: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    windows: Mapping[str, Window] = field(default_factory=dict)
    names: Names = field(default_factory=dict)


class BookReading:
    """Reads the books; a day that was looked at a moment ago is not added up again. It belongs to one thread."""

    def __init__(self) -> None:
        self._days: dict[tuple[str, int], tuple[float, DayRow]] = {}

    def read(
        self,
        connection: sqlite3.Connection,
        windows: Mapping[str, Window],
        scopes: Scopes,
        now: float,
        ahead: float = DAY,
    ) -> AccountBooks:
        """Return what the history has of these sources, each with the window that is shown as now.

        Lines may reach over today's end, so those that begin up to `ahead` seconds after now are today's too.
        """
        scopes = replace(scopes, names=read_names(connection))
        periods, accounts = scopes.at(now), read_accounts(connection)
        days, leaves_out = self._bill_days(connection, windows, min(periods.month, now - _LEAST_DAYS * DAY), now)
        return AccountBooks(
            now,
            periods.month,
            _used(connection, accounts, windows, scopes, now, now + ahead),
            days,
            _settled(connection, accounts, days, periods.month),
            leaves_out,
            dict(windows),
            scopes.names,
        )

    def _bill_days(
        self, connection: sqlite3.Connection, sources: Collection[str], since: float, now: float
    ) -> tuple[dict[str, tuple[DayRow, ...]], dict[str, tuple[tuple[str, str], ...]]]:
        found: dict[str, list[DayRow]] = defaultdict(list)
        leaves_out: dict[str, tuple[tuple[str, str], ...]] = {}
        lines: Accounts | None = None
        for day in bill_days(connection, since, now + DAY):
            if day.source not in sources:
                continue
            key = (day.source, day.start)
            read_at, row = self._days.get(key, (-_AGAIN_SECONDS, None))
            if row is None or now - read_at >= _AGAIN_SECONDS or row.settled != (day.settles_at <= now):
                lines = lines or Accounts(connection)
                row = _day(connection, lines, day, now)
                self._days[key] = now, row
            found[day.source].append(row)
            leaves_out[day.source] = day.leaves_out
        return {source: tuple(reversed(rows)) for source, rows in found.items()}, leaves_out


def _used(
    connection: sqlite3.Connection,
    accounts: Mapping[int, Account],
    windows: Mapping[str, Window],
    scopes: Scopes,
    now: float,
    end: float,
) -> dict[tuple[Group, bool], Used]:
    found: dict[tuple[Group, bool], Used] = {}
    groups: dict[Account, Group] = {}

    def of(account: Account, counts: bool) -> Used:
        if account not in groups:
            groups[account] = tuple(sorted(scopes.dimensions(account).items()))
        return found.setdefault((groups[account], counts), Used(counts))

    for account, amount, counts in counted_sums(connection, accounts, scopes.at(now).month, end, scopes):
        if account.source in windows:
            used = of(account, counts)
            used.month_nano = add_usd(used.month_nano, amount.usd_nano)
            if account.is_charge:
                used.charged_nano = add_usd(used.charged_nano, amount.usd_nano)
            elif account.is_computed:
                used.computed_nano = add_usd(used.computed_nano, amount.usd_nano)
            used.unpriced += amount.quantity if account.lacks_price else 0
    for account, amount, counts in counted_sums(connection, accounts, scopes.at(now).day, end, scopes):
        if account.source in windows:
            _add_today(of(account, counts), account, amount)
    for start, until in {(each.start, each.until) for each in windows.values() if each.until is not None}:
        for number, amount in account_sums(connection, start, until).items():
            account = accounts[number]
            window = windows.get(account.source)
            if window is not None and (window.start, window.until) == (start, until):
                used = of(account, scopes.has(account))
                used.now_nano = add_usd(used.now_nano, amount.usd_nano)
                used.now_computed |= amount.usd_nano is not None and account.is_computed
                used.now_unpriced += amount.quantity if account.lacks_price else 0
    return found


def _add_today(used: Used, account: Account, amount: Sum) -> None:
    used.today_nano = add_usd(used.today_nano, amount.usd_nano)
    used.today_computed |= amount.usd_nano is not None and account.is_computed
    if account.is_tokens:
        used.tokens = (used.tokens or 0) + amount.quantity
    elif account.resource == "requests":
        used.requests = (used.requests or 0) + amount.quantity


def _day(connection: sqlite3.Connection, accounts: Accounts, day: BillDay, now: float) -> DayRow:
    found = settlement(connection, accounts, day)
    unmatched = [each for each in found.drifts if each.unmatched]
    cells = {each.cell for each in unmatched}
    return DayRow(
        source=day.source,
        start=day.start,
        end=day.until,
        settles_at=day.settles_at,
        settled=day.settles_at <= now,
        billed_usd=sum(each.billed_nano for each in found.drifts) / NANO,
        computed_usd=sum(each.computed_nano for each in found.drifts) / NANO,
        unmatched_usd=sum(each.billed_nano for each in unmatched) / NANO,
        left_out_usd=found.left_out_nano / NANO,
        rows=tuple(_by_text(each for each in bills_of(connection, day) if _cell(each) in cells)),
    )


def _cell(bill: Bill) -> tuple[str | None, str | None, tuple[tuple[str, str], ...]]:
    return bill.model, bill.resource, tuple(sorted(bill.dimensions.items()))


def _by_text(bills: Iterable[Bill]) -> list[tuple[str, float]]:
    found: dict[str, int] = defaultdict(int)
    for bill in bills:
        found[bill.text or bill.resource or bill.model or "(no name)"] += bill.usd_nano
    return [(text, nano / NANO) for text, nano in sorted(found.items(), key=lambda each: -abs(each[1]))]


def _settled(
    connection: sqlite3.Connection,
    accounts: Mapping[int, Account],
    days: Mapping[str, tuple[DayRow, ...]],
    month: float,
) -> dict[str, tuple[float, int | None]]:
    """Return up to when each source is settled, and what the ledger has of this month before that."""
    until = {source: max((day.end for day in rows if day.settled), default=0.0) for source, rows in days.items()}
    found: dict[str, tuple[float, int | None]] = {}
    for end in {each for each in until.values() if each > month}:
        sums = account_sums(connection, month, end)
        for source in (name for name, each in until.items() if each == end):
            nano: int | None = None
            for number, amount in sums.items():
                nano = add_usd(nano, amount.usd_nano if accounts[number].source == source else None)
            found[source] = end, nano
    return found
