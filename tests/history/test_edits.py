"""An edit of pricing.toml changes the prices that it should, no other and no quantity: held against a slow model."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.settings import HourlyRate, Settings
from tests.history.edited import dated_entry, edits, entry, files, priced, run, uses
from tests.history.price_model import HOUR, OWNED, Entry, File, Model
from tests.history.stating import DAY, MONDAY


@settings(deadline=None, max_examples=150)
@given(files(entry), edits, uses)
def test_every_price_is_that_of_the_slow_model(
    first: File, later: list[tuple[int, File]], used: list[tuple[str, int, int]]
) -> None:
    models: dict[tuple[str, int], Model] = {}
    past: list[tuple[float, File]] = []

    def watch(what: str, one: Any, two: Any) -> None:
        if what == "edit":
            past.append((one, two))
            for each in models.values():
                each.edit(one, two)
            return
        made = models[one, two] = Model(one, two)
        made.files = list(past)
        made.use()

    books = run(first, later, used, watch)
    assert priced(books) == {key: each.cost[0] for key, each in models.items() if each.cost}
    before = books.lines()
    books.edit(books.deriver.prices.settings, MONDAY + 100 * HOUR)
    assert books.lines() == before
    books.reopen()
    assert books.lines() == before


@settings(deadline=None, max_examples=80)
@given(files(entry), files(dated_entry), files(dated_entry), uses, st.integers(0, 40), st.integers(0, 40))
def test_with_dates_the_last_edit_alone_decides(
    base: File, one: File, two: File, used: list[tuple[str, int, int]], at: int, after: int
) -> None:
    undated = tuple(each for each in base.entries if not each[1].day)
    kinds = {kind for kind, _ in undated if kind in ("host", "energy")}
    base = File(undated)
    one, two = (File((*undated, *(e for e in f.entries if e[0] not in kinds)), "UTC") for f in (one, two))
    both = run(base, [(at, one), (at + after + 1, two)], used, lambda *_: None)
    alone = run(base, [(at + after + 1, two)], used, lambda *_: None)
    assert both.lines() == alone.lines()


@settings(deadline=None, max_examples=60)
@given(files(entry), edits, uses, st.sampled_from([36, 37, 402]))
def test_what_is_put_together_keeps_its_prices_and_its_quantities(
    first: File, later: list[tuple[int, File]], used: list[tuple[str, int, int]], days: int
) -> None:
    books = run(first, later, used, lambda *_: None)
    books.compact(MONDAY + days * DAY)
    before = books.lines()
    books.edit(books.deriver.prices.settings, MONDAY + days * DAY)
    books.reopen()
    assert books.lines() == before
    sums = "SELECT a.resource, sum(quantity) FROM lines JOIN accounts a ON a.id = account GROUP BY 1"
    quantities = books.connection.execute(sums).fetchall()
    books.edit(
        Settings(gpus=(HourlyRate("H100", "x:1", Decimal(7), since=date(2026, 7, 7)), OWNED)), MONDAY + days * DAY
    )
    assert books.connection.execute(sums).fetchall() == quantities


def test_of_two_files_loaded_within_one_second_the_last_holds_for_what_is_used_after_it() -> None:
    undated = File((("listed", Entry(1)),))
    later = [(1, undated), (2, File()), (2, undated)]
    books = run(File(), later, [("listed", 1, 0), ("listed", 2, 0)], lambda *_: None)
    before = books.lines()
    assert [row[8] for row in before] == [1_234_567_000] * 2
    for said in (Settings(), undated.settings()):
        books.edit(said, MONDAY + 100 * HOUR)
        assert books.lines() == before


def test_what_was_used_after_an_edit_keeps_its_price_also_within_an_hour_that_began_before_it() -> None:
    undated = File((("listed", Entry(1)),))
    books = run(File(), [(1, undated)], [("listed", 1, 0)], lambda *_: None)
    books.compact(MONDAY + 36 * DAY)
    before = books.lines()
    assert [row[8] for row in before] == [1_234_567_000]
    books.reopen()
    assert books.lines() == before
