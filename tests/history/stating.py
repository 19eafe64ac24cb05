"""Providers that say things, and a ledger in memory that hears them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

from hypothesis import strategies as st

from infertop.history.compact import compact
from infertop.history.drops import transaction
from infertop.history.ledger import Ledger
from infertop.history.migrations import migrate
from infertop.history.price_log import PriceLog
from infertop.history.reprice import reprice
from infertop.history.reprice_stated import reprice_stated
from infertop.history.stated import Changes, rebook
from infertop.history.statements import Page, statements_between, write_statements
from infertop.money.derive import Deriver
from infertop.money.lines import Line
from infertop.money.rates import PriceBook
from infertop.money.repricing import Repricing, SeenGpu
from infertop.money.restating import Restating
from infertop.money.settings import ClassPrice, ModelPrices, ProviderFactor, Settings
from infertop.readings.model import Covered, Statement

DAY = 86_400
MONDAY = 20_640 * DAY  # 2026-07-06, a day's edge in UTC
LISTED, UNLISTED = "gpt-4o", "acme-1"
STORED = """
    SELECT l.start, l.until, a.source, a.provider, a.model, a.resource, a.dimensions, l.quantity, l.usd_nano, a.price,
        a.basis, a.flags, l.open FROM lines l JOIN accounts a ON a.id = l.account
    ORDER BY 1, 2, 3, 4, 5, 6, 7, 10, 12"""


@cache
def _empty() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    migrate(connection)
    return connection


class Books:
    """A database with statements, lines and prices, and what writes them."""

    def __init__(self, settings: Settings | None = None, ts: float = MONDAY) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        _empty().backup(self.connection)
        self.ledger = Ledger(self.connection)
        self.log = PriceLog(self.connection)
        self.deriver = Deriver(PriceBook(Settings()))
        self.gpus: dict[str, SeenGpu] = {}
        self.edit(settings or Settings(), ts)

    def hear(self, page: Sequence[Statement], covered: tuple[Covered, ...] | None = None) -> Changes:
        """Take a page of statements of OpenAI."""
        return self.take(Page("openai", tuple(page), covered))

    def take(self, page: Page) -> Changes:
        """Take a page of whichever source."""
        with transaction(self.connection):
            touched = write_statements(self.connection, 1, page)
            changes = rebook(self.connection, self.ledger.accounts, self.deriver.statement_lines, touched)
            self.ledger.write(self.connection)
        self.ledger.written()
        return changes

    def book(self, lines: Sequence[Line]) -> None:
        """Take closed lines of meters."""
        self.ledger.close(lines)
        with transaction(self.connection):
            self.ledger.write(self.connection)
        self.ledger.written()

    def edit(self, settings: Settings, ts: float) -> None:
        """Load another pricing.toml."""
        history = self.log.take(PriceBook(settings), ts)
        repricing = Repricing(history, self.gpus)
        self.deriver.reprice(repricing)
        with transaction(self.connection):
            self.log.write(self.connection)
            reprice(self.connection, self.ledger.accounts, repricing)
            say = self.deriver.statement_lines
            reprice_stated(self.connection, self.ledger.accounts, say, Restating(history))
        self.log.written()
        self.ledger.written()

    def reopen(self) -> None:
        """Begin again with what is stored."""
        prices = self.deriver.prices
        self.ledger, self.log = Ledger(self.connection), PriceLog(self.connection)
        self.deriver = Deriver(prices)
        self.edit(prices.settings, MONDAY + 10 * 365 * DAY)

    def compact(self, ts: float) -> None:
        """Put together what is old."""
        with transaction(self.connection):
            while compact(self.connection, ts):
                pass

    def lines(self) -> list[tuple[Any, ...]]:
        """Every line."""
        return self.connection.execute(STORED).fetchall()

    def standing(self) -> list[Statement]:
        """What OpenAI said and still holds."""
        return list(statements_between(self.connection, "openai", 0, 1e12))

    def statements(self) -> list[tuple[Any, ...]]:
        """Every statement that stands."""
        return self.connection.execute(
            "SELECT source, key, start, until, content FROM statements ORDER BY 1, 2"
        ).fetchall()


def say(
    start: float, width: float, quantities: Mapping[str, int], *, model: str = LISTED, key: str = "", **more: Any
) -> Statement:
    """What a provider says of a span; its key is that of the bucket, as providers' are."""
    dimensions = more.pop("dimensions", {})
    name = f"{int(start)}+{int(width)} {model} {sorted(dimensions.items())} {key}"
    content: dict[str, Any] = {"source": "openai", "provider": "openai", "requests": None, "usd_nano": None}
    content |= {"basis": "measured", **more}
    return Statement(
        key=name, start=start, end=start + width, model=model, dimensions=dimensions, quantities=quantities, **content
    )


def model(pattern: str, line: int, since: date | None = None, provider: str = "", **usd: str) -> ModelPrices:
    """An entry of pricing.toml at `line`."""
    where = f"pricing.toml:{line}"
    prices = tuple(ClassPrice(name, Decimal(each), where) for name, each in usd.items())
    return ModelPrices(pattern, where, provider, prices, since)


def factor(usd: str, line: int, since: date | None = None) -> ProviderFactor:
    """A negotiated rate with OpenAI."""
    return ProviderFactor("openai", Decimal(usd), f"pricing.toml:{line}", since)


@st.composite
def pages(draw: st.DrawFn, hours: int = 4) -> list[list[Statement]]:
    """Pages of one provider: buckets of one width over a few hours each, some said again."""
    found = []
    for _ in range(draw(st.integers(1, 5))):
        width = draw(st.sampled_from([60, 300, 3600]))
        first = draw(st.integers(0, hours * 3600 // width - 1))
        count = draw(st.integers(1, 3))
        found.append([each for at in range(first, first + count) for each in draw(bucket(MONDAY + at * width, width))])
    return [page for page in found if page]


@st.composite
def bucket(draw: st.DrawFn, start: float, width: float) -> list[Statement]:
    """What is said of one bucket: a few models and ways of processing."""
    found = []
    names = draw(st.lists(st.tuples(st.sampled_from([LISTED, UNLISTED]), st.booleans()), max_size=3, unique=True))
    for name, batch in names:
        said = draw(st.dictionaries(st.sampled_from(["input", "cache_read", "output"]), st.integers(0, 10**6)))
        dimensions = {"batch": "true"} if batch else {"key": draw(st.sampled_from(["a", "b"]))}
        requests = draw(st.none() | st.integers(0, 100))
        found.append(say(start, width, said, model=name, dimensions=dimensions, requests=requests))
    return found
