"""What tells ledger lines apart, said once: an account has an id, and a line is (start, until, account, amounts)."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from infertop.history.catalog import Catalog, plain
from infertop.history.connect import put
from infertop.money.lines import Basis, Line, Price
from infertop.money.statement_lines import COST, STATED
from infertop.readings.registry import TOKEN_CLASSES
from infertop.readings.serving import is_own

# A quantity or cost beyond this is no measurement; within it, sums over years stay below SQLite's 2^63.
MOST = 1 << 53
CLAMPED = "clamped"
GAP = "gap"
_METERED = frozenset({"ms", "mJ"})


class Account(NamedTuple):
    """Everything of a line but its time and its amounts; `price` is the price's id."""

    source: str
    provider: str
    model: str | None
    resource: str
    dimensions: tuple[tuple[str, str], ...]
    unit: str
    price: str | None
    basis: str
    flags: str

    def line(self, entry: Entry, price: Price | None = None) -> Line:
        """Return a stored line of this account as it was made, at `price`."""
        return Line(
            start=entry.start,
            end=entry.until,
            source=self.source,
            provider=self.provider,
            model=self.model,
            resource=self.resource,
            dimensions=self.dimensions,
            quantity=entry.quantity,
            unit=self.unit,
            usd_nano=entry.usd_nano,
            price=price,
            basis=Basis(self.basis),
            flags=self.flags,
        )

    def own(self) -> dict[str, str | None]:
        """Return the dimensions that the line itself has, before anything is assigned."""
        return dict(self.dimensions) | {"source": self.source, "provider": self.provider, "model": self.model}

    @property
    def is_tokens(self) -> bool:
        """Whether the quantity is a class of tokens."""
        return self.resource in TOKEN_CLASSES

    @property
    def lacks_price(self) -> bool:
        """Whether it should have a price and has none; tokens of one's own engines are paid for by the GPU's hour."""
        return self.is_tokens and self.price is None and not is_own(self.provider) and not self.is_paid

    @property
    def is_paid(self) -> bool:
        """Whether its cost is a bill's, or in the line of the cost that its statement stated itself."""
        return self.basis == Basis.BILLED or STATED in self.flags.split()

    @property
    def is_computed(self) -> bool:
        """Whether what it costs was worked out here."""
        return self.basis != Basis.BILLED

    @property
    def is_charge(self) -> bool:
        """Whether it is what a statement itself says was charged: no bill is awaited for it."""
        return self.basis == Basis.BILLED and self.resource == COST

    @property
    def is_stated(self) -> bool:
        """Whether it is made of statements; meters say what they measured, or divide a machine's time and energy."""
        return self.basis != Basis.MEASURED and self.unit not in _METERED

    @property
    def is_gap(self) -> bool:
        """Whether it was used in a time in which nobody polled: counted, but left out of rates."""
        return GAP in self.flags.split()


class Entry(NamedTuple):
    """A line as it is stored: epoch seconds, the account's id, the quantity in its unit, 1e-9 USD or None."""

    start: int
    until: int
    account: int
    quantity: int
    usd_nano: int | None


_INSERT = "INSERT OR REPLACE INTO accounts VALUES (?,?,?,?,?,?,?,?,?,?)"
_COLUMNS = "id, source, provider, model, resource, dimensions, unit, price, basis, flags"


def read_accounts(connection: sqlite3.Connection, after: int = 0) -> dict[int, Account]:
    """Return the accounts with an id above `after`."""
    rows = connection.execute(f"SELECT {_COLUMNS} FROM accounts WHERE id > ?", (after,)).fetchall()
    return {number: _account(*columns) for number, *columns in rows}


def read_price(connection: sqlite3.Connection, number: str) -> Price | None:
    """Return a price by its id."""
    row = connection.execute("SELECT content FROM prices WHERE id = ?", (number,)).fetchone()
    if row is None:
        return None
    content: dict[str, Any] = json.loads(row[0])
    return Price(**{**content, "usd": Decimal(content["usd"])})


class Accounts:
    """Turns lines into entries. Accounts and prices that are new wait until they are written."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.by_id: dict[int, Account] = read_accounts(connection)
        self._catalog: Catalog[Account] = Catalog(_INSERT, _row, {each: i for i, each in self.by_id.items()})
        self._prices: dict[Price, str] = {}
        self._waiting: dict[str, Price] = {}
        self._known: dict[str, Price | None] = {}

    def price(self, connection: sqlite3.Connection, number: str | None) -> Price | None:
        """Return a price by its id, also one that waits; None for none."""
        if number is not None and number not in self._known:
            self._known[number] = self._waiting.get(number) or read_price(connection, number)
        return None if number is None else self._known[number]

    def entry(self, line: Line) -> Entry:
        """Return the line as it is stored; amounts that are no measurement are cut, and flagged."""
        cut = abs(line.quantity) > MOST or abs(line.usd_nano or 0) > MOST
        account = Account(
            line.source,
            line.provider,
            line.model,
            line.resource,
            line.dimensions,
            line.unit,
            self._price(line.price),
            str(line.basis),
            f"{line.flags} {CLAMPED}".strip() if cut else line.flags,
        )
        usd = None if line.usd_nano is None else _clamp(line.usd_nano)
        return Entry(line.start, line.end, self.id(account), _clamp(line.quantity), usd)

    def id(self, account: Account) -> int:
        """Return the account's id."""
        number = self._catalog.id(account)
        self.by_id[number] = account
        return number

    def _price(self, price: Price | None) -> str | None:
        if price is None:
            return None
        if price not in self._prices:
            self._prices[price] = price.id
            self._waiting[price.id] = price
        return self._prices[price]

    def write(self, connection: sqlite3.Connection) -> None:
        """Store what waits."""
        self._catalog.write(connection)
        rows = [(number, _price_content(price)) for number, price in self._waiting.items()]
        put(connection, "INSERT OR IGNORE INTO prices VALUES (?,?)", rows)

    def written(self) -> None:
        """Forget what waited."""
        self._catalog.written()
        self._waiting.clear()

    def restart(self) -> None:
        """Let everything wait again: the database is another one."""
        self._catalog.restart()
        self._waiting = {number: price for price, number in self._prices.items()}


def _clamp(amount: int) -> int:
    return max(-MOST, min(MOST, amount))


def _price_content(price: Price) -> str:
    content: Mapping[str, Any] = {
        "name": price.name,
        "usd": str(price.usd),
        "per": price.per,
        "source": price.source,
        "since": price.since,
        "default": price.default,
    }
    return json.dumps(content)


def _row(number: int, each: Account) -> tuple[Any, ...]:
    model = None if each.model is None else plain(each.model)
    names = (plain(each.source), plain(each.provider), model, plain(each.resource))
    return (number, *names, json.dumps(each.dimensions), each.unit, each.price, each.basis, each.flags)


def _account(source: str, provider: str, model: str | None, resource: str, dimensions: str, *rest: Any) -> Account:
    pairs = tuple((str(name), str(value)) for name, value in json.loads(dimensions))
    return Account(source, provider, model, resource, pairs, *rest)
