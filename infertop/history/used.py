"""What each model of each source did and took in a span of the ledger: the traffic that what-ifs are made of."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from infertop.history.accounts import Account, read_accounts, read_price
from infertop.history.summary import add_usd
from infertop.history.sums import MINUTE, Sum, account_sums, coverage_ms
from infertop.money.gpu_drafts import BUSY, ENERGY, GPU_RESOURCES, is_idle
from infertop.money.lines import NANO, Basis
from infertop.money.overlap import Counts, all_count
from infertop.money.quote import Way
from infertop.money.statement_lines import PAID, way_of
from infertop.money.whatif.traffic import GpusUsed, Traffic, Used
from infertop.readings.model import LOCAL
from infertop.readings.registry import CALL_UNITS

_REQUESTS = "requests"
_MS_PER_HOUR = 3_600_000
_CERTAINTY = (Basis.BILLED, Basis.MEASURED, Basis.COMPUTED, Basis.ESTIMATED)
# For every other provider: the spans of its lines, whether anybody was recording then or not.
_TOLD = """
    WITH places(account, place) AS (VALUES {places})
    SELECT DISTINCT place, start, until FROM lines JOIN places USING (account)
    WHERE start < :until AND until > :since AND start >= :least ORDER BY place, start, until"""
_LONGEST = 32 * 86_400


class Place(NamedTuple):
    """Whose traffic it is."""

    source: str
    provider: str
    model: str


def used(connection: sqlite3.Connection, since: float, until: float, counts: Counts = all_count) -> tuple[Used, ...]:
    """Return what each model that did or took something has in [since, until), the dearest first.

    The time of one's own engines is what was recorded of the span, from its first minute's beginning. A provider's is
    what was recorded or what its statements tell of: they also tell of time in which nobody recorded.
    """
    first = since // MINUTE * MINUTE
    accounts = read_accounts(connection)
    found: dict[Place, _Sums] = defaultdict(_Sums)
    numbers: dict[Place, list[int]] = defaultdict(list)
    for number, amount in account_sums(connection, first, until).items():
        account = accounts[number]
        if account.model is not None:
            place = Place(account.source, account.provider, account.model)
            found[place].add(account, amount)
            numbers[place].append(number)
    recorded = Decimal(coverage_ms(connection, first, until)) / 1000
    told = _told_seconds(connection, first, until, {p: n for p, n in numbers.items() if p.provider != LOCAL})
    made = [
        each.used(place, told.get(place, recorded), each.gpus.used(connection), counts(*place))
        for place, each in found.items()
    ]
    return tuple(sorted(made, key=lambda each: (-(each.usd or 0), -each.traffic.all_tokens, each.source, each.model)))


def unheld_usd(connection: sqlite3.Connection, since: float, until: float) -> int | None:
    """Return what GPUs that no model held cost in [since, until), in 1e-9 USD; None where nothing of it has a price."""
    accounts = read_accounts(connection)
    total: int | None = None
    for number, amount in account_sums(connection, since // MINUTE * MINUTE, until).items():
        account = accounts[number]
        if account.model is None and account.resource in GPU_RESOURCES:
            total = add_usd(total, amount.usd_nano)
    return total


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

    def add(self, account: Account, amount: Sum) -> None:
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

    def used(self, place: Place, seconds: Decimal, gpus: GpusUsed, counts: bool) -> Used:
        return Used(
            source=place.source,
            provider=place.provider,
            model=place.model,
            traffic=Traffic(seconds, self.tokens, self.requests, self.calls),
            usd=_usd(self.usd_nano),
            gpus=gpus,
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


def _told_seconds(
    connection: sqlite3.Connection, since: float, until: float, numbers: Mapping[Place, Iterable[int]]
) -> dict[Place, Decimal]:
    """Return the seconds of [since, until) that were recorded or that a line of the place is about."""
    places = list(numbers)
    pairs = ",".join(f"({number},{at})" for at, place in enumerate(places) for number in numbers[place])
    if not pairs:
        return {}
    covered = connection.execute("SELECT minute, ms FROM coverage WHERE minute >= ? AND minute < ?", (since, until))
    minutes = dict(covered.fetchall())
    spans: dict[int, list[tuple[float, float]]] = defaultdict(list)
    asked = {"since": since, "until": until, "least": since - _LONGEST}
    for at, start, end in connection.execute(_TOLD.format(places=pairs), asked).fetchall():
        spans[at].append((max(start, since), min(end, until)))
    return {place: _union(spans[at], minutes) for at, place in enumerate(places)}


def _union(spans: Iterable[tuple[float, float]], minutes: Mapping[int, int]) -> Decimal:
    """Return the length of ordered spans together, and what was recorded of the minutes that none of them is in."""
    seconds, end = 0.0, float("-inf")
    inside: set[int] = set()
    for start, until in spans:
        seconds += max(until - max(start, end), 0.0)
        end = max(end, until)
        inside.update(range(int(start // MINUTE * MINUTE), int(-(-until // MINUTE) * MINUTE), MINUTE))
    rest = sum(ms for minute, ms in minutes.items() if minute not in inside)
    return Decimal(str(seconds)) + Decimal(rest) / 1000
