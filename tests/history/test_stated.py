"""The ledger is what the statements that stand give, whatever was said before them."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.history.accounts import read_accounts
from infertop.history.open import open_store
from infertop.history.report import report
from infertop.history.scopes import Scopes
from infertop.history.summarise import Summariser
from infertop.history.summary import Summary
from infertop.history.writer import Writer
from infertop.money.rates import PriceBook
from infertop.money.settings import Settings
from infertop.readings.model import Batch, Statement
from tests.history.stating import DAY, LISTED, MONDAY, UNLISTED, Books, model, pages, say
from tests.history.test_summary import SETTINGS
from tests.history.world import START, deriver, ledger, polls, totals

FRACTIONAL = Settings(models=(model("*", 3, input="0.0375", cache_read="0.00123", output="1.0000005"),))


@settings(deadline=None, max_examples=60)
@given(pages(), st.sampled_from([Settings(), FRACTIONAL]), st.randoms(use_true_random=False))
def test_the_ledger_is_that_of_the_statements_that_stand_in_any_order(
    said: Sequence[Sequence[Statement]], prices: Settings, chance: random.Random
) -> None:
    heard = Books(prices)
    for page in said:
        heard.hear(page)
    alone = Books(prices)
    last = heard.standing()
    chance.shuffle(last)
    alone.hear(last)
    assert alone.lines() == heard.lines()
    wanted = sum(sum(each.quantities.values()) + (each.requests or 0) for each in last)
    assert sum(row[7] for row in heard.lines()) == wanted


@settings(deadline=None, max_examples=40)
@given(pages(), pages(), st.sampled_from([36, 37, 402]))
def test_what_is_said_late_goes_into_the_spans_that_were_put_together(
    early: Sequence[Sequence[Statement]], late: Sequence[Sequence[Statement]], days: int
) -> None:
    books, alone = Books(FRACTIONAL), Books(FRACTIONAL)
    for page in early:
        books.hear(page)
        alone.hear(page)
    books.compact(MONDAY + days * DAY)
    for page in late:
        books.hear(page)
        alone.hear(page)
    for each in (books, alone):
        each.compact(MONDAY + days * DAY)
    assert books.lines() == alone.lines()


@settings(deadline=None, max_examples=30)
@given(pages())
def test_what_is_stored_gives_the_same_lines_when_it_is_read_again(said: Sequence[Sequence[Statement]]) -> None:
    books = Books(FRACTIONAL)
    for page in said:
        books.hear(page)
    before = books.lines()
    books.reopen()
    assert books.lines() == before
    assert books.hear(books.standing()) == ([], [])
    assert books.lines() == before


def test_statements_within_one_minute_are_summed_and_each_is_rounded_for_itself() -> None:
    books = Books(Settings(models=(model("*", 3, input="0.0015"),)))
    for key in "abc":
        books.hear([say(MONDAY + 10, 0, {"input": 1}, key=key, source=key)])
    one = [replace(say(MONDAY + at, 0.5, {"input": 1}), key=str(at)) for at in range(3)]
    books.hear(one)
    assert [row[7:9] for row in books.lines()] == [(1, 2), (1, 2), (1, 2), (3, 6)]


def test_a_statement_that_moves_leaves_nothing_behind() -> None:
    books = Books()
    early = say(MONDAY, 60, {"input": 10})
    books.hear([early])
    books.hear([replace(early, start=MONDAY + 7200.0, end=MONDAY + 7260.0)])
    assert [row[0] for row in books.lines()] == [MONDAY + 7200]


def test_a_record_without_a_time_is_left_out_and_harms_nothing() -> None:
    books = Books()
    books.hear([replace(say(0, 60, {"input": 1}), start=float("nan"))])
    books.hear([replace(say(MONDAY, 60, {"input": 10**30}), usd_nano=10**40)])
    assert books.lines()[0][11] == "clamped"


def test_lines_of_meters_are_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    to = Writer(open_store(path, MONDAY), deriver(), MONDAY)
    for second in range(130):
        to.tick(polls(second), START + second + 0.9)
    before = ledger(path)
    page = (say(START, 3600, {"input": 5}, source="vllm@127.0.0.1:8000"),)
    to.tick([Batch("vllm@127.0.0.1:8000", START + 131.0, (), (), statements=page)], START + 131.0)
    now = ledger(path)
    assert [row for row in now if row[10] != "computed" and row[12] == 0] == [row for row in before if row[12] == 0]
    assert [row[7] for row in now if row[10] == "computed"] == [5]
    to.finish(START + 132)


def test_every_sum_follows_what_is_said_anew(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    scopes = Scopes(SETTINGS)
    now = MONDAY + DAY - 5000.0
    to = Writer(open_store(path, now), deriver(), now, scopes=scopes)
    chance = random.Random(3)
    for turn in range(60):
        now += 97
        width = chance.choice([60, 3600])
        first = now // width * width - width * chance.randint(0, 3)
        names = chance.sample([LISTED, UNLISTED, "llama-x"], chance.randint(1, 3))
        page = [
            say(first + at * width, width, {"input": chance.randint(0, 10**7), "output": 5}, model=name, requests=turn)
            for at in range(2)
            for name in names
        ]
        summary = to.tick([Batch("openai", now, (), (), statements=tuple(page))], now)
        assert _sums(summary) == _sums(_loaded(path, summary, scopes))
    last = to.finish(now + 1)
    assert last.today_usd_nano
    assert any(each.unpriced_tokens for each in last.today.values())


def _loaded(path: Path, like: Summary, scopes: Scopes) -> Summary:
    """The sums as the database has them."""
    with closing(sqlite3.connect(path)) as connection:
        fresh = Summariser(read_accounts(connection), scopes)
        fresh.load(connection, like.ts, like.closed)
        return fresh.summary(like.ts, (), {})


def _sums(of: Summary) -> tuple[object, ...]:
    return dict(of.today), of.today_usd_nano, of.month_usd_nano, of.minutes, of.budgets


def test_a_restart_goes_on_with_the_same_prices(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    now = MONDAY + 4000.0
    first = Settings(models=(model(UNLISTED, 3, input="1"),))
    to = Writer(open_store(path, now), deriver(), now)
    to.set_prices(PriceBook(first), {}, now)
    to.tick([Batch("openai", now, (), (), statements=(say(MONDAY, 3600, {"input": 10}, model=UNLISTED),))], now)
    to.finish(now)
    again = Writer(open_store(path, now + 100), deriver(), now + 100)
    again.set_prices(PriceBook(Settings(models=(model(UNLISTED, 3, input="2"),))), {}, now + 100)
    late = (say(MONDAY, 3600, {"input": 20}, model=UNLISTED), say(MONDAY + 3600, 60, {"input": 1}, model=UNLISTED))
    again.tick([Batch("openai", now + 101, (), (), statements=late)], now + 101)
    after = say(MONDAY + 7200, 60, {"input": 1}, model=UNLISTED)
    again.tick([Batch("openai", now + 5000, (), (), statements=(after,))], now + 5000)
    again.finish(now + 5001)
    assert [row[7:9] for row in ledger(path)] == [(20, 20_000), (1, 1_000), (1, 2_000)]


def test_a_report_counts_what_has_no_price_and_never_what_is_billed(tmp_path: Path) -> None:
    books = Books()
    books.hear(
        [
            say(MONDAY, 60, {"input": 10, "output": 4}, model=UNLISTED),
            say(MONDAY, 60, {"input": 100}, model="theirs", usd_nano=7, basis="billed"),
            say(MONDAY, 60, {"input": 1000}, model="mine", provider="local"),
            say(MONDAY, 60, {"input": 4}),
        ]
    )
    found = report(books.connection, ["model"], MONDAY, MONDAY + 60)
    rows = {row.keys["model"]: (row.usd_nano, row.unpriced_tokens, row.tokens) for row in found.rows}
    assert rows == {
        LISTED: (10_000, 0, {"input": 4}),
        UNLISTED: (None, 14, {"input": 10, "output": 4}),
        "theirs": (7, 0, {"input": 100}),
        "mine": (None, 0, {"input": 1000}),
    }
    assert totals(books.connection, MONDAY)["openai", UNLISTED].unpriced_tokens == 14


@pytest.mark.parametrize("basis", ["computed", "estimated", "billed"])
def test_what_somebody_else_priced_is_never_priced_again(basis: str) -> None:
    books = Books()
    own = {"usd_nano": 7, "basis": basis, "requests": 1}
    books.hear([say(MONDAY, 60, {"input": 4}, model=name, **own) for name in (LISTED, UNLISTED)])
    before = books.lines()
    books.edit(Settings(models=(model(UNLISTED, 4, input="3"), model(LISTED, 6, date(2026, 7, 1), input="9"))), MONDAY)
    assert books.lines() == before
    (row,) = report(books.connection, [], MONDAY, MONDAY + 60).rows
    assert (row.usd_nano, row.unpriced_tokens, row.requests) == (14, 0, 2)


def test_tokens_of_a_server_of_ones_own_lack_no_price_also_where_a_gateway_tells_of_them() -> None:
    books = Books()
    books.hear([say(MONDAY, 60, {"input": 4}, provider="hosted_vllm", model=UNLISTED)])
    (row,) = report(books.connection, [], MONDAY, MONDAY + 60).rows
    assert (row.usd_nano, row.unpriced_tokens, row.tokens) == (None, 0, {"input": 4})
