"""Pricing again in SQL gives to the last 1e-9 USD what pricing line by line gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import groupby

from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.deployments.declared import Deployment, Provisioned
from infertop.money.drafts import costed
from infertop.money.lines import Basis, Line, Price
from infertop.money.price_history import PriceHistory
from infertop.money.rates import PriceBook
from infertop.money.repricing import Repricing, SeenGpu
from infertop.money.settings import ClassPrice, Energy, HourlyRate, ModelPrices, Owned, Settings, Tariff
from infertop.readings.model import Statement
from tests.history.stating import DAY, LISTED, MONDAY, Books, factor, model, pages, say
from tests.money.edits import took
from tests.money.tape import H100

GPUS = {"GPU-0": SeenGpu(H100, None), "GPU-1": SeenGpu(H100, None)}
DEFAULT = PriceBook(Settings()).gpu_rate(H100, None, ts=0).price
OWN = Price("H100", Decimal("3.7"), "GPU hour", "pricing.toml:2")

quantity = st.integers(0, 60_000) | st.integers(0, 3) | st.integers(0, 86_400_000)
line = st.tuples(
    st.integers(0, 3),
    st.sampled_from(["GPU-0", "GPU-1"]),
    st.sampled_from([("a", "m"), ("a", None), ("b", "m")]),
    st.sampled_from(["gpu_busy", "gpu_idle"]),
    st.sampled_from([None, DEFAULT, DEFAULT, OWN]),
    quantity,
)


def made(rows: Sequence[tuple[int, str, tuple[str, str | None], str, Price | None, int]]) -> list[Line]:
    found: list[Line] = []
    for minute, group in groupby(sorted(rows, key=repr), key=lambda row: row[:2]):
        at = MONDAY + 60 * minute[0]
        lines = [
            Line(at, at + 60, who[0], "local", who[1], of, (("gpu", gpu),), n, "ms", None, price, Basis.MEASURED)
            for _, gpu, who, of, price, n in group
        ]
        found += costed(lines)
    return found


@settings(deadline=None, max_examples=150)
@given(st.lists(line, max_size=14), st.decimals("0", "99", places=9))
def test_sql_and_lines_agree(
    rows: list[tuple[int, str, tuple[str, str | None], str, Price | None, int]], usd: Decimal
) -> None:
    new = Settings(gpus=(HourlyRate("H100", "pricing.toml:9", usd),))
    books = Books()
    books.gpus = dict(GPUS)
    before = made(rows)
    books.book(before)
    books.edit(new, MONDAY + 3600)
    alone = Books()
    repricing = Repricing(PriceBook(new), GPUS)
    spans = groupby(sorted(before, key=lambda each: each.start), key=lambda each: each.start)
    alone.book([each for _, span in spans for each in repricing.lines(list(span))])
    assert books.lines() == alone.lines()


def test_a_group_in_which_something_stays_is_divided_as_before() -> None:
    books = Books()
    books.gpus = dict(GPUS)
    rows = [(0, "GPU-0", ("a", "m"), "gpu_busy", DEFAULT, 20_000), (0, "GPU-0", ("b", "m"), "gpu_busy", OWN, 40_000)]
    books.book(made([*rows, (1, "GPU-0", ("a", "m"), "gpu_busy", DEFAULT, 60_000)]))
    stayed = [row for row in books.lines() if row[2] == "b"]
    books.edit(Settings(gpus=(HourlyRate("H100", "pricing.toml:9", Decimal("1.111111111")),)), MONDAY + 3600)
    assert [row for row in books.lines() if row[2] == "b"] == stayed
    of_a = [(row[7], row[8]) for row in books.lines() if row[2] == "a"]
    assert of_a == [(20_000, 6_172_840), (60_000, 18_518_519)]


def test_reserved_throughput_takes_a_price_with_a_date_in_the_ledger_too() -> None:
    def reserved(usd: str, since: date | None = None) -> Settings:
        terms = Provisioned(Decimal(usd), "", Decimal(100_000))
        return Settings(
            deployments=(Deployment("ptu", "azure", "gpt-4.1", "pricing.toml:5", terms, True, since=since),)
        )

    def line_at(start: int) -> Line:
        per_hour = Price("ptu", Decimal(60), "deployment hour", "pricing.toml:5")
        line = Line(
            start, start + 60, "ptu", "azure", "gpt-4.1", "deployment", (), 60_000, "ms", None, per_hour, Basis.COMPUTED
        )
        return costed([line])[0]

    books = Books(reserved("60"))
    books.book([line_at(MONDAY - 60), line_at(MONDAY)])
    books.edit(reserved("90", date(2026, 7, 6)), MONDAY + 3600)
    assert [(row[0], row[7], row[8]) for row in books.lines()] == [
        (MONDAY - 60, 60_000, 1_000_000_000),
        (MONDAY, 60_000, 1_500_000_000),
    ]

    def costs() -> list[int | None]:
        return [row[8] for row in books.lines()]

    # What the file no longer has gives way to what held at the time without it.
    books.edit(reserved("120"), MONDAY + 7200)
    assert costs() == [1_000_000_000, 1_000_000_000]
    books.edit(reserved("90", date(2026, 7, 6)), MONDAY + 9000)
    assert costs() == [1_000_000_000, 1_500_000_000]
    books.edit(Settings(), MONDAY + 10_800)
    assert costs() == [1_000_000_000, 1_000_000_000]
    books.reopen()
    books.edit(reserved("30", date(2026, 7, 6)), MONDAY + 20 * 365 * DAY)
    assert costs() == [1_000_000_000, 500_000_000]


def test_reserved_throughput_that_had_a_date_from_the_start_has_the_price_that_is_set_without_one() -> None:
    terms = Provisioned(Decimal(90), "", Decimal(100_000))
    dated = Deployment("ptu", "azure", "gpt-4.1", "pricing.toml:5", terms, True, since=date(2026, 7, 1))
    books = Books(Settings(deployments=(dated,)))
    per_hour = Price("ptu", Decimal(90), "deployment hour", "pricing.toml:5", "2026-07-01")
    unit = ("ptu", "azure", "gpt-4.1", "deployment", (), 60_000, "ms", None, per_hour, Basis.COMPUTED)
    books.book(costed([Line(MONDAY, MONDAY + 60, *unit)]))
    books.edit(Settings(), MONDAY + 1800)
    assert [row[8] for row in books.lines()] == [1_500_000_000]
    later = replace(dated, since=date(2026, 8, 1), terms=replace(terms, usd_per_hour=Decimal(30)))
    books.edit(Settings(deployments=(later,)), MONDAY + 3600)
    assert [row[8] for row in books.lines()] == [1_500_000_000]
    books.edit(Settings(deployments=(replace(later, since=None),)), MONDAY + 7200)
    assert [row[8] for row in books.lines()] == [500_000_000]


fraction = st.decimals("0", "9", places=6).map(str) | st.sampled_from(["1", "2.5", "0.075"])
prices = st.fixed_dictionaries({"input": fraction, "cache_read": fraction, "output": fraction})


def priced(usd: dict[str, str], line_number: int, day: int) -> Settings:
    where = f"pricing.toml:{line_number}"
    classes = tuple(ClassPrice(name, Decimal(each), where) for name, each in usd.items())
    return Settings(models=(ModelPrices("*", where, prices=classes, since=date(2026, 7, day)),))


@settings(deadline=None, max_examples=60)
@given(pages(), prices, prices, st.sampled_from([5, 6, 7]))
def test_statements_cost_what_they_cost_under_the_last_prices_alone(
    said: Sequence[Sequence[Statement]], one: dict[str, str], two: dict[str, str], day: int
) -> None:
    both, alone = Books(), Books()
    for page in said:
        both.hear(page)
        alone.hear(page)
    both.edit(priced(one, 2, 5), MONDAY + 90_000)
    for books in (both, alone):
        books.edit(priced(two, 4, day), MONDAY + 100_000)
    assert both.lines() == alone.lines()
    heard_late = Books(priced(two, 4, day))
    for page in said:
        heard_late.hear(page)
    if day < 7:
        assert heard_late.lines() == both.lines()


def test_statements_of_a_whole_and_a_broken_price_sum_to_the_rounded_whole() -> None:
    books = Books()
    one = Statement("o", "k", MONDAY, MONDAY + 60, "x", "y", {}, {"input": 1, "output": 1}, None, None, "measured")
    books.hear([one, replace(one, key="l"), replace(one, key="m")])
    broken = {"input": "0.0015", "output": "0.001"}
    books.edit(priced(broken, 2, 5), MONDAY + 90_000)
    assert [row[7:9] for row in books.lines()] == [(3, 3), (3, 3)]


def test_a_price_that_becomes_whole_leaves_the_rest_to_be_rounded_again() -> None:
    negotiated = Settings(providers=(factor("0.99995", 2),))
    dated = Settings(providers=negotiated.providers, models=(model(LISTED, 4, date(2026, 7, 5), input="2"),))
    said = [say(MONDAY, 60, {"input": 1, "output": 1})]
    edited, alone = Books(negotiated), Books(dated)
    edited.hear(said)
    assert [row[8] for row in edited.lines()] == [2500, 9999]
    edited.edit(dated, MONDAY + 3600)
    alone.hear(said)
    assert [row[8] for row in edited.lines()] == [2000, 10_000]
    assert edited.lines() == alone.lines()


def test_a_wide_line_over_the_day_of_a_price_has_that_of_its_start_and_says_so() -> None:
    books = Books()
    books.gpus = dict(GPUS)
    (narrow,) = made([(0, "GPU-0", ("a", "m"), "gpu_busy", DEFAULT, 60_000)])
    books.book([replace(narrow, end=MONDAY + 2 * 86_400, usd_nano=1)])
    rates = [(5, "1.5"), (7, "3")]
    gpus = tuple(
        HourlyRate("H100", f"pricing.toml:{day}", Decimal(usd), since=date(2026, 7, day)) for day, usd in rates
    )
    books.edit(Settings(gpus=gpus), MONDAY + 3600)
    assert [(row[8], row[11]) for row in books.lines()] == [(25_000_000, "astride")]
    before = books.lines()
    books.reopen()
    assert books.lines() == before


BOUGHT = HourlyRate("H100", "pricing.toml:7", owned=Owned(Decimal(8760), Decimal(1)))
POWER = Energy(Decimal("0.21"), "pricing.toml:8")
NIGHT = replace(POWER, tariffs=(Tariff(0, 60, Decimal("0.07"), "pricing.toml:9"),))
FILES = (
    Settings(),
    Settings(gpus=(HourlyRate("H100", "pricing.toml:2", Decimal("2.49")),)),
    Settings(gpus=(BOUGHT,)),
    Settings(gpus=(BOUGHT,), energy=POWER),
    Settings(gpus=(replace(BOUGHT, since=date(2026, 7, 1)),), energy=NIGHT),
    Settings(gpus=(replace(BOUGHT, since=date(2026, 7, 1)),), energy=replace(POWER, since=date(2026, 7, 1))),
)


@settings(deadline=None, max_examples=80)
@given(
    st.lists(st.tuples(st.integers(0, 3), st.sampled_from("ab"), quantity), min_size=1, max_size=8),
    st.sampled_from(FILES),
    st.lists(st.sampled_from(FILES), min_size=1, max_size=3),
    st.booleans(),
)
def test_a_gpu_and_its_energy_are_priced_together(
    rows: list[tuple[int, str, int]], first: Settings, later: list[Settings], long: bool
) -> None:
    rate = PriceBook(first).gpu_rate(H100, None, ts=MONDAY)
    before: list[Line] = []
    for minute, group in groupby(sorted(rows), key=lambda row: row[0]):
        at, width = MONDAY + minute * 1800, 86_400 if long else 60
        power = PriceBook(first).energy_price(at) if rate.owned else None
        bare = Line(at, at + width, "", "local", "m", "gpu", (("gpu", "GPU-0"),), 0, "ms", None, None, Basis.MEASURED)
        used = [replace(bare, source=who, quantity=n) for _, who, n in group]
        joules = [
            replace(each, resource="gpu_energy", unit="mJ", price=power, quantity=each.quantity * 7) for each in used
        ]
        before += [*costed(replace(each, price=rate.price) for each in used), *costed(joules)]
    books, alone = Books(first), Books(first)
    books.gpus = dict(GPUS)
    books.book(before)
    history = took(PriceHistory(PriceBook(first)), PriceBook(first), MONDAY)
    lines = before
    for i, each in enumerate(later):
        books.edit(each, MONDAY + 90_000 + i)
        history = took(history, PriceBook(each), MONDAY + 90_000 + i)
        spans = groupby(sorted(lines, key=lambda line: line.start), key=lambda line: line.start)
        lines = [line for _, span in spans for line in Repricing(history, GPUS).lines(list(span))]
    alone.book(lines)
    assert books.lines() == alone.lines()
