"""The energy of GPUs: by the counter, else by power over time, else by the limit; priced by the tariff of the hour."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.derive import Deriver
from infertop.money.gpu_power import Drawn, PowerBy, between, drawn
from infertop.money.lines import NANO, Basis, Line
from infertop.money.load import parse
from infertop.money.rates import PriceBook
from infertop.readings.model import Batch
from tests.money.tape import H100, LLAMA, START, VLLM, Gpu, book, engine, nvml, owned_book

BERLIN = ZoneInfo("Europe/Berlin")
MJ_OF_A_KWH = 3_600_000_000
OWNED = f'timezone = "Europe/Berlin"\n[gpu."{H100}"]\npurchase_usd = 6394.8\nlifetime_years = 1\n'
NIGHT = '[energy]\nusd_per_kwh = 0.30\npue = 1.5\n[[energy.tariff]]\nfrom = "22:00"\nto = "06:00"\nusd_per_kwh = 0.10\n'


def lines(prices: PriceBook, polls: Iterable[Batch]) -> list[Line]:
    """The lines of a tape."""
    deriver = Deriver(prices)
    for each in polls:
        deriver.advance(each)
    return deriver.open_lines()


def energy(prices: PriceBook, polls: Iterable[Batch]) -> list[Line]:
    """The lines of energy alone."""
    return [each for each in lines(prices, polls) if each.resource == "gpu_energy"]


def minute(*watts: float | None, **more: float) -> list[Batch]:
    """Polls a second apart with these readings of power."""
    return [nvml(START + at, Gpu(utilization=1.0, watts=each, **more)) for at, each in enumerate(watts)]


def millijoules(found: Iterable[Line]) -> int:
    return sum(each.quantity for each in found)


def test_the_energy_counter_goes_before_the_power_that_is_read() -> None:
    polls = [nvml(START + at, Gpu(utilization=1.0, joules=1e6 + 512.5 * at, watts=9.0)) for at in range(61)]
    (line,) = [each for each in energy(owned_book(), polls) if each.quantity]
    assert line.quantity == 512_500 * 60
    # 30.75 kJ are 0.00854166... kWh at 0.195 USD.
    assert line.usd_nano == round(Fraction(line.quantity) * Fraction("0.195") * NANO / MJ_OF_A_KWH) == 1_665_625
    assert line.basis is Basis.MEASURED


def test_power_is_taken_to_change_evenly_from_reading_to_reading() -> None:
    # Trapezoids: (100 + 300) / 2 + (300 + 200) / 2 + (200 + 200) / 2.
    assert millijoules(energy(owned_book(), minute(100.0, 300.0, 200.0, 200.0))) == 650_000


def test_where_one_of_two_readings_is_missing_the_other_holds() -> None:
    assert millijoules(energy(owned_book(), minute(100.0, None, 300.0, 300.0))) == 100_000 + 300_000 + 300_000


def test_energy_in_a_gap_is_unknown() -> None:
    polls = [nvml(START, Gpu(watts=100.0)), nvml(START + 40, Gpu(watts=100.0)), nvml(START + 41, Gpu(watts=100.0))]
    assert millijoules(energy(owned_book(), polls)) == 100_000


def test_without_a_reading_an_owned_gpu_draws_its_limit_and_that_is_an_estimate() -> None:
    found = energy(owned_book(), minute(None, None, None, limit=700.0))
    assert millijoules(found) == 1_400_000
    assert {each.basis for each in found} == {Basis.ESTIMATED}
    time = [each for each in lines(owned_book(), minute(None, None, limit=700.0)) if each.unit == "ms"]
    assert {each.basis for each in time} == {Basis.MEASURED}


def test_nobody_guesses_the_energy_that_a_rent_includes() -> None:
    assert energy(book("2.49"), minute(None, None, limit=700.0)) == []
    assert millijoules(energy(book("2.49"), minute(400.0, 400.0, limit=700.0))) == 400_000


def test_an_owned_gpu_of_unknown_power_has_no_energy_and_not_0() -> None:
    assert energy(owned_book(), minute(None, None)) == []


def test_a_counter_that_runs_back_or_leaps_gives_way_to_the_power_read() -> None:
    for joules in (5e6, -1.0):
        polls = [nvml(START, Gpu(joules=1e6, watts=200.0)), nvml(START + 1, Gpu(joules=1e6 + joules, watts=200.0))]
        assert millijoules(energy(owned_book(), polls)) == 200_000


def at(text: str) -> float:
    """Epoch seconds of a local time in Berlin; of an hour that comes twice with fold=1 where a "b" follows."""
    local = datetime.fromisoformat(text.rstrip("b")).replace(tzinfo=BERLIN, fold=int(text.endswith("b")))
    return local.timestamp()


@pytest.mark.parametrize(
    ("before", "price", "after", "then"),
    [
        ("2026-11-22T05:59", "0.15", "2026-11-22T06:00", "0.45"),
        ("2026-11-22T21:59", "0.45", "2026-11-22T22:00", "0.15"),
        # Summer time begins and ends: the tariff follows the clock on the wall.
        ("2026-03-29T01:59", "0.15", "2026-03-29T03:00", "0.15"),
        ("2026-03-29T05:59", "0.15", "2026-03-29T06:00", "0.45"),
        ("2026-10-25T02:59", "0.15", "2026-10-25T02:00b", "0.15"),
        ("2026-10-25T05:59", "0.15", "2026-10-25T06:00", "0.45"),
    ],
)
def test_a_poll_across_the_edge_of_a_tariff_pays_both(before: str, price: str, after: str, then: str) -> None:
    edge = at(after)
    assert edge - at(before) == 60
    prices = PriceBook(parse((OWNED + NIGHT).encode()))
    gpu = Gpu(utilization=1.0, watts=360.0)
    found = [each for each in energy(prices, [nvml(edge - 4, gpu), nvml(edge + 6, gpu)]) if each.quantity]
    paid = [(each.start, each.quantity, each.price.usd if each.price else None) for each in found]
    assert paid == [(edge - 60, 1_440_000, Decimal(price)), (edge, 2_160_000, Decimal(then))]
    assert [each.usd_nano for each in found] == [Decimal(price) * 400_000, Decimal(then) * 600_000]


def test_a_day_with_25_hours_has_the_night_tariff_for_nine() -> None:
    prices = PriceBook(parse((OWNED + NIGHT).encode()))
    begin = at("2026-10-25T00:00")
    hours = [prices.energy_price(begin + 3600 * hour).usd for hour in range(25)]
    assert at("2026-10-26T00:00") - begin == 25 * 3600
    assert hours.count(Decimal("0.15")) == 9
    assert hours == [Decimal("0.15")] * 7 + [Decimal("0.45")] * 16 + [Decimal("0.15")] * 2


def test_instances_share_the_energy_of_their_gpu_by_slices() -> None:
    def poll(ts: float, joules: float | None, limit: float | None = None) -> Batch:
        part = Gpu("MIG-0", None, {VLLM: (None, None)}, f"{H100} MIG 3g.40gb", "GPU-0", 3)
        return nvml(ts, Gpu("GPU-0", None, slices=4, joules=joules, limit=limit), part)

    models = engine(START, requests=0)
    counted = energy(owned_book(), [models, *[poll(START + i, 700.0 * i) for i in range(11)]])
    by_model = {each.model: each.quantity for each in counted}
    assert by_model == {LLAMA: 3_000_000, None: 4_000_000}
    guessed = energy(owned_book(), [models, *[poll(START + i, None, 350.0) for i in range(11)]])
    assert {each.model: (each.quantity, each.basis) for each in guessed} == {
        LLAMA: (1_500_000, Basis.ESTIMATED),
        None: (2_000_000, Basis.ESTIMATED),
    }


def test_what_was_guessed_is_still_a_guess_after_a_restart() -> None:
    first, second, third = minute(None, None, None, limit=700.0)
    deriver = Deriver(owned_book())
    deriver.advance(first)
    deriver.advance(second)
    again = Deriver(owned_book())
    again.load(deriver.dump())
    again.advance(third)
    found = [each for each in again.open_lines() if each.resource == "gpu_energy"]
    assert (millijoules(found), {each.basis for each in found}) == (1_400_000, {Basis.ESTIMATED})


@given(*[st.none() | st.floats(allow_nan=False)] * 3)
def test_the_first_that_can_be_true_is_the_power(
    counted: float | None, read: float | None, limit: float | None
) -> None:
    found = drawn(counted, read, limit)
    fit = [each for each in (counted, read, limit) if each is not None and 0 <= each <= 10_000]
    assert (found.watts if found else None) == (fit[0] if fit else None)


def test_the_parts_of_a_gpu_draw_what_it_draws() -> None:
    whole = Drawn(350.0, PowerBy.COUNTER)
    parts = [whole._replace(part=(each, 7)).watts for each in (1, 2, 4)]
    assert parts == [50.0, 100.0, 200.0]
    assert (between(1.0, 3.0), between(None, 3.0), between(1.0, None), between(None, None)) == (2.0, 3.0, 1.0, None)
