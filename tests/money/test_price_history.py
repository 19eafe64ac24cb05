"""Which price holds for a use of any time, and how often the price book is asked for it."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

from infertop.money.price_history import PriceHistory
from infertop.money.quote import STANDARD, Quote, Way
from infertop.money.rates import PriceBook
from infertop.money.settings import ClassPrice, ModelPrices, Settings

JULY = datetime(2026, 7, 1, tzinfo=UTC).timestamp()


class Asked(PriceBook):
    """A price book that counts what it is asked."""

    count = 0

    def quote(self, provider: str, model: str, ts: float, way: Way = STANDARD) -> Quote | None:
        self.count += 1
        return super().quote(provider, model, ts, way)


def book(*models: ModelPrices) -> Asked:
    return Asked(Settings(models=models))


def test_that_a_model_has_no_price_is_remembered() -> None:
    prices = book()
    history = PriceHistory(prices)
    assert history.quote("nobody", "made-up", JULY) is None
    asked = prices.count
    assert [history.quote("nobody", "made-up", JULY + each) for each in (-1e9, 1, 1e9)] == [None] * 3
    assert prices.count == asked


def test_a_model_without_a_price_has_the_one_that_begins_later() -> None:
    dated = (ClassPrice("input", Decimal(2), "pricing.toml:5"),)
    history = PriceHistory(book(ModelPrices("made-up", "pricing.toml:4", prices=dated, since=date(2026, 7, 1))))
    assert history.quote("nobody", "made-up", JULY - 0.001) is None
    begun = history.quote("nobody", "made-up", JULY)
    assert begun is not None
    assert begun.prices["input"].usd == 2
    assert history.quote("nobody", "made-up", JULY - 0.001) is None


def test_names_without_end_are_not_all_remembered() -> None:
    history = PriceHistory(book())
    for each in range(5000):
        assert history.quote("nobody", f"made-up {each}", JULY) is None
    assert len(history._found) < 5000
