"""Edits of pricing.toml, one after the other."""

from __future__ import annotations

from infertop.money.price_history import Loaded, PriceHistory, prices_of
from infertop.money.rates import PriceBook


def took(history: PriceHistory, prices: PriceBook, ts: float) -> PriceHistory:
    """The history after another file was loaded at `ts`; one that says the same was there before."""
    said = prices_of(prices.settings)
    same = said == history.loaded[-1].settings
    return PriceHistory(prices, history.loaded if same else (*history.loaded, Loaded(ts, said)))
