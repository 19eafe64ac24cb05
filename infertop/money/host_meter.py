"""How long the machine ran, by the polls of its own meter."""

from __future__ import annotations

from typing import Any

from infertop.money.deployments.ledger import book
from infertop.money.minutes import Minutes, Terms, milliseconds, pieces
from infertop.readings.model import Batch, Series


def is_host(series: tuple[Series, ...]) -> bool:
    """Say whether these are the series of the machine's meter."""
    return any(each.metric.startswith("host_") for each in series)


class HostMeter:
    """The machine's time, with or without a price, and with it that of deployments, which cost by the hour too."""

    def __init__(self, source: str, gap_seconds: float) -> None:
        self.source = source
        self._gap_ms = milliseconds(gap_seconds)
        self._ms: int | None = None

    def advance(self, batch: Batch, minutes: Minutes, terms: Terms) -> None:
        """Add the time since the last poll; after a hole nothing is added, because it is not known."""
        now, before = milliseconds(batch.ts), self._ms
        self._ms = now
        if before is None or now - before > self._gap_ms:
            return
        for start, ms in pieces(before, now):
            minute, price = minutes.at(start), terms.prices.host_price(start / 1000)
            minute.host[self.source, price] = minute.host.get((self.source, price), 0) + ms
        book(minutes, terms.prices.settings, before, now)

    def dump(self) -> dict[str, Any]:
        """Return what `load` needs to go on from here, JSON-able."""
        return {"ms": self._ms}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what `dump` returned."""
        self._ms = state["ms"]
