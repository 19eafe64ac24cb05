"""What pricing.toml said and when it was loaded, kept with the ledger: what is told later has the price of its time."""

from __future__ import annotations

import sqlite3

from infertop.history.meta import write_meta
from infertop.money.price_history import Loaded, PriceHistory, prices_of
from infertop.money.price_states import dump_prices, load_prices
from infertop.money.rates import PriceBook

_KEY = "prices:"


class PriceLog:
    """The states of before. A state waits until it is written."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read the states; one that this version cannot read is left out."""
        self._loaded = read_states(connection)
        self._waiting: list[Loaded] = []

    def take(self, prices: PriceBook, ts: float) -> PriceHistory:
        """Return all that was said, with what is said since `ts`."""
        said = prices_of(prices.settings)
        if not self._loaded or self._loaded[-1].settings != said:
            # Times are told apart by milliseconds, and no clock is trusted to go forward.
            ts = max([round(ts, 3), *(each.ts + 0.001 for each in self._loaded[-1:])])
            self._loaded.append(Loaded(ts, said))
            self._waiting.append(self._loaded[-1])
        return PriceHistory(prices, self._loaded)

    def write(self, connection: sqlite3.Connection) -> None:
        """Store what waits."""
        for each in self._waiting:
            write_meta(connection, f"{_KEY}{each.ts:017.3f}", dump_prices(each.settings))

    def written(self) -> None:
        """Forget that it waits."""
        self._waiting.clear()

    def restart(self) -> None:
        """Let everything wait again: the database is another one."""
        self._waiting = list(self._loaded)


def read_states(connection: sqlite3.Connection) -> list[Loaded]:
    """Return the states of pricing.toml that were loaded, oldest first, without what this version cannot read."""
    rows = connection.execute(
        "SELECT key, value FROM meta WHERE key >= ? AND key < ? ORDER BY key", (_KEY, f"{_KEY}~")
    ).fetchall()
    found = []
    for key, value in rows:
        try:
            found.append(Loaded(float(key.removeprefix(_KEY)), load_prices(value)))
        except ValueError:
            continue
    return found
