"""What a page of statements replaces: its own keys, the spans that it covers, and lower ranks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from infertop.history.stated import rebook
from infertop.history.tape_writer import TapeWriter
from infertop.readings.model import Batch, Covered, Series, Statement
from tests.history.stating import MONDAY, Books, say


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
    assert sorted(each.quantities["input"] for each in books.standing()) == [2, 10, 100]
    assert sum(row[7] for row in books.lines()) == 112


def test_a_page_that_found_nothing_in_its_span_leaves_nothing_there() -> None:
    books = Books()
    books.hear([say(MONDAY, 3600, {"input": 1}), say(MONDAY + 3600, 3600, {"input": 2})])
    books.hear([], (Covered(MONDAY, MONDAY + 3600),))
    assert [each.quantities["input"] for each in books.standing()] == [2]
    assert [row[7] for row in books.lines()] == [2]


def test_a_page_of_one_scope_leaves_what_others_said() -> None:
    books = Books()
    one, other = (
        replace(say(MONDAY, 3600, {"input": n}), key=f"{scope}|x") for n, scope in enumerate(("chat", "embed"))
    )
    books.hear([one], (Covered(MONDAY, MONDAY + 3600, "chat|"),))
    books.hear([other], (Covered(MONDAY, MONDAY + 3600, "embed|"),))
    books.hear([], (Covered(MONDAY, MONDAY + 7200, "chat|"),))
    assert [each.key for each in books.standing()] == ["embed|x"]


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
