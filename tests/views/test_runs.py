"""Runs: the sum of what names them, and what is usual of one."""

from __future__ import annotations

import json
import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.commands.runs_forms import as_json, as_table
from infertop.history.statements import statements_told
from infertop.money.price_history import PriceHistory
from infertop.money.rates import PriceBook
from infertop.money.settings import Settings
from infertop.money.statement_lines import statement_lines
from infertop.readings.model import Statement
from infertop.views.run_shapes import RunsPage, Spread
from infertop.views.runs import MOST_ROWS, runs_of, runs_page, spread
from tests.history.stating import DAY, LISTED, MONDAY, UNLISTED, Books, model, say

PRICES = Settings(models=(model(LISTED, 3, input="2.50", output="10"),))


def told(run: str, minute: int, tokens: int = 1000, **more: object) -> Statement:
    dimensions = {"session": run, "project": "/repo", "agent": "claude-code", "request": str(random.random())}
    more = {"dimensions": dimensions, "requests": 1} | more
    return say(MONDAY + 60 * minute, 0, {"input": tokens}, key=f"{run} {minute} {tokens}", **more)  # type: ignore[arg-type]


def page(*statements: Statement) -> RunsPage:
    history = PriceHistory(PriceBook(PRICES))
    return runs_of(statements, lambda each: statement_lines(each, history), MONDAY, MONDAY, MONDAY + DAY)


def test_a_run_has_what_its_requests_took_and_the_dearest_comes_first() -> None:
    made = page(told("a", 0), told("b", 1, 5000), told("b", 900, 1000), told("b", 2, 9, model=UNLISTED))
    assert [(row.run, row.requests, row.usd, row.unpriced_tokens) for row in made.rows] == [
        ("b", 3, 0.015, 9),
        ("a", 1, 0.0025, 0),
    ]
    first = made.rows[0]
    assert (first.start, first.end) == (MONDAY + 60, MONDAY + 54_000)
    assert (first.models, first.project, first.agent) == ((LISTED, UNLISTED), "/repo", "claude-code")
    assert (made.runs, made.usd) == (2, pytest.approx(0.0175))
    assert (made.usd_per_run.median, made.usd_per_run.p95) == (pytest.approx(0.00875), 0.015)
    assert (made.requests_per_run, made.tokens_per_run) == (Spread(2.0, 3.0, 2), Spread(3504.5, 6009.0, 2))


def test_without_a_price_the_cost_of_a_run_is_unknown_and_not_0() -> None:
    made = page(told("a", 0, model=UNLISTED))
    assert (made.rows[0].usd, made.usd, made.usd_per_run) == (None, None, Spread())
    assert made.rows[0].unpriced_tokens == 1000


def test_a_cost_that_a_log_states_is_taken_and_its_tokens_are_not_unpriced() -> None:
    made = page(told("a", 0, model=UNLISTED, usd_nano=5 * 10**9), told("a", 1, model=UNLISTED, usd_nano=10**9))
    assert (made.rows[0].usd, made.rows[0].unpriced_tokens) == (6.0, 0)


def test_requests_that_name_no_run_are_counted_beside() -> None:
    assert page(told("a", 0), told("x", 0, dimensions={"key": "k"})).requests_without == 1


def test_trace_ids_are_runs_too() -> None:
    assert [row.run for row in page(told("x", 0, dimensions={"trace_id": "t1"})).rows] == ["t1"]


def test_what_only_attributes_is_in_no_total_and_says_so() -> None:
    history = PriceHistory(PriceBook(PRICES))
    statements = [told("a", 0), replace(told("b", 0), source="litellm")]
    made = runs_of(statements, lambda s: statement_lines(s, history), 0, 0, 1, lambda source, *_: source != "litellm")
    assert {row.run: row.counts for row in made.rows} == {"a": True, "b": False}
    assert made.usd == 0.0025


def test_of_very_many_runs_the_dearest_are_listed_and_all_are_counted() -> None:
    made = page(*(told(f"run-{number}", 0, number + 1) for number in range(MOST_ROWS + 50)))
    assert (len(made.rows), made.runs) == (MOST_ROWS, MOST_ROWS + 50)
    assert made.rows[0].run == f"run-{MOST_ROWS + 49}"


def test_the_95th_percentile_is_a_value_that_was_there() -> None:
    assert spread([float(each) for each in range(1, 101)]) == Spread(50.5, 95.0, 100)
    assert spread([7.0]) == Spread(7.0, 7.0, 1)
    assert spread([]) == Spread()


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 200), st.integers(0, 10**6)), min_size=1, unique=True))
def test_the_runs_sum_to_the_ledger_to_the_last_unit(said: list[tuple[str, int, int]]) -> None:
    books = Books(PRICES)
    statements = [told(run, minute, tokens * 400) for run, minute, tokens in said]  # whole prices, so no rounding
    books.hear(statements, ())
    made = runs_page(books.connection, books.deriver.prices, MONDAY, MONDAY, MONDAY + DAY)
    ledger = sum(row[8] or 0 for row in books.lines())
    assert sum(round((row.usd or 0) * 1e9) for row in made.rows) == ledger
    assert len(list(statements_told(books.connection, MONDAY, MONDAY + DAY))) == len(statements)


def test_a_median_says_of_how_many_runs_it_is() -> None:
    made = page(told("a", 0), told("b", 1, 5000), *(told(f"c{n}", n, model=UNLISTED) for n in range(10)))
    assert (made.runs, made.usd_per_run.of, made.tokens_per_run.of) == (12, 2, 12)
    usual = {line.split()[0]: line.split()[-1] for line in as_table(made, 20).splitlines()[3:6]}
    assert usual == {"usd": "2", "calls": "12", "tokens": "12"}
    assert json.loads(as_json(made, 20))["usd_per_run"]["runs"] == 2


def test_a_model_of_blanks_is_shown_in_quotes() -> None:
    row = as_table(page(told("a", 0, model=" ")), 20).splitlines()[8]
    assert '"' + " " + '"' in row
