"""Hours in which things are used and pricing.toml is edited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from infertop.history.accounts import read_accounts, read_price
from infertop.money.drafts import costed
from infertop.money.lines import Basis, Line, Price
from infertop.money.rates import PriceBook
from infertop.money.repricing import SeenGpu
from infertop.money.settings import Settings
from tests.history.price_model import A100, HOUR, Entry, File
from tests.history.stating import LISTED, MONDAY, UNLISTED, Books, say
from tests.money.tape import H100

GPUS = {"GPU-0": SeenGpu(H100, None), "GPU-1": SeenGpu(A100, None)}
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata")
KINDS = ("listed", "unlisted", "gpu", "host", "energy")


def metered(kind: str, ts: int, prices: PriceBook) -> list[Line]:
    """A minute of a GPU, of the host or of energy as it is recorded under these prices."""
    bare = Line(ts, ts + 60, "vllm", "local", "m", "host", (), 60_000, "ms", None, None, Basis.MEASURED)
    price: Price | None
    if kind == "gpu":
        price = prices.gpu_rate(H100, None, ts=ts).price
        some = replace(bare, resource="gpu_busy", dimensions=(("gpu", "GPU-0"),), quantity=20_001)
        lines = [some, replace(some, resource="gpu_idle", quantity=39_999)]
    elif kind == "host":
        price = prices.host_price(ts)
        lines = [bare]
    else:
        price = prices.energy_price(ts)
        some = replace(bare, resource="gpu_energy", unit="mJ", quantity=7_777_777, dimensions=(("gpu", "GPU-1"),))
        time = replace(bare, resource="gpu", dimensions=(("gpu", "GPU-1"),))
        rate = prices.gpu_rate(A100, None, ts=ts).price
        return [*costed([replace(some, price=price)]), *costed([replace(time, price=rate)])]
    return costed([replace(each, price=price) for each in lines])


entry = st.builds(Entry, st.integers(1, 9), st.sampled_from([0, 0, 6, 7, 8, 9]))
dated_entry = st.builds(Entry, st.integers(1, 9), st.sampled_from([5, 6, 7, 8, 9]))


def files(entries: st.SearchStrategy[Entry], kinds: Sequence[str] = (*KINDS, "factor")) -> st.SearchStrategy[File]:
    one_of_a_kind = st.lists(
        st.tuples(st.sampled_from(kinds), entries),
        max_size=5,
        unique_by=lambda each: (each[0], bool(each[1].day) and each[0] not in ("host", "energy")),
    )
    return st.builds(File, one_of_a_kind.map(tuple), st.sampled_from(ZONES))


edits = st.lists(st.tuples(st.integers(1, 80), files(entry)), min_size=1, max_size=4)
uses = st.lists(st.tuples(st.sampled_from(KINDS), st.integers(0, 80), st.integers(0, 30)), min_size=1, max_size=8)


def run(
    first: File, later: Sequence[tuple[int, File]], used: Sequence[tuple[str, int, int]], each: Callable[..., None]
) -> Books:
    """Load, record and edit, hour by hour. Meters are booked when it happens, providers tell it some hours later."""
    books = Books(Settings())
    books.gpus = dict(GPUS)
    _clear(books)
    books.edit(first.settings(), MONDAY)
    each("edit", float(MONDAY), first)
    happens: list[tuple[int, int, str, Any]] = [(hour, 0, "edit", file) for hour, file in later]
    for i, (kind, hour, delay) in enumerate(used):
        told = hour + (delay if kind in ("listed", "unlisted") else 0)
        happens.append((told, 1 + i, "use", (kind, hour, i)))
    for hour, _, what, content in sorted(happens, key=lambda each: each[:2]):
        now = MONDAY + hour * HOUR
        if what == "edit":
            books.edit(content.settings(), now + 1)
            each("edit", now + 1.0, content)
            continue
        kind, at, i = content
        ts = MONDAY + at * HOUR + 60 * (2 + i)
        if kind in ("listed", "unlisted"):
            name = LISTED if kind == "listed" else UNLISTED
            books.hear([say(ts, 60, {"input": 1_234_567}, model=name)])
        else:
            books.book(metered(kind, ts, books.deriver.prices))
        each("use", kind, ts)
    return books


def _clear(books: Books) -> None:
    books.connection.execute("DELETE FROM meta WHERE key LIKE 'prices:%'")
    books.log._loaded.clear()


RESOURCES = {"gpu_busy": "gpu", "host": "host", "gpu_energy": "energy", "input": "api"}


def priced(books: Books) -> dict[tuple[str, int], Decimal | None]:
    """The price of each thing used, by what it is and when."""
    accounts = read_accounts(books.connection)
    found = {}
    for start, number in books.connection.execute("SELECT start, account FROM lines ORDER BY start").fetchall():
        account = accounts[number]
        kind = {LISTED: "listed", UNLISTED: "unlisted"}.get(account.model or "", RESOURCES.get(account.resource, ""))
        price = read_price(books.connection, account.price) if account.price else None
        if kind:
            assert (kind, start) not in found
            found[kind, start] = price.usd if price else None
    return found
