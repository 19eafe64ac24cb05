"""A report over a time in which a source began to attribute: each day counts as it did, and parts sum to the whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from infertop.history.report import report, spent
from infertop.history.scopes import Scopes
from infertop.money.overlap import Place, Span
from tests.history.stating import DAY, LISTED, MONDAY, UNLISTED, Books, say

HERE = Place("openai", "openai", LISTED)


def scopes(*spans: Span) -> Scopes:
    return Scopes(apart={HERE: spans})


def test_each_day_counts_as_it_did() -> None:
    books = Books()
    books.hear([say(MONDAY + day * DAY, 60, {"input": 4}, usd_nano=7, requests=1) for day in range(4)])
    books.hear([say(MONDAY + 4 * DAY, 60, {"input": 4}, usd_nano=5, model=UNLISTED)])
    begun = scopes((MONDAY + 2 * DAY, MONDAY + 10 * DAY))
    found = report(books.connection, ["model"], MONDAY, MONDAY + 5 * DAY, begun)
    assert [(row.keys["model"], row.counts, row.usd_nano, row.tokens, row.requests) for row in found.rows] == [
        (LISTED, True, 14, {"input": 8}, 2),
        (LISTED, False, 14, {"input": 8}, 2),
        (UNLISTED, True, 5, {"input": 4}, None),
    ]
    assert spent(books.connection, (), MONDAY, MONDAY + 5 * DAY, begun) == 19
    later = report(books.connection, ["model"], MONDAY + 2 * DAY, MONDAY + 4 * DAY, begun)
    assert [(row.counts, row.usd_nano) for row in later.rows] == [(False, 14)]
    before = report(books.connection, ["model"], MONDAY, MONDAY + 2 * DAY, begun)
    assert [(row.counts, row.usd_nano) for row in before.rows] == [(True, 14)]


@given(
    st.lists(st.tuples(st.integers(0, 47), st.sampled_from([60, 3600, 7200])), min_size=1, max_size=8, unique=True),
    st.lists(st.integers(0, 50), min_size=2, max_size=6, unique=True).filter(lambda edges: len(edges) % 2 == 0),
)
def test_what_counts_and_what_does_not_sum_to_the_whole(said: list[tuple[int, int]], edges: list[int]) -> None:
    books = Books()
    for hour, width in said:
        page = [say(MONDAY + hour * 3600, width, {"input": 1001}, usd_nano=777, key=str((hour, width)))]
        books.hear(page, ())
    ordered = [MONDAY + hour * 3600.0 + 600 for hour in sorted(edges)]
    spans = list(zip(ordered[::2], ordered[1::2], strict=True))
    found = report(books.connection, [], MONDAY, MONDAY + 2 * DAY, scopes(*spans))
    (whole,) = report(books.connection, [], MONDAY, MONDAY + 2 * DAY).rows
    assert sum(row.usd_nano or 0 for row in found.rows) == whole.usd_nano
    assert sum(row.tokens.get("input", 0) for row in found.rows) == whole.tokens["input"]
    apart = sum(
        row.usd_nano or 0 for a, b in spans for row in report(books.connection, [], a, min(b, MONDAY + 2 * DAY)).rows
    )
    assert sum(row.usd_nano or 0 for row in found.rows if not row.counts) == apart
