from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from infertop.money.energy import energy_price, explain
from infertop.money.load import parse
from infertop.money.settings import UTC

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = parse(
    b'[energy]\nusd_per_kwh = 0.30\npue = 1.2\n[[energy.tariff]]\nfrom = "22:00"\nto = "06:00"\nusd_per_kwh = 0.10\n'
    b'[[energy.tariff]]\nfrom = 12:00:00\nto = "14:30"\nusd_per_kwh = 0.05\n'
).energy


def usd(clock: str, zone: ZoneInfo = BERLIN) -> Decimal:
    return energy_price(NIGHT, datetime.fromisoformat(f"2026-11-22T{clock}").replace(tzinfo=zone).timestamp(), zone).usd


@pytest.mark.parametrize(
    ("clock", "per_kwh"),
    [
        ("21:59:59", "0.30"),
        ("22:00:00", "0.10"),
        ("23:59:59", "0.10"),
        ("00:00:00", "0.10"),
        ("05:59:59", "0.10"),
        ("06:00:00", "0.30"),
        ("12:00:00", "0.05"),
        ("14:29:59", "0.05"),
        ("14:30:00", "0.30"),
    ],
)
def test_the_tariff_of_the_hour_holds_over_midnight_too(clock: str, per_kwh: str) -> None:
    assert usd(clock) == Decimal(per_kwh) * Decimal("1.2")


def test_hours_are_those_of_the_time_zone() -> None:
    at = datetime(2026, 7, 1, 20, 30, tzinfo=UTC).timestamp()  # 22:30 in Berlin
    assert energy_price(NIGHT, at, BERLIN).usd == Decimal("0.12")
    assert energy_price(NIGHT, at, UTC).usd == Decimal("0.36")


def test_a_tariff_is_the_source_of_its_price() -> None:
    assert energy_price(NIGHT, 0.0, UTC).source == "pricing.toml:7"
    assert energy_price(NIGHT, 9 * 3600.0, UTC).source == "pricing.toml:2"
    assert explain(NIGHT, 0.0, UTC) == (
        "energy = 0.10 USD/kWh (pricing.toml:7, 22:00-06:00) x PUE 1.2 = 0.120 USD/kWh at the GPU"
    )


def test_without_a_setting_a_kwh_has_a_price_that_is_marked_as_a_default() -> None:
    price = energy_price(None, 0.0, UTC)
    assert (price.usd, price.per, price.default) == (Decimal("0.15"), "kWh", True)
    assert "[energy]" in explain(None, 0.0, UTC)
