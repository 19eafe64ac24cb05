"""The prices that are used: pricing.toml over the newest list prices on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

from infertop.commands.setup import Setup
from infertop.history.files import default_path
from infertop.money.book.listing import Listing
from infertop.money.book.load import newest, trouble
from infertop.money.rates import PriceBook
from infertop.money.settings import Settings
from infertop.money.whatif.newest import MAKERS


def price_book(setup: Setup) -> PriceBook:
    """Return the price book of the settings in use, and tell where refreshed prices are ignored."""
    if problem := trouble(data_folder()):
        print(f"infertop: {problem}", file=sys.stderr)
    return book_of(setup.watcher.current.settings)


def book_of(settings: Settings) -> PriceBook:
    """Return the price book of some settings; the list is read when something is first asked of it."""
    return PriceBook(settings, find=_list)


def owner(book: PriceBook, model: str, provider: str | None, ts: float) -> tuple[str, str]:
    """Return whose model is meant, "" for its maker's, and its name there: "openai/gpt-4o" names both.

    Where names do not tell their maker, it is the one provider whose list has that very name, or the one that also
    makes models.
    """
    if provider or book.quote("", model, ts) is not None:
        return provider or "", model
    before, slash, after = model.partition("/")
    if slash and book.listing.provider(before) and book.quote(before, after, ts) is not None:
        return before, after
    found = sellers(book, model)
    makers = [each for each in found if each in MAKERS]
    return next((one[0] for one in (found, makers) if len(one) == 1), ""), model


def sellers(book: PriceBook, model: str) -> list[str]:
    """Return the providers whose list has a model of that very name."""
    return list(dict.fromkeys(each.provider for each in book.listing.models() if each.model.lower() == model.lower()))


def data_folder() -> Path:
    """Return the user's data folder, into which newer list prices are refreshed."""
    return default_path().parent


def _list() -> Listing:
    return newest(data_folder())
