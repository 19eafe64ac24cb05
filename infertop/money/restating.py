"""Which lines of statements have another price now; see `price_rules` for the rule, which is one for all."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterator
from typing import Protocol

from infertop.money.lines import Basis, Line, Price
from infertop.money.price_history import PriceHistory
from infertop.money.statement_lines import ASTRIDE, PAID, Before, is_listed, way_of, with_price
from infertop.readings.model import LOCAL

_MINUTE, _DAY = 60, 86_400
_FOREVER = float("inf")


class Account(Protocol):
    """What tells lines apart, their time and their price aside."""

    @property
    def source(self) -> str:
        """Who said it."""
        ...

    @property
    def provider(self) -> str:
        """Whose price it is."""
        ...

    @property
    def model(self) -> str | None:
        """What was used."""
        ...

    @property
    def resource(self) -> str:
        """The token class or call unit."""
        ...

    @property
    def dimensions(self) -> tuple[tuple[str, str], ...]:
        """Who used it, and how it was processed."""
        ...

    @property
    def unit(self) -> str:
        """What the quantity counts."""
        ...

    @property
    def flags(self) -> str:
        """What there is to say about it."""
        ...


class Restating:
    """The prices of now for lines that are made of statements."""

    def __init__(self, history: PriceHistory) -> None:
        self._history = history
        self._edges = history.edges()
        self._dated = history.bare() is not history.newest

    def may_differ(self, account: Account, price: Price | None) -> bool:
        """Say whether lines like this may have another price than this at any time."""
        if account.model is None or account.provider == LOCAL or price == PAID:
            return False
        return self._dated or not is_listed(Before(price, account.flags))

    def differing(
        self, account: Account, price: Price | None, since: float, until: float
    ) -> Iterator[tuple[float, float, Line]]:
        """Yield the spans within [since, until) in which such lines have another price or other flags than these.

        With each comes a line as it is then, without its amounts.
        """
        start = since
        while start < until:
            # Lines start at whole seconds, but files are loaded at any time: two may be within one second.
            end = min(math.ceil(min(self._holds_until(account, start), until)), until)
            found = with_price(_line(account, int(start)), self._history, Before(price, account.flags))
            if found.price != price or _words(found.flags) != _words(account.flags):
                yield start, end, found
            start = end

    def _holds_until(self, account: Account, ts: float) -> float:
        """Return until when a price is known to stay the same, which begins or holds at `ts`."""
        at = bisect_right(self._edges, ts)
        edge = self._edges[at] if at < len(self._edges) else _FOREVER
        quote = self._history.quote(account.provider, account.model or "", ts, way_of(dict(account.dimensions)))
        # A price that is in no list yet may be in it some day.
        return min(edge, max(quote.end, ts + _MINUTE) if quote else ts + _DAY)


def _line(account: Account, start: int) -> Line:
    return Line(
        start=start,
        end=start + 1,
        source=account.source,
        provider=account.provider,
        model=account.model,
        resource=account.resource,
        dimensions=account.dimensions,
        quantity=0,
        unit=account.unit,
        usd_nano=None,
        price=None,
        basis=Basis.COMPUTED,
        flags=account.flags,
    )


def _words(flags: str) -> set[str]:
    return set(flags.split()) - {ASTRIDE}
