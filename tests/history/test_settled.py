"""A provider's day is settled once its bills are final, and again whenever usage, bills or prices change."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.history.accounts import Accounts, read_accounts
from infertop.history.bills import BillDay, bill_days
from infertop.history.open import open_store
from infertop.history.report import report
from infertop.history.scopes import Scopes
from infertop.history.settled import settlement
from infertop.history.summarise import Summariser
from infertop.history.summary import Summary
from infertop.history.writer import Writer
from infertop.money.rates import PriceBook
from infertop.money.settings import Settings
from infertop.money.settlement import Settlement
from infertop.readings.account import Account, Bill, BillPage
from infertop.readings.model import Batch, Covered, Statement
from tests.history.stating import DAY, LISTED, MONDAY, model, say
from tests.history.test_summary import SETTINGS
from tests.history.world import deriver, ledger

SETTLES = DAY
LATER = MONDAY + DAY + SETTLES + 120.0
SCOPES = Scopes(SETTINGS)


class Books:
    """A writer that hears a provider."""

    def __init__(self, path: Path, ts: float) -> None:
        self.path = path
        self.writer = Writer(open_store(path, ts), deriver(), ts, scopes=SCOPES)

    def usage(self, ts: float, *page: Statement, hours: int = 24) -> Summary:
        """Say all of Monday's usage."""
        covered = (Covered(MONDAY, MONDAY + hours * 3600),)
        return self.writer.tick([Batch("openai", ts, (), (), statements=page, covered=covered)], ts)

    def bills(self, ts: float, *bills: Bill) -> Summary:
        """Say all of Monday's bills."""
        page = BillPage("openai", MONDAY, MONDAY + DAY, bills, SETTLES)
        return self.writer.tick([Batch("openai", ts, (), (), account=Account(bills=(page,)))], ts)

    def usd(self) -> tuple[int, int]:
        """What Monday cost in 1e-9 USD: all of it, and the adjustments in it."""
        rows = [row for row in ledger(self.path) if MONDAY <= row[0] < MONDAY + DAY]
        return sum(row[8] or 0 for row in rows), sum(row[8] for row in rows if row[5] == "adjustment")


def bill(usd_nano: int, name: str | None = LISTED, resource: str | None = None) -> Bill:
    return Bill(MONDAY, MONDAY + DAY, "openai", name, resource, {}, usd_nano)


def hour(at: int, tokens: int) -> Statement:
    return say(MONDAY + at * 3600, 3600, {"input": tokens})


@pytest.fixture
def books(tmp_path: Path) -> Books:
    return Books(tmp_path / "x.db", MONDAY + DAY + 100.0)


def test_a_day_is_settled_when_its_bills_are_final_and_not_before(books: Books) -> None:
    books.usage(MONDAY + DAY + 200.0, hour(1, 1_000_000), hour(2, 3_000_000))
    books.bills(MONDAY + DAY + 300.0, bill(11_000_000_000))
    assert books.usd() == (10_000_000_000, 0)
    books.writer.tick((), MONDAY + DAY + SETTLES - 60.0)
    assert books.usd() == (10_000_000_000, 0)
    books.writer.tick((), LATER)
    assert books.usd() == (11_000_000_000, 1_000_000_000)
    adjusted = [(row[0] - MONDAY, row[8]) for row in ledger(books.path) if row[5] == "adjustment"]
    assert adjusted == [(3600, 250_000_000), (7200, 750_000_000)]
    assert [row[7] for row in ledger(books.path) if row[5] == "input"] == [1_000_000, 3_000_000]


def test_late_usage_late_bills_and_other_prices_settle_the_day_again(books: Books) -> None:
    books.usage(LATER, hour(1, 1_000_000))
    books.bills(LATER + 1, bill(3_000_000_000))
    assert books.usd() == (3_000_000_000, 500_000_000)
    books.usage(LATER + 2, hour(1, 1_000_000), hour(5, 1_000_000))
    assert books.usd() == (3_000_000_000, -2_000_000_000)
    books.bills(LATER + 3, bill(4_000_000_000))
    assert books.usd() == (4_000_000_000, -1_000_000_000)
    from datetime import date

    prices = PriceBook(Settings(models=(model(LISTED, 3, since=date(2026, 7, 1), input="1"),)))
    books.writer.set_prices(prices, {}, LATER + 4)
    books.writer.tick((), LATER + 4)
    assert books.usd() == (4_000_000_000, 2_000_000_000)


def test_the_same_bills_again_settle_nothing_again(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    books.usage(LATER, hour(1, 1000))
    books.bills(LATER, bill(5000), bill(70, None))
    settled: list[BillDay] = []

    def counted(connection: sqlite3.Connection, accounts: Accounts, day: BillDay) -> Settlement:
        settled.append(day)
        return settlement(connection, accounts, day)

    monkeypatch.setattr("infertop.history.settled.settlement", counted)
    before = books.usd()
    books.bills(LATER + 60, bill(70, None), bill(5000))
    assert settled == []
    books.bills(LATER + 120, bill(70, None), bill(5001))
    assert len(settled) == 1
    assert books.usd() == (before[0] + 1, before[1] + 1)


def test_a_bill_for_what_was_never_counted_stands_alone_until_its_usage_is_told(books: Books) -> None:
    books.bills(LATER, bill(5_000_000_000))
    assert books.usd() == (5_000_000_000, 5_000_000_000)
    assert [row[4] for row in ledger(books.path)] == [None]
    books.usage(LATER + 1, hour(3, 1_000_000))
    assert books.usd() == (5_000_000_000, 2_500_000_000)
    assert {row[4] for row in ledger(books.path)} == {LISTED}


def test_a_page_without_bills_takes_back_what_was_billed(books: Books) -> None:
    books.usage(LATER, hour(1, 1_000_000))
    books.bills(LATER + 1, bill(3_000_000_000))
    books.bills(LATER + 2)
    assert books.usd()[0] == 2_500_000_000


def test_settled_days_are_the_same_after_a_restart_and_in_the_report(books: Books) -> None:
    books.usage(LATER, hour(1, 1_000_000))
    books.bills(LATER + 1, bill(3_000_000_000), bill(7, "o3"))
    before = ledger(books.path)
    books.writer.finish(LATER + 2)
    again = Books(books.path, LATER + 10)
    again.writer.tick((), LATER + 11)
    assert ledger(books.path) == before
    with closing(sqlite3.connect(books.path)) as connection:
        rows = report(connection, ("model",), MONDAY, MONDAY + DAY).rows
    assert [(row.keys["model"], row.tokens, row.usd_nano) for row in rows] == [
        (LISTED, {"input": 1_000_000}, 3_000_000_000),
        (None, {}, 7),
    ]


def test_drift_is_told_before_and_after_the_day_is_settled(books: Books) -> None:
    books.usage(MONDAY + DAY + 200.0, hour(1, 1_000_000))
    books.bills(MONDAY + DAY + 300.0, bill(3_000_000_000), bill(20, None))
    found = []
    for ts in (MONDAY + DAY + 400.0, LATER):
        books.writer.tick((), ts)
        with closing(sqlite3.connect(books.path)) as connection:
            (day,) = bill_days(connection, MONDAY, MONDAY + DAY)
            found.append(settlement(connection, Accounts(connection), day).drifts)
    assert found[0] == found[1]
    assert [(each.billed_nano, each.computed_nano, each.unmatched) for each in found[0]] == [
        (3_000_000_000, 2_500_000_000, False),
        (20, 0, True),
    ]


steps = st.lists(
    st.one_of(
        st.tuples(st.just("usage"), st.lists(st.tuples(st.integers(0, 23), st.integers(0, 10**7)), max_size=4)),
        st.tuples(st.just("bills"), st.lists(st.integers(0, 10**10), max_size=3)),
        st.tuples(st.just("wait"), st.integers(1, 50_000)),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=40)
@given(steps)
def test_any_order_of_usage_bills_and_waiting_ends_in_the_bill(
    tmp_path_factory: pytest.TempPathFactory, said: Sequence[tuple[str, object]]
) -> None:
    books = Books(tmp_path_factory.mktemp("books") / "x.db", MONDAY + DAY + 100.0)
    now, billed, summary = MONDAY + DAY + 200.0, None, Summary()
    usage: dict[int, int] = {}
    for what, content in [*said, ("wait", SETTLES)]:
        now += 10
        if what == "wait":
            now += content  # type: ignore[operator]
            summary = books.writer.tick((), now)
        elif what == "usage":
            usage = dict(content)  # type: ignore[call-overload]
            summary = books.usage(now, *(hour(at, tokens) for at, tokens in usage.items()))
        else:
            billed = sum(content) if content else None  # type: ignore[call-overload]
            summary = books.bills(now, *(bill(each) for each in content))  # type: ignore[attr-defined]
    computed = sum(tokens * 2500 for tokens in usage.values())
    assert books.usd()[0] == (computed if billed is None else billed)
    with closing(sqlite3.connect(books.path)) as connection:
        fresh = Summariser(read_accounts(connection), SCOPES)
        fresh.load(connection, summary.ts, summary.closed)
        told = fresh.summary(summary.ts, (), {})
    assert (summary.today, summary.month_usd_nano) == (told.today, told.month_usd_nano)
