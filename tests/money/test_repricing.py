"""A price that is set later gives what a recording under it had given, where a person's price was missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from infertop.money.derive import Deriver
from infertop.money.gpu_shape import gpu_shape
from infertop.money.lines import Basis, Line
from infertop.money.price_history import PriceHistory
from infertop.money.rates import PriceBook
from infertop.money.repricing import Repricing, SeenGpu
from infertop.money.settings import Energy, HourlyRate, Owned, Settings, Tariff
from infertop.readings.model import Batch
from tests.money.edits import took
from tests.money.tape import H100, LLAMA, START, VLLM, Gpu, book, engine, host, nvml, owned_book, usd_nano
from tests.money.test_derive_properties import ENGINES, tape, tick

NIGHT = Tariff(2 * 60, 3 * 60, Decimal("0.07"), "pricing.toml:8")
OWNED = HourlyRate("H100", "pricing.toml:2", owned=Owned(Decimal("6394.8"), Decimal(1)))
# Without a price of their own: H100s have a default one; an owned one has a default price of energy.
BEFORE = (book(None), PriceBook(Settings(gpus=(OWNED,))))
AFTER = (book("2.49", host="0.4"), book("3.333333333", host="0.123456789"), owned_book(), owned_book(NIGHT))


def seen(batches: Iterable[Batch]) -> dict[str, SeenGpu]:
    return {
        at.gpu: SeenGpu(at.name, None, at.parent, bool(at.instances))
        for each in batches
        for at in gpu_shape(each.series).gpus
    }


def without_limits(ticks: list[Any]) -> list[Any]:
    """The ticks without power limits: energy is guessed by them only while a GPU is known to be bought."""
    return [{**each, "gpus": each["gpus"] and [replace(gpu, limit=None) for gpu in each["gpus"]]} for each in ticks]


def by_span(lines: Sequence[Line]) -> list[list[Line]]:
    spans: dict[tuple[int, int], list[Line]] = {}
    for line in lines:
        spans.setdefault((line.start, line.end), []).append(line)
    return list(spans.values())


def repriced(lines: Sequence[Line], repricing: Repricing) -> list[Line]:
    return ordered(line for span in by_span(lines) for line in repricing.lines(span))


def ordered(lines: Iterable[Line]) -> list[Line]:
    return sorted(lines, key=repr)


def edited(batches: Sequence[Batch], at: int, before: PriceBook, after: PriceBook) -> list[Line]:
    """The ledger where the file was edited before the batch with number `at` came."""
    deriver = Deriver(before, local_sources=set(ENGINES[1:]))
    closed: list[Line] = []
    repricing = Repricing(after, seen(batches))
    for i, each in enumerate(batches):
        if i == at:
            deriver.reprice(repricing)
            closed = repriced(closed, repricing)
        deriver.advance(each)
        closed += deriver.close_before(each.ts - 16)
    return ordered([*closed, *deriver.open_lines()])


@settings(deadline=None, max_examples=40)
@given(st.lists(tick, min_size=1, max_size=25), st.integers(0, 80), st.sampled_from(AFTER))
def test_the_ledger_is_that_of_a_recording_under_the_new_price(ticks: list[Any], at: int, after: PriceBook) -> None:
    batches = [each for _, each in tape(without_limits(ticks))]
    assert edited(batches, min(at, len(batches) - 1), BEFORE[0], after) == edited(batches, 0, after, after)


@settings(deadline=None, max_examples=25)
@given(st.lists(tick, min_size=1, max_size=20), st.integers(0, 80))
def test_energy_at_the_default_price_is_filled_too(ticks: list[Any], at: int) -> None:
    batches = [each for _, each in tape(ticks)]
    after = PriceBook(replace(owned_book(NIGHT).settings, gpus=(OWNED,)))
    assert edited(batches, min(at, len(batches) - 1), BEFORE[1], after) == edited(batches, 0, after, after)


@settings(deadline=None, max_examples=30)
@given(st.lists(tick, max_size=20), st.sampled_from(AFTER), st.sampled_from(AFTER))
def test_what_a_person_priced_stays_and_no_quantity_ever_changes(
    ticks: list[Any], before: PriceBook, after: PriceBook
) -> None:
    batches = [each for _, each in tape(ticks)]
    deriver = Deriver(before, local_sources=set(ENGINES[1:]))
    for each in batches:
        deriver.advance(each)
    lines = deriver.open_lines()
    found = repriced(lines, Repricing(after, seen(batches)))
    kept = [each for each in lines if each.price is not None]
    assert all(each in found for each in kept)
    bare = [replace(each, price=None, usd_nano=None) for each in found]
    assert ordered(bare) == ordered(replace(each, price=None, usd_nano=None) for each in lines)


def a_minute(gpus: Sequence[Gpu], prices: PriceBook) -> tuple[list[Line], dict[str, SeenGpu]]:
    batches = [nvml(START + i, *[replace(g, joules=500.0 * i) for g in gpus]) for i in range(61)]
    batches.append(engine(START + 0.5, requests=0))
    deriver = Deriver(prices)
    for each in sorted(batches, key=lambda each: each.ts):
        deriver.advance(each)
    return ordered(deriver.close_before(START + 60)), seen(batches)


def test_energy_that_a_rented_price_paid_for_stays_without_a_price_when_the_gpu_is_bought() -> None:
    lines, gpus = a_minute([Gpu(holders={VLLM: (None, None)})], book("2.49"))
    assert repriced(lines, Repricing(owned_book(), gpus)) == lines


@given(st.decimals("0.000000001", 9, places=9), st.lists(st.sampled_from([1, 2]), min_size=1, max_size=3))
def test_instances_with_a_price_of_their_own_and_their_gpu_still_cost_what_they_cost_exactly(
    usd: Decimal, slices: list[int]
) -> None:
    name = f"{H100} MIG 3g.40gb"
    parts = [Gpu(f"MIG-{i}", None, {VLLM: (None, None)}, name, "GPU-0", each) for i, each in enumerate(slices)]
    lines, gpus = a_minute([Gpu("GPU-0", None, slices=7 - sum(slices)), *parts], book(None))
    own = PriceBook(Settings(gpus=(HourlyRate(name, "pricing.toml:2", usd),)))
    time = [each for each in repriced(lines, Repricing(own, gpus)) if each.unit == "ms"]
    assert {(each.source, each.price.default) for each in time if each.price} == {(VLLM, False), ("nvml", True)}
    assert usd_nano(time) == round(sum(each.quantity * Fraction(each.price.usd) / 3600 * 10**6 for each in time))


def test_an_instance_of_unknown_slices_stays_without_a_price() -> None:
    parts = [Gpu("GPU-0", None), Gpu("MIG-0", None, {VLLM: (None, None)}, "MIG device", "GPU-0")]
    lines, gpus = a_minute(parts, book(None))
    assert repriced(lines, Repricing(book("2.49"), gpus)) == lines


def test_a_gpu_that_nobody_knows_any_more_stays_as_it_is() -> None:
    lines, _ = a_minute([Gpu()], book(None))
    assert repriced(lines, Repricing(book("2.49"), {})) == lines


def test_billed_lines_and_tokens_stay() -> None:
    lines, gpus = a_minute([Gpu()], book(None))
    billed = [replace(each, basis=Basis.BILLED) for each in lines]
    assert repriced(billed, Repricing(book("2.49"), gpus)) == ordered(billed)
    assert not Repricing(book("2.49"), gpus).concerns("output")


def test_only_what_costs_something_else_is_looked_at() -> None:
    default, _ = a_minute([Gpu()], book(None))
    by_user, gpus = a_minute([Gpu()], book("2.49"))
    rented, owned = Repricing(book("9.99", host="1"), gpus), Repricing(owned_book(), gpus)
    for repricing in (rented, owned):
        outdated = {
            each.resource
            for each in default
            if repricing.outdated(each.resource, each.dimensions, each.price, each.start)
        }
        assert outdated == {"gpu_busy", "gpu_idle"}
        assert not any(repricing.outdated(each.resource, each.dimensions, each.price, each.start) for each in by_user)
    assert rented.outdated("host", (), None, START)
    assert not owned.outdated("host", (), None, START)


def test_energy_over_a_day_with_two_tariffs_is_not_guessed() -> None:
    line = Line(
        0, 86400, VLLM, "local", LLAMA, "gpu_energy", (("gpu", "GPU-0"),), 10**6, "mJ", None, None, Basis.MEASURED
    )
    time = replace(line, resource="gpu", unit="ms")
    gpus = {"GPU-0": SeenGpu(H100, None)}
    flat = Repricing(owned_book(), gpus).lines([line, time])
    night = Repricing(owned_book(NIGHT), gpus).lines([line, time])
    assert [each.price is None for each in flat] == [False, False]
    assert {each.resource: each.price is None for each in night} == {"gpu": False, "gpu_energy": True}


def test_a_host_without_a_price_is_filled() -> None:
    deriver = Deriver(book(None))
    for i in range(0, 62, 2):
        deriver.advance(host(START + i))
    (line,) = repriced(deriver.close_before(START + 60), Repricing(book(host="0.40"), {}))
    assert (line.quantity, line.usd_nano) == (60_000, round(400_000_000 / 60))


def test_energy_settings_alone_concern_default_priced_energy() -> None:
    lines, gpus = a_minute([Gpu()], BEFORE[1])
    energy = Energy(Decimal("0.30"), "pricing.toml:9")
    repricing = Repricing(PriceBook(Settings(gpus=(OWNED,), energy=energy)), gpus)
    assert {e.resource for e in lines if repricing.outdated(e.resource, e.dimensions, e.price, e.start)} == {
        "gpu_energy"
    }
    assert usd_nano(repriced(lines, repricing)) > usd_nano(lines)


def dated(usd: str, line: int, since: date) -> HourlyRate:
    return HourlyRate("H100", f"pricing.toml:{line}", Decimal(usd), since=since)


BEGUN, LATER = date(1981, 5, 1), date(1981, 7, 1)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(tick, min_size=1, max_size=15),
    st.permutations([BEFORE[0], AFTER[0], PriceBook(Settings(gpus=(dated("7", 4, BEGUN),))), owned_book()]),
)
def test_an_open_minute_follows_the_same_rules_as_a_closed_one(ticks: list[Any], books: list[PriceBook]) -> None:
    batches = [each for _, each in tape(ticks)]
    opened, closed = Deriver(books[0]), Deriver(books[0])
    for each in batches:
        opened.advance(each)
        closed.advance(each)
    lines = closed.open_lines()
    history = took(PriceHistory(books[0]), books[0], 0)
    for i, prices in enumerate(books[1:]):
        history = took(history, prices, START + 10**7 + i)
        repricing = Repricing(history, seen(batches))
        opened.reprice(repricing)
        lines = repriced(lines, repricing)
        assert ordered(repriced(lines, repricing)) == lines
    assert ordered(opened.open_lines()) == lines


def test_a_date_that_is_taken_back_gives_way_to_what_held_without_it() -> None:
    lines, gpus = a_minute([Gpu()], book("2.49"))
    first = book("2.49")
    dear = PriceBook(Settings(gpus=(*first.settings.gpus, dated("9", 4, BEGUN))))
    not_yet = PriceBook(Settings(gpus=(*first.settings.gpus, dated("9", 4, LATER))))
    history = took(PriceHistory(first), dear, START + 600)
    raised = repriced(lines, Repricing(history, gpus))
    assert {each.price.usd for each in raised if each.price} == {Decimal(9)}
    assert repriced(raised, Repricing(took(history, not_yet, START + 700), gpus)) == lines
    assert repriced(raised, Repricing(took(history, first, START + 700), gpus)) == lines


def test_a_gpu_that_was_bought_on_a_day_pays_for_its_energy_since() -> None:
    lines, gpus = a_minute([Gpu(holders={VLLM: (None, None)})], book("2.49"))
    assert {each.price is None for each in lines if each.unit == "mJ"} <= {True}
    bought = replace(OWNED, since=BEGUN)
    history = took(PriceHistory(book("2.49")), PriceBook(Settings(gpus=(bought,))), START + 600)
    now = repriced(lines, Repricing(history, gpus))
    assert {each.price.default for each in now if each.unit == "mJ" and each.price} == {True}
    back = repriced(now, Repricing(took(history, book("2.49"), START + 700), gpus))
    assert back == lines
