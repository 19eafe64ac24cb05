"""Single requests that are dearer than [alert] request_usd are told once each."""

from __future__ import annotations

from decimal import Decimal

from infertop.commands.watching_requests import MOST_AN_HOUR, Dear, request_event
from infertop.history.statements import Page, write_statements
from infertop.money.rates import PriceBook
from infertop.money.settings import Settings
from infertop.readings.model import Statement
from tests.history.stating import MONDAY, Books, model, say

NOW = MONDAY + 600.0
PRICES = PriceBook(Settings(models=(model("acme-1", 3, input="10", output="50"),)))


def request(
    n: int, tokens: int, *, requests: int | None = 1, usd_nano: int | None = None, ago: float = 60.0
) -> Statement:
    said = {"input": tokens, "output": 1000}
    return say(NOW - ago, 0, said, model="acme-1", key=f"r{n}", requests=requests, usd_nano=usd_nano)


def hear(books: Books, poll: int, *said: Statement) -> None:
    write_statements(books.connection, poll, Page("openai", said, ()))


def test_only_single_requests_above_the_limit_are_told_each_once() -> None:
    books, dear = Books(), Dear()
    hear(books, 1, request(0, 900_000))
    assert dear.look(books.connection, PRICES, 0.5, NOW) == []  # that was before
    hear(
        books, 2, request(1, 60_000), request(2, 40_000), request(3, 60_000, requests=2), request(4, 1, usd_nano=10**9)
    )
    found = dear.look(books.connection, PRICES, 0.5, NOW)
    assert [(each.key.split()[-1], round(each.usd, 9)) for each in found] == [("r1", 0.65), ("r4", 1.0)]
    hear(books, 3, request(1, 60_000))
    assert dear.look(books.connection, PRICES, 0.5, NOW) == []
    again = Dear()
    again.load(dear.dump())
    hear(books, 4, request(1, 60_000), request(5, 70_000))
    assert [each.key.split()[-1] for each in again.look(books.connection, PRICES, 0.5, NOW)] == ["r5"]


def test_what_is_read_back_is_not_told_nor_more_than_some_an_hour() -> None:
    books, dear = Books(), Dear()
    dear.look(books.connection, PRICES, 0.5, NOW)
    hear(books, 1, request(1, 60_000, ago=9000.0))
    assert dear.look(books.connection, PRICES, 0.5, NOW) == []
    hear(books, 2, *(request(n, 60_000) for n in range(50)))
    assert len(dear.look(books.connection, PRICES, 0.5, NOW)) == MOST_AN_HOUR


def test_nobody_asked_nothing_is_looked_at() -> None:
    books, dear = Books(), Dear()
    hear(books, 1, request(1, 60_000))
    assert dear.look(books.connection, PRICES, None, NOW) == []
    hear(books, 2, request(2, 60_000))
    assert [each.usd for each in dear.look(books.connection, PRICES, 0.5, NOW)] == [0.65]


def test_the_event_says_what_it_cost_and_who_made_it() -> None:
    books, dear = Books(), Dear()
    dear.look(books.connection, PRICES, 0.5, NOW)
    said = say(NOW, 0, {"input": 60_000}, model="acme-1", key="x", requests=1, dimensions={"key": "key_1"})
    hear(books, 1, said)
    (found,) = dear.look(books.connection, PRICES, float(Decimal("0.5")), NOW)
    key, event = request_event(found, {("key", "key_1"): "prod"})
    assert key == f"request openai {said.key}"
    assert event.text == (
        "a request to acme-1 cost $0.60, above the limit of $0.50: 60,000 prompt and 0 output tokens, by prod"
    )
    assert (event.level, event.until, event.value, event.expected) == ("warn", NOW, 0.6, 0.5)
