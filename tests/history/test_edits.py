"""An edit of pricing.toml changes the prices that it should, no other and no quantity: held against a slow model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.history.accounts import read_accounts, read_price
from infertop.money.lines import Basis, Line, Price
from infertop.money.rates import PriceBook
from infertop.money.repricing import SeenGpu
from infertop.money.settings import Energy, HourlyRate, Owned, Settings
from tests.history.stating import DAY, LISTED, MONDAY, UNLISTED, Books, factor, model, say
from tests.money.tape import H100

HOUR = 3600
A100 = "NVIDIA A100-SXM4-80GB"
GPUS = {"GPU-0": SeenGpu(H100, None), "GPU-1": SeenGpu(A100, None)}
OWNED = HourlyRate(A100, "pricing.toml:90", owned=Owned(Decimal(8760), Decimal(1)))
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata")
KINDS = ("listed", "unlisted", "gpu", "host", "energy")


@dataclass(frozen=True)
class Entry:
    """What a file says of one thing: USD, and from which day of July 2026 on (0: always)."""

    usd: int
    day: int = 0

    @property
    def since(self) -> date | None:
        return date(2026, 7, self.day) if self.day else None


@dataclass(frozen=True)
class File:
    """A pricing.toml: entries by kind, at most one without a day and one with; factors on the list in tenths."""

    entries: tuple[tuple[str, Entry], ...] = ()
    zone: str = "UTC"

    def of(self, kind: str, dated: bool) -> Entry | None:
        return next((each for name, each in self.entries if name == kind and bool(each.day) is dated), None)

    def settings(self) -> Settings:
        models, gpus, factors, host, energy = [], [OWNED], [], None, None
        for kind, each in self.entries:
            line = 2 + 2 * bool(each.day)
            where = f"pricing.toml:{line}"
            if kind in ("listed", "unlisted"):
                name = LISTED if kind == "listed" else UNLISTED
                models.append(model(name, line, each.since, input=str(each.usd)))
            elif kind == "factor":
                factors.append(factor(f"0.{each.usd}", line, each.since))
            elif kind == "gpu":
                gpus.append(HourlyRate("H100", where, Decimal(each.usd), since=each.since))
            elif kind == "host":
                host = HourlyRate("host", where, Decimal(each.usd), since=each.since)
            else:
                energy = Energy(Decimal(each.usd), where, since=each.since)
        return Settings(
            zone=ZoneInfo(self.zone),
            models=tuple(models),
            providers=tuple(factors),
            gpus=tuple(gpus),
            host=host,
            energy=energy,
        )


Cost = tuple[Decimal | None, str]
"""USD, and which kind of price it is: "dated", "undated", "list", "default" or "none"."""


class Model:
    """The rule, said once more and slowly, for one thing used at `ts`."""

    def __init__(self, kind: str, ts: float) -> None:
        self.kind, self.ts = kind, ts
        self.files: list[tuple[float, File]] = []
        self.cost: Cost | None = None

    def edit(self, ts: float, file: File) -> None:
        self.files.append((ts, file))
        if self.cost is not None:
            self.cost = self._after(self.cost)

    def use(self) -> None:
        """It is told by now."""
        self.cost = self._now(True) if self._now(True) != self._now(False) else self._undated()

    def _after(self, cost: Cost) -> Cost:
        now = self._now(True)
        if now != self._now(False):
            return now
        if cost[1] == "dated":
            return self._undated()
        if cost[1] in ("none", "default") and now[1] not in ("none", "default"):
            return now
        return cost

    def _undated(self) -> Cost:
        at = max((i for i, (ts, _) in enumerate(self.files) if ts <= self.ts), default=0)
        found = [self._says(file, False) for _, file in self.files[at:]]
        return next((each for each in found if each[1] not in ("none", "default")), found[0])

    def _now(self, dates: bool) -> Cost:
        return self._says(self.files[-1][1], dates)

    def _says(self, file: File, dates: bool) -> Cost:
        found = self._entry(file, self.kind, dates)
        if found:
            return Decimal(found.usd), "dated" if found.day else "undated"
        if self.kind == "listed":
            by = self._entry(file, "factor", dates)
            if by is None:
                return Decimal("2.5"), "list"
            return Decimal("2.5") * by.usd / 10, "dated" if by.day else "undated"
        return {"unlisted": (None, "none"), "host": (None, "none"), "gpu": (DEFAULT, "default")}.get(
            self.kind, (Decimal("0.15"), "default")
        )

    def _entry(self, file: File, kind: str, dates: bool) -> Entry | None:
        dated = file.of(kind, True)
        if dates and dated and dated.since:
            midnight = dated.since
            begin = __import__("datetime").datetime(
                midnight.year, midnight.month, midnight.day, tzinfo=ZoneInfo(file.zone)
            )
            if begin.timestamp() <= self.ts:
                return dated
        return file.of(kind, False)


DEFAULT = PriceBook(Settings()).gpu_rate(H100, None, ts=0).price.usd  # type: ignore[union-attr]


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
        return [*_costed([replace(some, price=price)]), *_costed([replace(time, price=rate)])]
    return _costed([replace(each, price=price) for each in lines])


def _costed(lines: list[Line]) -> list[Line]:
    from infertop.money.drafts import costed

    return costed(lines)


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


@settings(deadline=None, max_examples=150)
@given(files(entry), edits, uses)
def test_every_price_is_that_of_the_slow_model(
    first: File, later: list[tuple[int, File]], used: list[tuple[str, int, int]]
) -> None:
    models: dict[tuple[str, int], Model] = {}
    past: list[tuple[float, File]] = []

    def watch(what: str, one: Any, two: Any) -> None:
        if what == "edit":
            past.append((one, two))
            for each in models.values():
                each.edit(one, two)
            return
        made = models[one, two] = Model(one, two)
        made.files = list(past)
        made.use()

    books = run(first, later, used, watch)
    assert priced(books) == {key: each.cost[0] for key, each in models.items() if each.cost}
    before = books.lines()
    books.edit(books.deriver.prices.settings, MONDAY + 100 * HOUR)
    assert books.lines() == before
    books.reopen()
    assert books.lines() == before


@settings(deadline=None, max_examples=80)
@given(files(entry), files(dated_entry), files(dated_entry), uses, st.integers(0, 40), st.integers(0, 40))
def test_with_dates_the_last_edit_alone_decides(
    base: File, one: File, two: File, used: list[tuple[str, int, int]], at: int, after: int
) -> None:
    undated = tuple(each for each in base.entries if not each[1].day)
    kinds = {kind for kind, _ in undated if kind in ("host", "energy")}
    base = File(undated)
    one, two = (File((*undated, *(e for e in f.entries if e[0] not in kinds)), "UTC") for f in (one, two))
    both = run(base, [(at, one), (at + after + 1, two)], used, lambda *_: None)
    alone = run(base, [(at + after + 1, two)], used, lambda *_: None)
    assert both.lines() == alone.lines()


@settings(deadline=None, max_examples=60)
@given(files(entry), edits, uses, st.sampled_from([36, 37, 402]))
def test_what_is_put_together_keeps_its_prices_and_its_quantities(
    first: File, later: list[tuple[int, File]], used: list[tuple[str, int, int]], days: int
) -> None:
    books = run(first, later, used, lambda *_: None)
    books.compact(MONDAY + days * DAY)
    before = books.lines()
    books.edit(books.deriver.prices.settings, MONDAY + days * DAY)
    books.reopen()
    assert books.lines() == before
    sums = "SELECT a.resource, sum(quantity) FROM lines JOIN accounts a ON a.id = account GROUP BY 1"
    quantities = books.connection.execute(sums).fetchall()
    books.edit(
        Settings(gpus=(HourlyRate("H100", "x:1", Decimal(7), since=date(2026, 7, 7)), OWNED)), MONDAY + days * DAY
    )
    assert books.connection.execute(sums).fetchall() == quantities


def test_of_two_files_loaded_within_one_second_the_last_holds_for_what_is_used_after_it() -> None:
    undated = File((("listed", Entry(1)),))
    later = [(1, undated), (2, File()), (2, undated)]
    books = run(File(), later, [("listed", 1, 0), ("listed", 2, 0)], lambda *_: None)
    before = books.lines()
    assert [row[8] for row in before] == [1_234_567_000] * 2
    for said in (Settings(), undated.settings()):
        books.edit(said, MONDAY + 100 * HOUR)
        assert books.lines() == before


def test_what_was_used_after_an_edit_keeps_its_price_also_within_an_hour_that_began_before_it() -> None:
    undated = File((("listed", Entry(1)),))
    books = run(File(), [(1, undated)], [("listed", 1, 0)], lambda *_: None)
    books.compact(MONDAY + 36 * DAY)
    before = books.lines()
    assert [row[8] for row in before] == [1_234_567_000]
    books.reopen()
    assert books.lines() == before
