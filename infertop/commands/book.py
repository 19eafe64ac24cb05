"""The prices that are used: pricing.toml over the newest list prices on this machine."""

from __future__ import annotations

from pathlib import Path

from infertop.commands.setup import Setup
from infertop.history.files import default_path
from infertop.money.book.listing import Listing
from infertop.money.book.load import newest
from infertop.money.rates import PriceBook
from infertop.money.settings import Settings


def price_book(setup: Setup) -> PriceBook:
    """Return the price book of the settings in use."""
    return book_of(setup.watcher.current.settings)


def book_of(settings: Settings) -> PriceBook:
    """Return the price book of some settings; the list is read when something is first asked of it."""
    return PriceBook(settings, find=_list)


def owner(book: PriceBook, model: str, provider: str | None) -> tuple[str, str]:
    """Return whose model is meant, "" for its maker's, and its name there: "openai/gpt-4o" names both."""
    before, slash, after = model.partition("/")
    if provider is None and slash and book.listing.provider(before) and book.listing.quote("", model, 0.0) is None:
        return before, after
    return provider or "", model


def data_folder() -> Path:
    """Return the user's data folder, into which newer list prices are refreshed."""
    return default_path().parent


def _list() -> Listing:
    return newest(data_folder())
