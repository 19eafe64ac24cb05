"""Hours and other wide spans as minutes: their shares sum to what was told, and say that they are means."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.history.spread import spread_sums
from infertop.history.totals import minutes_of
from tests.history.stating import MONDAY, Books, pages, say


@settings(max_examples=40)
@given(pages(), st.integers(0, 300), st.integers(1, 300))
def test_the_minutes_of_wide_spans_sum_to_their_lines(said: list, first: int, width: int) -> None:
    books = Books()
    for page in said:
        books.hear(page)
    accounts = books.ledger.accounts.by_id
    everything = spread_sums(books.connection, accounts, 0, MONDAY + 86_400)
    sums: dict[str, list[int]] = {}
    for each in everything.values():
        for number, amount in each.items():
            of = sums.setdefault(accounts[number].resource, [0, 0])
            of[0] += amount.quantity
            of[1] += amount.usd_nano or 0
    wide = [row for row in books.lines() if row[1] - row[0] > 60]
    assert sums.keys() == {row[5] for row in wide}
    for resource, (quantity, usd) in sums.items():
        mine = [row for row in wide if row[5] == resource]
        assert quantity == sum(row[7] for row in mine)
        assert usd == sum(row[8] or 0 for row in mine)
    since = MONDAY + first * 60
    part = spread_sums(books.connection, accounts, since, since + width * 60)
    whole = {start: each for start, each in everything.items() if since <= start < since + width * 60}
    totals = [minutes_of((), accounts, {}, lambda _account: True, some) for some in (part, whole)]
    assert totals[0] == totals[1]


def test_a_minute_says_which_of_it_is_a_mean() -> None:
    books = Books()
    books.hear([say(MONDAY, 3600, {"input": 600_000}), say(MONDAY + 3600, 60, {"input": 9}, model="acme-1")])
    accounts = books.ledger.accounts.by_id
    spread = spread_sums(books.connection, accounts, MONDAY, MONDAY + 7200)
    found = minutes_of((), accounts, {}, lambda _account: True, spread)
    assert len(found) == 60
    first = found[MONDAY]
    assert first.totals["openai", "gpt-4o"].quantities == {"input": 10_000}
    assert first.spread == {("openai", "gpt-4o")}
