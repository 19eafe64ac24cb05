"""The ledger is what the statements that stand give, whatever was said before them."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.history.accounts import read_accounts
from infertop.history.open import open_store
from infertop.history.report import report, totals
from infertop.history.scopes import Scopes
from infertop.history.stated import rebook
from infertop.history.statements import statements_between
from infertop.history.summarise import Summariser
from infertop.history.summary import Summary
from infertop.history.tape_writer import TapeWriter
from infertop.history.writer import Writer
from infertop.money.rates import PriceBook
from infertop.money.settings import Settings
from infertop.readings.model import Batch, Covered, Series, Statement
from tests.history.stating import DAY, LISTED, MONDAY, UNLISTED, Books, model, pages, say
from tests.history.test_summary import SETTINGS
from tests.history.world import START, deriver, ledger, polls

FRACTIONAL = Settings(models=(model("*", 3, input="0.0375", cache_read="0.00123", output="1.0000005"),))


def standing(books: Books) -> list[Statement]:
    return list(statements_between(books.connection, "openai", 0, 1e12))


def usd(books: Books) -> int:
    return sum(row[8] or 0 for row in books.lines())


@settings(deadline=None, max_examples=60)
@given(pages(), st.sampled_from([Settings(), FRACTIONAL]), st.randoms(use_true_random=False))
def test_the_ledger_is_that_of_the_statements_that_stand_in_any_order(
    said: Sequence[Sequence[Statement]], prices: Settings, chance: random.Random
) -> None:
    heard = Books(prices)
    for page in said:
        heard.hear(page)
    alone = Books(prices)
    last = standing(heard)
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
    assert books.hear(standing(books)) == ([], [])
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


def test_pages_that_waited_for_the_disk_replace_each_other_as_they_came() -> None:
    books = Books()
    tape = TapeWriter(books.connection, memory_rows=1)
    series = (Series.of("running", model="m"), Series.of("waiting", model="m"))
    hour = (say(MONDAY, 3600, {"input": 100}),)
    minutes = tuple(say(MONDAY + at, 1800, {"input": 40}) for at in (0, 1800))
    for i, page in enumerate((hour, minutes)):
        tape.add(Batch("openai", MONDAY + 4000.0 + i, series, (float(i), float(i)), statements=page))
    assert tape.torn
    touched = tape.write(books.connection)
    rebook(books.connection, books.ledger.accounts, books.deriver.statement_lines, touched)
    books.ledger.write(books.connection)
    assert [row[7] for row in books.lines()] == [40, 40]


def test_a_page_that_adds_replaces_nothing_but_its_own_keys() -> None:
    books = Books()
    books.hear([say(MONDAY, 60, {"input": 1}, key="a"), say(MONDAY, 60, {"input": 10}, key="b")], ())
    books.hear([say(MONDAY, 60, {"input": 100}, key="c"), say(MONDAY, 60, {"input": 2}, key="a")], ())
    assert sorted(each.quantities["input"] for each in standing(books)) == [2, 10, 100]
    assert sum(row[7] for row in books.lines()) == 112


def test_a_page_that_found_nothing_in_its_span_leaves_nothing_there() -> None:
    books = Books()
    books.hear([say(MONDAY, 3600, {"input": 1}), say(MONDAY + 3600, 3600, {"input": 2})])
    books.hear([], (Covered(MONDAY, MONDAY + 3600),))
    assert [each.quantities["input"] for each in standing(books)] == [2]
    assert [row[7] for row in books.lines()] == [2]


def test_a_page_of_one_scope_leaves_what_others_said() -> None:
    books = Books()
    one, other = (
        replace(say(MONDAY, 3600, {"input": n}), key=f"{scope}|x") for n, scope in enumerate(("chat", "embed"))
    )
    books.hear([one], (Covered(MONDAY, MONDAY + 3600, "chat|"),))
    books.hear([other], (Covered(MONDAY, MONDAY + 3600, "embed|"),))
    books.hear([], (Covered(MONDAY, MONDAY + 7200, "chat|"),))
    assert [each.key for each in standing(books)] == ["embed|x"]


def test_minutes_take_the_place_of_the_hour_that_they_are_in() -> None:
    books = Books()
    books.hear([say(MONDAY, 3600, {"input": 600})], (Covered(MONDAY, MONDAY + 3600),))
    minutes = [say(MONDAY + 60 * i, 60, {"input": 10}) for i in range(60)]
    books.hear(minutes, (Covered(MONDAY, MONDAY + 3600),))
    assert len(books.lines()) == 60
    books.hear([say(MONDAY, 3600, {"input": 601})], (Covered(MONDAY, MONDAY + 3600),))
    assert [row[7] for row in books.lines()] == [601]


def ranked(key: str, start: float, tokens: int, rank: int, **more: Any) -> Statement:
    """What a log says of one request, once or again."""
    return replace(say(start, 0, {"output": tokens}, **more), key=key, rank=rank)


def test_of_what_a_log_says_twice_the_higher_rank_stands_whichever_comes_first() -> None:
    parent, replay = ranked("m1", MONDAY, 159, 2), ranked("m1", MONDAY + 70, 9000, 1)
    for order in ([parent, replay], [replay, parent]):
        books = Books()
        for each in order:
            books.hear([each], ())
        assert [(start, quantity) for start, *_, quantity, _, _, _, _, _ in books.lines()] == [(MONDAY, 159)]


@given(
    st.permutations([("m1", 30, 5, 2), ("m1", 0, 5, 2), ("m1", 90, 4, 1), ("m2", 60, 7, 1), ("m2", 60, 7, 1)]),
    st.data(),
)
def test_what_a_log_says_in_any_order_and_in_any_pieces_gives_the_same_ledger(
    said: list[tuple[str, int, int, int]], data: st.DataObject
) -> None:
    whole, pieces = Books(), Books()
    statements = [ranked(key, MONDAY + at, tokens, rank) for key, at, tokens, rank in said]
    whole.hear(sorted(statements, key=repr), ())
    while statements:
        count = data.draw(st.integers(1, len(statements)))
        pieces.hear(statements[:count], ())
        statements = statements[count:]
    assert pieces.lines() == whole.lines()
    assert pieces.statements() == whole.statements()


def test_without_a_rank_what_is_said_last_stands() -> None:
    books = Books()
    books.hear([ranked("m1", MONDAY, 159, 0)], ())
    books.hear([ranked("m1", MONDAY + 300, 10, 0)], ())
    assert [(start, quantity) for start, *_, quantity, _, _, _, _, _ in books.lines()] == [(MONDAY + 300, 10)]
