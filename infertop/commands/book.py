"""The prices that a command without a session uses: pricing.toml over the newest list prices on this machine."""

from __future__ import annotations

from infertop.commands.setup import Setup
from infertop.history.files import default_path
from infertop.money.book.load import newest
from infertop.money.rates import PriceBook


def price_book(setup: Setup) -> PriceBook:
    """Return the price book of the settings in use."""
    return PriceBook(setup.watcher.current.settings, newest(default_path().parent))
