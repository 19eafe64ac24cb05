"""Which price a line should have that has one already: what section of the past a newer pricing.toml may change.

- A price with `from` takes the place of any other since its day.
- A price whose `from` the file no longer has gives way to what held at its time without it.
- What has no price, or a default one, is filled. Everything else stays.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from infertop.money.lines import Price
from infertop.money.price_history import PriceHistory
from infertop.money.rates import PriceBook


class Rate(NamedTuple):
    """What something costs, None where it has no price; an `owned` GPU pays for its energy apart."""

    price: Price | None
    owned: bool = False


Ask = Callable[[PriceBook], Rate]


def settle(history: PriceHistory, ts: float, old: Price | None, ask: Ask, *, anew: bool = False) -> Rate | None:
    """Return what costs something else at `ts` than `old`, or None where that stays; `ask` asks a book.

    With `anew` there is nothing to stay.
    """
    found = _settled(history, ts, old, ask, anew)
    return None if found is None or (found.price == old and not anew) else found


def _settled(history: PriceHistory, ts: float, old: Price | None, ask: Ask, anew: bool) -> Rate | None:
    now = ask(history.newest)
    if history.bare() is not history.newest and now.price != ask(history.bare()).price:
        return now
    if old is not None and not old.default and not old.since:
        return None
    found = [ask(book) for book in history.undated(ts)]
    filled = next((each for each in found if each.price is not None and not each.price.default), None)
    return filled or (found[0] if anew or (old is not None and old.since) else None)
