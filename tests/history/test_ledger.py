"""Ledger lines in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.history.accounts import MOST, Entry, read_accounts, read_price
from infertop.history.compact import DAY, HOUR, compact
from infertop.history.drops import transaction
from infertop.history.ledger import Ledger
from infertop.history.migrations import migrate
from infertop.history.reprice import reprice
from infertop.history.sums import account_sums, share_of
from infertop.money.lines import Basis, Line, Price
from tests.history.world import Dearer

PRICE = Price("gpt-4o input", Decimal("2.5"), "1M tokens", "pricing.toml:4", "2026-11-01", False)
LINE = Line(
    0, 60, "openai", "openai", "gpt-4o", "input", (("key", "a"),), 100, "tokens", 250_000, PRICE, Basis.COMPUTED
)


def store(ledger: Ledger, connection: sqlite3.Connection) -> None:
    with transaction(connection):
        ledger.write(connection)
    ledger.written()


def lines(connection: sqlite3.Connection) -> list[tuple[int, ...]]:
    return connection.execute("SELECT start, until, quantity, usd_nano, open FROM lines ORDER BY 1, 2").fetchall()


def test_open_lines_are_replaced_until_they_are_closed(connection: sqlite3.Connection) -> None:
    ledger = Ledger(connection)
    for quantity in (10, 20):
        ledger.replace_open([replace(LINE, quantity=quantity), replace(LINE, model="other", start=quantity)])
        store(ledger, connection)
        assert lines(connection) == [(0, 60, quantity, 250_000, 1), (quantity, 60, 100, 250_000, 1)]
    ledger.close([LINE])
    ledger.replace_open([])
    store(ledger, connection)
    assert lines(connection) == [(0, 60, 100, 250_000, 0)]


def test_a_late_line_adds_to_the_closed_one_and_an_open_one_never_replaces_it(connection: sqlite3.Connection) -> None:
    ledger = Ledger(connection)
    ledger.close([LINE])
    store(ledger, connection)
    ledger.replace_open([replace(LINE, quantity=1)])
    store(ledger, connection)
    assert lines(connection) == [(0, 60, 100, 250_000, 0)]
    ledger.replace_open([])
    ledger.close([replace(LINE, quantity=1, usd_nano=5)])
    store(ledger, connection)
    assert lines(connection) == [(0, 60, 101, 250_005, 0)]


def test_a_new_session_replaces_what_was_left_open(connection: sqlite3.Connection) -> None:
    first = Ledger(connection)
    first.replace_open([LINE, replace(LINE, model="gone")])
    store(first, connection)
    second = Ledger(connection)
    second.replace_open([replace(LINE, quantity=7)])
    store(second, connection)
    assert lines(connection) == [(0, 60, 7, 250_000, 1)]


def test_accounts_and_prices_come_back_as_they_were(connection: sqlite3.Connection) -> None:
    ledger = Ledger(connection)
    bare = replace(LINE, model=None, dimensions=(), price=None, usd_nano=None, flags="gap")
    ledger.close([LINE, bare, replace(bare, provider="local")])
    store(ledger, connection)
    found = read_accounts(connection)
    assert found == ledger.accounts.by_id
    assert read_price(connection, PRICE.id) == PRICE
    assert [account.lacks_price for account in found.values()] == [False, True, False]
    assert [account.is_gap for account in found.values()] == [False, True, True]
    assert Ledger(connection).accounts.entry(LINE).account == ledger.accounts.entry(LINE).account


def test_an_amount_that_is_no_measurement_is_cut_and_flagged(connection: sqlite3.Connection) -> None:
    ledger = Ledger(connection)
    ledger.close([replace(LINE, quantity=10**30, start=i * 60, end=i * 60 + 60) for i in range(900)])
    store(ledger, connection)
    (total,) = account_sums(connection, 0, 10**9).values()
    assert total.quantity == 900 * MOST
    assert next(iter(read_accounts(connection).values())).flags == "clamped"


def test_pricing_again_changes_money_and_no_quantity(connection: sqlite3.Connection) -> None:
    ledger = Ledger(connection)
    dearer = replace(PRICE, usd=Decimal(5), source="pricing.toml:9")
    unpriced = replace(LINE, model="new", price=None, usd_nano=None)
    billed = replace(LINE, basis=Basis.BILLED)
    minutes = [replace(each, start=at, end=at + 60) for at in (0, 60, 120) for each in (LINE, unpriced, billed)]
    ledger.close(minutes)
    store(ledger, connection)
    before = account_sums(connection, 0, 1000)
    seen: list[Line] = []

    class Filled(Dearer):
        def outdated(self, resource: str, _dimensions: object, price: Price | None, _ts: float) -> bool:
            return price is None

        def lines(self, lines: Sequence[Line]) -> list[Line]:
            seen.extend(lines)
            return [
                replace(each, usd_nano=each.quantity * 5000, price=dearer) if each.model == "new" else each
                for each in lines
            ]

    with transaction(connection):
        assert reprice(connection, ledger.accounts, Filled(1)) == 3
    assert {line.basis for line in seen} == {Basis.COMPUTED}
    assert all(line.price == PRICE for line in seen if line.model == "gpt-4o")
    after = account_sums(connection, 0, 1000)
    assert sum(each.quantity for each in after.values()) == sum(each.quantity for each in before.values())
    accounts = ledger.accounts.by_id
    found = {
        (accounts[number].model, accounts[number].price, accounts[number].basis): (each.quantity, each.usd_nano)
        for number, each in after.items()
    }
    assert found == {
        ("gpt-4o", PRICE.id, "computed"): (300, 750_000),
        ("gpt-4o", PRICE.id, "billed"): (300, 750_000),
        ("new", dearer.id, "computed"): (300, 1_500_000),
    }


class Odd(Dearer):
    """One that fails at the second minute, or loses what was used."""

    def lines(self, lines: Sequence[Line]) -> list[Line]:
        if lines[0].start and self.factor:
            raise RuntimeError
        return [replace(each, quantity=0) for each in lines] if not self.factor else super().lines(lines)


@pytest.mark.parametrize(("repricing", "error"), [(Odd(2), RuntimeError), (Odd(0), ValueError)])
def test_pricing_again_that_fails_changes_nothing(
    connection: sqlite3.Connection, repricing: Odd, error: type[Exception]
) -> None:
    ledger = Ledger(connection)
    ledger.close([LINE, replace(LINE, start=60, end=120)])
    store(ledger, connection)
    before = lines(connection)
    with pytest.raises(error), transaction(connection):
        reprice(connection, ledger.accounts, repricing)
    assert lines(connection) == before


spans = st.tuples(st.integers(0, 3 * DAY), st.integers(1, 2 * DAY)).map(lambda pair: (pair[0], pair[0] + pair[1]))
minute_spans = st.integers(0, 3 * 1440).map(lambda minute: (minute * 60, minute * 60 + 60))
amounts = st.tuples(st.integers(0, 10**9), st.none() | st.integers(0, 10**9))
some_lines = st.lists(st.tuples(minute_spans | spans, st.integers(1, 3), amounts), max_size=40)


def filled(found: list[tuple[tuple[int, int], int, tuple[int, int | None]]]) -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    rows = {(*span, account): amount for span, account, amount in found}
    connection.executemany("INSERT INTO lines VALUES (?,?,?,?,?,0)", [(*key, *amount) for key, amount in rows.items()])
    return connection


@settings(max_examples=60)
@given(some_lines)
def test_compaction_keeps_every_sum(
    found: list[tuple[tuple[int, int], int, tuple[int, int | None]]],
) -> None:
    connection = filled(found)
    before = account_sums(connection, 0, 10**9)
    priced = connection.execute("SELECT account, sum(quantity) FROM lines WHERE usd_nano IS NULL GROUP BY 1").fetchall()
    rows = connection.execute("SELECT count(*) FROM lines").fetchone()[0]
    while compact(connection, 500.0 * DAY):
        pass
    assert account_sums(connection, 0, 10**9) == before
    assert (
        connection.execute("SELECT account, sum(quantity) FROM lines WHERE usd_nano IS NULL GROUP BY 1").fetchall()
        == priced
    )
    assert connection.execute("SELECT count(*) FROM lines").fetchone()[0] <= rows
    connection.close()


def test_minutes_become_hours_after_35_days_and_days_after_400(connection: sqlite3.Connection) -> None:
    rows = [(minute * 60, minute * 60 + 60, 1, 1, 2, 0) for minute in range(2 * 1440)]
    with transaction(connection):
        connection.executemany("INSERT INTO lines VALUES (?,?,?,?,?,?)", rows)
    widths = "SELECT until - start, count(*), sum(quantity), sum(usd_nano) FROM lines GROUP BY 1"
    compact(connection, 35.0 * DAY)
    assert connection.execute(widths).fetchall() == [(60, 2880, 2880, 5760)]
    while compact(connection, 36.0 * DAY):
        pass
    assert connection.execute(widths).fetchall() == [(60, 1440, 1440, 2880), (HOUR, 24, 1440, 2880)]
    while compact(connection, 402.0 * DAY):
        pass
    assert connection.execute(widths).fetchall() == [(DAY, 2, 2880, 5760)]


@settings(max_examples=60)
@given(some_lines, st.lists(st.integers(0, 5 * 1440), max_size=5))
def test_neighbouring_spans_sum_to_the_whole(
    found: list[tuple[tuple[int, int], int, tuple[int, int | None]]], cuts: list[int]
) -> None:
    connection = filled(found)
    whole = account_sums(connection, 0, 10**7)
    edges = [0, *sorted(minute * 60 for minute in cuts), 10**7]
    for account, each in whole.items():
        parts = [account_sums(connection, a, b).get(account) for a, b in pairwise(edges)]
        assert sum(part.quantity for part in parts if part) == each.quantity
        assert sum(part.usd_nano or 0 for part in parts if part) == (each.usd_nano or 0)
    connection.close()


def test_a_wide_line_counts_with_its_share_and_a_minute_with_its_start() -> None:
    hour = Entry(3600, 7200, 1, 1000, 60)
    assert share_of(hour, 5400, 9000) == (500, 30, True)
    assert share_of(hour, 0, 3600) is None
    assert share_of(hour, 0, 7200) == (1000, 60, False)
    minute = Entry(3600, 3660, 1, 1000, 60)
    assert share_of(minute, 3600, 3610) == (1000, 60, False)
    assert share_of(minute, 3610, 7200) is None
