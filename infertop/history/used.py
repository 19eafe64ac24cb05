"""What each model of each source did and took in a span of the ledger: the traffic that what-ifs are made of."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from infertop.history.accounts import Account, read_price
from infertop.history.names import read_names
from infertop.history.scopes import Scopes
from infertop.history.summary import add_usd
from infertop.history.sums import MINUTE, Sum
from infertop.history.used_between_window import ToldWindow
from infertop.money.gpu_drafts import BUSY, ENERGY, GPU_RESOURCES, is_idle
from infertop.money.lines import NANO, Basis
from infertop.money.quote import Way
from infertop.money.statement_lines import PAID, way_of
from infertop.money.whatif.traffic import GpusUsed, Traffic, Used
from infertop.readings.registry import CALL_UNITS

_REQUESTS = "requests"
_MS_PER_HOUR = 3_600_000
_SECONDS_PER_HOUR = 3600
_CERTAINTY = (Basis.BILLED, Basis.MEASURED, Basis.COMPUTED, Basis.ESTIMATED)


class Place(NamedTuple):
    """Whose traffic it is."""

    source: str
    provider: str
    model: str


class Besides(NamedTuple):
    """What no model has in a span: USD an hour of GPUs that none holds and of all else, and 1e-9 USD used in gaps."""

    unheld: Decimal
    others: Decimal
    gap_nano: int


def used(connection: sqlite3.Connection, since: float, until: float, scopes: Scopes | None = None) -> tuple[Used, ...]:
    """Return what each model that did or took something has in the minutes that begin in [since, until), dearest first.

    Lines, and the time that they stand for, are those of comparisons (`used_between`): what was recorded, and of what
    statements tell, up to where their source told all, also the time in which nobody recorded. Where a part of what a
    place has is counted by another source, it is the part that counts.
    """
    window, amounts = _window(connection, since, until, scopes or Scopes())
    found: dict[Place, dict[bool, _Sums]] = defaultdict(dict)
    for account, amount, counts in amounts:
        if account.model is not None:
            place = Place(account.source, account.provider, account.model)
            found[place].setdefault(counts, _Sums()).add(account, amount, window.seconds(account))
    made = [
        (by_counts.get(True) or by_counts[False]).used(connection, place, True in by_counts)
        for place, by_counts in found.items()
    ]
    return tuple(sorted(made, key=lambda each: (-(each.usd or 0), -each.traffic.all_tokens, each.source, each.model)))


def besides(connection: sqlite3.Connection, since: float, until: float, scopes: Scopes | None = None) -> Besides:
    """Return what counts in [since, until) and is in no rate of a model."""
    window, amounts = _window(connection, since, until, scopes or Scopes())
    unheld, others, gap_nano = Decimal(0), Decimal(0), 0
    for account, amount, counts in amounts:
        if not counts or amount.usd_nano is None:
            continue
        seconds = window.seconds(account)
        if account.is_gap:
            gap_nano += amount.usd_nano
        elif account.model is None and seconds > 0:
            hourly = Decimal(amount.usd_nano) / NANO * _SECONDS_PER_HOUR / _exact(seconds)
            if account.resource in GPU_RESOURCES:
                unheld += hourly
            else:
                others += hourly
    return Besides(unheld, others, gap_nano)


def _window(
    connection: sqlite3.Connection, since: float, until: float, scopes: Scopes
) -> tuple[ToldWindow, Iterator[tuple[Account, Sum, bool]]]:
    """Return the minutes that begin in a span and what each account has in them, and whether it counts."""
    window = ToldWindow(connection, since // MINUTE * MINUTE, until, scopes.settings.zone)
    return window, window.amounts(connection, replace(scopes, names=read_names(connection)))


def _exact(seconds: float) -> Decimal:
    return Decimal(round(seconds * 1000)) / 1000


@dataclass(slots=True)
class _Gpus:
    """GPU time and cost as they are summed."""

    ms: int = 0
    busy_ms: int = 0
    unmetered: bool = False
    usd_nano: int | None = None
    busy_usd_nano: int | None = None
    ms_by_uuid: Counter[str] = field(default_factory=Counter)
    by_price: dict[str, int] = field(default_factory=dict)
    energy: bool = False

    def add(self, account: Account, amount: Sum) -> None:
        self.usd_nano = add_usd(self.usd_nano, amount.usd_nano)
        if not is_idle(account.resource, account.dimensions):
            self.busy_usd_nano = add_usd(self.busy_usd_nano, amount.usd_nano)
        if account.resource == ENERGY:
            self.energy |= bool(amount.usd_nano)
            return
        self.ms += amount.quantity
        self.ms_by_uuid.update({value: amount.quantity for name, value in account.dimensions if name == "gpu"})
        if account.resource == BUSY:
            self.busy_ms += amount.quantity
        elif not is_idle(account.resource, account.dimensions):
            self.unmetered = True
        if account.price is not None:
            self.by_price[account.price] = self.by_price.get(account.price, 0) + amount.quantity

    def used(self, connection: sqlite3.Connection) -> GpusUsed:
        main = max(self.by_price, key=lambda each: (self.by_price[each], each), default=None)
        price = read_price(connection, main) if main is not None else None
        return GpusUsed(
            hours=Decimal(self.ms) / _MS_PER_HOUR,
            busy_hours=None if self.unmetered or not self.ms else Decimal(self.busy_ms) / _MS_PER_HOUR,
            usd=_usd(self.usd_nano),
            busy_usd=None if self.unmetered else _usd(self.busy_usd_nano),
            uuids=frozenset(self.ms_by_uuid),
            name=price.name if price else _name(connection, self.ms_by_uuid),
            price_source=price.source if price else "",
            price_since=price.since if price else "",
            default=bool(price and price.default),
            energy=self.energy,
        )


@dataclass(slots=True)
class _Sums:
    """What one place has, as it is summed."""

    tokens: dict[Way, dict[str, int]] = field(default_factory=dict)
    calls: dict[Way, dict[str, int]] = field(default_factory=dict)
    requests: int | None = None
    usd_nano: int | None = None
    gpus: _Gpus = field(default_factory=_Gpus)
    bases: set[str] = field(default_factory=set)
    gap_tokens: int = 0
    reserved: bool = False
    seconds: float = 0.0

    def add(self, account: Account, amount: Sum, seconds: float) -> None:
        self.seconds = max(self.seconds, seconds)
        if account.is_gap:
            self.gap_tokens += amount.quantity if account.is_tokens else 0
            return
        self.usd_nano = add_usd(self.usd_nano, amount.usd_nano)
        self.reserved |= account.price == PAID.id and amount.quantity > 0
        if amount.usd_nano is not None:
            self.bases.add(account.basis)
        if account.is_tokens:
            _count(self.tokens, account, amount)
        elif account.resource == _REQUESTS:
            self.requests = (self.requests or 0) + amount.quantity
        elif account.resource in CALL_UNITS:
            _count(self.calls, account, amount)
        elif account.resource in GPU_RESOURCES:
            self.gpus.add(account, amount)

    def used(self, connection: sqlite3.Connection, place: Place, counts: bool) -> Used:
        return Used(
            source=place.source,
            provider=place.provider,
            model=place.model,
            traffic=Traffic(_exact(self.seconds), self.tokens, self.requests, self.calls),
            usd=_usd(self.usd_nano),
            gpus=self.gpus.used(connection),
            basis=max(self.bases, key=_CERTAINTY.index, default=""),
            gap_tokens=self.gap_tokens,
            counts=counts,
            reserved=self.reserved,
        )


def _name(connection: sqlite3.Connection, ms_by_uuid: Counter[str]) -> str:
    """Return what NVML calls the GPU with most time, where no price names it: by what was noted of all GPUs seen."""
    noted = connection.execute("SELECT content FROM inventory WHERE kind = 'gpus'").fetchone()
    if not ms_by_uuid or noted is None:
        return ""
    ((most, _),) = ms_by_uuid.most_common(1)
    return next((str(row.get("name", "")) for row in json.loads(noted[0]) if row.get("gpu") == most), "")


def _count(by_way: dict[Way, dict[str, int]], account: Account, amount: Sum) -> None:
    counts = by_way.setdefault(way_of(dict(account.dimensions)), {})
    counts[account.resource] = counts.get(account.resource, 0) + amount.quantity


def _usd(nano: int | None) -> Decimal | None:
    return None if nano is None else Decimal(nano) / NANO
