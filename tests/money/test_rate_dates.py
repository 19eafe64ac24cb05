"""Rates of GPUs, host and energy that hold from a date on."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from infertop.money.dates import begins
from infertop.money.hourly import formula
from infertop.money.load import parse
from infertop.money.rates import PriceBook
from infertop.money.schema import Mistakes
from infertop.money.settings import UTC, Settings

H100 = "NVIDIA H100 80GB HBM3"
BERLIN = ZoneInfo("Europe/Berlin")


def book(text: str) -> PriceBook:
    return PriceBook(parse(text.encode()))


def midnight(day: str, zone: ZoneInfo = BERLIN) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=zone).timestamp()


def usd(prices: PriceBook, ts: float, name: str = H100) -> Decimal | None:
    price = prices.gpu_price(name, ts=ts)
    return price.usd if price else None


# Either side of both changes of the clock, and a day like any other.
@pytest.mark.parametrize("day", ["2026-03-29", "2026-03-30", "2026-10-25", "2026-10-26", "2026-11-22"])
def test_a_rate_holds_from_the_first_moment_of_its_day_in_the_files_zone(day: str) -> None:
    prices = book(
        f'timezone = "Europe/Berlin"\n[gpu.H100]\nusd_per_hour = 2\nfrom = {day}\n'
        f"[host]\nusd_per_hour = 1\nfrom = {day}\n[energy]\nusd_per_kwh = 0.3\nfrom = {day}\n"
    )
    start = midnight(day)
    before, since = prices.gpu_price(H100, ts=start - 1), prices.gpu_price(H100, ts=start)
    assert before is not None
    assert since is not None
    assert before.default
    assert (since.usd, since.since, since.source, since.default) == (2, day, "pricing.toml:3", False)
    assert prices.host_price(start - 1) is None
    host = prices.host_price(start)
    assert host is not None
    assert (host.usd, host.since) == (1, day)
    assert prices.energy_price(start - 1).default
    assert (prices.energy_price(start).usd, prices.energy_price(start).since) == (Decimal("0.3"), day)


def test_a_day_without_a_midnight_begins_when_the_clock_jumps_over_it() -> None:
    cairo = ZoneInfo("Africa/Cairo")
    jump = datetime(2026, 4, 24, 1, tzinfo=cairo)
    assert begins(jump.date(), cairo) == jump.timestamp()
    assert datetime.fromtimestamp(jump.timestamp() - 1, cairo).day == 23


def test_of_several_rates_the_newest_that_has_begun_holds() -> None:
    prices = book(
        "[[gpu.H100]]\nusd_per_hour = 2\nfrom = 2026-07-01\n"
        "[[gpu.H100]]\nusd_per_hour = 3\n"
        "[[gpu.H100]]\nusd_per_hour = 1\nfrom = 2026-10-01\n"
    )
    assert usd(prices, midnight("2020-01-01", UTC)) == 3
    assert usd(prices, midnight("2026-07-01", UTC) - 1) == 3
    assert usd(prices, midnight("2026-07-01", UTC)) == 2
    assert usd(prices, midnight("2026-10-01", UTC)) == 1
    # Asked for in another order, the same comes out.
    assert usd(prices, midnight("2026-07-01", UTC)) == 2


def test_two_spellings_of_one_family_are_one_gpu_over_time() -> None:
    prices = book("[gpu.h100]\nusd_per_hour = 2\n[gpu.H100]\nusd_per_hour = 3\nfrom = 2026-11-01\n")
    assert usd(prices, midnight("2026-11-01", UTC) - 1) == 2
    assert usd(prices, midnight("2026-11-01", UTC)) == 3


def test_an_exact_name_that_has_yet_to_begin_leaves_the_glob_in_force() -> None:
    prices = book(f'[gpu."*"]\nusd_per_hour = 5\n[gpu."{H100}"]\nusd_per_hour = 2\nfrom = 2026-11-01\n')
    assert usd(prices, midnight("2026-11-01", UTC) - 1) == 5
    assert usd(prices, midnight("2026-11-01", UTC)) == 2


def test_two_rates_of_one_gpu_from_one_date_are_a_mistake() -> None:
    with pytest.raises(Mistakes) as found:
        parse(b"[[gpu.H100]]\nusd_per_hour = 2\n[[gpu.H100]]\nusd_per_hour = 3\n")
    assert found.value.sentences == (
        "pricing.toml:3: gpu.H100[1] is the same GPU as gpu.H100[0]: keep one, or give them different dates (from)",
    )


def test_what_is_explained_is_what_holds_at_that_time() -> None:
    prices = book("[gpu.H100]\nusd_per_hour = 2\nfrom = 2026-11-01\n")
    start = midnight("2026-11-01", UTC)
    assert "pricing.toml:2" in prices.explain_gpu(H100, None, None, start)[0]
    assert "default rate" in prices.explain_gpu(H100, None, None, start - 1)[0]


def test_a_months_overhead_comes_on_top_of_a_rent() -> None:
    prices = book("[host]\nusd_per_hour = 0.40\noverhead_usd_per_month = 73\n")
    host = prices.host_price(0.0)
    assert host is not None
    assert host.usd == Decimal("0.5")
    rate = prices.host_rate(0.0)
    assert rate is not None
    assert formula(rate) == "rented at 0.40 USD/h + 73 USD / 730 h overhead (pricing.toml:2)"
    assert usd(book("[gpu.H100]\nusd_per_hour = 2\noverhead_usd_per_month = 7.3\n"), 0.0) == Decimal("2.01")


def test_names_of_gpus_without_end_do_not_fill_the_memory() -> None:
    prices = PriceBook(Settings())
    for number in range(5000):
        prices.gpu_rate(f"ACME {number}", ts=0.0)
    assert len(prices._rates) <= 4096
