"""Rates over time, binned in SQL to the width of a chart: $/hour and tokens or requests a second."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from infertop.history.accounts import Account, Entry, read_accounts
from infertop.history.sums import share_of
from infertop.money.lines import NANO

K = TypeVar("K", bound=Hashable)

_HOUR = 3600
_NARROW = """
    SELECT CAST((start - :since) / :width AS INTEGER) AS bin, account, sum(quantity), sum(usd_nano) FROM lines
    WHERE start >= :since AND start < :until AND until - start <= :width GROUP BY bin, account"""
_WIDE = """
    SELECT start, until, account, quantity, usd_nano FROM lines INDEXED BY lines_wide
    WHERE until - start > 60 AND until - start > :width AND until > :since AND start < :until"""
_COVERED = """
    SELECT CAST((minute - :since) / :width AS INTEGER) AS bin, sum(ms) FROM coverage
    WHERE minute >= :since AND minute < :until GROUP BY bin"""


@dataclass(slots=True)
class Bins(Generic[K]):
    """Equal bins of `width` seconds from `times`; each layer has a rate for every bin, None where nothing is known."""

    times: tuple[float, ...]
    width: int
    layers: dict[K, list[float | None]] = field(default_factory=dict)


def cost_bins(
    connection: sqlite3.Connection, since: float, until: float, most: int, key: Callable[[Account], K | None]
) -> Bins[K]:
    """Return USD an hour over [since, until) in at most `most` bins, by `key`; accounts without a key are left out."""
    per_hour = _HOUR / NANO
    return _binned(connection, since, until, most, key, lambda _quantity, usd: None if usd is None else usd * per_hour)


def quantity_bins(
    connection: sqlite3.Connection, since: float, until: float, most: int, key: Callable[[Account], K | None]
) -> Bins[K]:
    """Return the quantity a second over [since, until) in at most `most` bins, by `key`."""
    return _binned(connection, since, until, most, key, lambda quantity, _usd: float(quantity))


def _binned(
    connection: sqlite3.Connection,
    since: float,
    until: float,
    most: int,
    key: Callable[[Account], K | None],
    amount: Callable[[int, int | None], float | None],
) -> Bins[K]:
    first = int(since // 60 * 60)
    width = max(math.ceil((until - first) / max(most, 1) / 60) * 60, 60)
    count = max(math.ceil((until - first) / width), 0)
    span = {"since": first, "until": until, "width": width}
    keys = {
        number: found
        for number, account in read_accounts(connection).items()
        if not account.is_gap and (found := key(account)) is not None
    }
    sums: dict[K, dict[int, float]] = {}

    def add(number: int, place: int, quantity: int, usd: int | None) -> None:
        value = amount(quantity, usd)
        if number in keys and value is not None:
            layer = sums.setdefault(keys[number], {})
            layer[place] = layer.get(place, 0.0) + value

    for place, number, quantity, usd in connection.execute(_NARROW, span).fetchall():
        add(number, place, quantity, usd)
    for row in connection.execute(_WIDE, span).fetchall():
        entry = Entry(*row)
        for place in range(max((entry.start - first) // width, 0), min((entry.until - 1 - first) // width + 1, count)):
            share = share_of(entry, first + place * width, first + (place + 1) * width)
            if share is not None:
                add(entry.account, place, share[0], share[1])
    covered = {place: ms / 1000 for place, ms in connection.execute(_COVERED, span).fetchall()}
    times = tuple(float(first + place * width) for place in range(count))
    return Bins(times, width, {each: _rates(layer, covered, count, width) for each, layer in sums.items()})


def _rates(layer: dict[int, float], covered: dict[int, float], count: int, width: int) -> list[float | None]:
    """Divide by the recorded seconds of each bin; what was told for a time that was not recorded is over all of it."""
    rates: list[float | None] = []
    for place in range(count):
        seconds = covered.get(place, 0.0)
        if place not in layer:
            rates.append(0.0 if seconds else None)
        else:
            rates.append(layer[place] / (seconds or width))
    return rates
