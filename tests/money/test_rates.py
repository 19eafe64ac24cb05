from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.gpu_rate import gpu_rate
from infertop.money.hourly import amortised_usd
from infertop.money.load import parse
from infertop.money.rates import PriceBook
from infertop.money.settings import HourlyRate, Owned, Settings

H100 = "NVIDIA H100 80GB HBM3"
A100 = "NVIDIA A100-SXM4-40GB"
NOW = 1795305600.0  # 2026-11-22


def book(text: str) -> PriceBook:
    return PriceBook(parse(text.encode()))


def rented(*rates: tuple[str, str]) -> Settings:
    return Settings(
        gpus=tuple(HourlyRate(name, f"pricing.toml:{line}", Decimal(usd)) for line, (name, usd) in enumerate(rates, 1))
    )


def usd(settings: Settings, name: str, memory: int | None = None, slices: int | None = None) -> Decimal | None:
    price = gpu_rate(settings, name, memory, slices).price
    return price.usd if price else None


def test_without_a_setting_a_gpu_has_the_default_rate_and_says_so() -> None:
    rate = gpu_rate(Settings(), H100)
    assert rate.price is not None
    assert (rate.price.usd, rate.price.per, rate.price.source) == (
        Decimal("2.95"),
        "GPU hour",
        "default rates 2026-11-22",
    )
    assert rate.price.default
    assert not rate.owned
    assert rate.lines[1].startswith("read on 2026-11-22, on offer from 2.29 to 4.29 USD/h: SkyPilot v8: nebius 2.95")
    assert '[gpu."NVIDIA H100 80GB HBM3"]' in rate.lines[-1]


def test_a_gpu_that_nobody_knows_has_no_price_and_names_what_to_paste() -> None:
    rate = gpu_rate(Settings(), 'ACME "Turbo" 9')
    assert rate.price is None
    assert rate.lines == (
        'no price for ACME "Turbo" 9, which is no GPU that infertop knows: '
        'set usd_per_hour under [gpu."ACME \\"Turbo\\" 9"] in pricing.toml',
    )


@pytest.mark.parametrize("name", ["NVIDIA GB200", "Tesla V100-SXM2-32GB", "NVIDIA A100-SXM-64GB", "NVIDIA RTX 6000"])
def test_a_known_gpu_without_a_price_does_not_get_its_neighbours(name: str) -> None:
    assert usd(Settings(), name) is None


def test_the_nvl_form_does_not_get_the_default_rate_of_its_neighbour() -> None:
    rate = gpu_rate(Settings(), "NVIDIA H200 NVL")
    assert rate.price is None
    assert '[gpu."NVIDIA H200 NVL"]' in rate.lines[0]


def test_a_rented_gpu_has_its_price_from_its_line() -> None:
    rate = book(f'timezone = "UTC"\n\n[gpu."{H100}"]\nusd_per_hour = 2.49\n').gpu_rate(H100, ts=NOW)
    assert rate.price is not None
    assert (rate.price.usd, rate.price.source, rate.price.default) == (Decimal("2.49"), "pricing.toml:4", False)
    assert rate.lines == ("$/hour = rented at 2.49 USD/h (pricing.toml:4) = 2.49 USD/h",)


def test_the_exact_name_goes_before_the_size_the_size_before_the_family_the_family_before_globs() -> None:
    rates = [("*", "5"), ("*A100*", "4"), ("A100", "3"), ("A100-40GB", "2"), (A100, "1")]
    for count in range(len(rates), 2, -1):
        assert usd(rented(*rates[:count]), A100) == Decimal(rates[count - 1][1])
    assert usd(rented(("*", "5")), "whatever") == 5
    # Globs hold in the order of the file.
    assert usd(rented(("*", "5"), ("*A100*", "4")), A100) == 5
    assert usd(rented(("*A100*", "4"), ("*", "5")), A100) == 4


def test_a_family_reaches_its_forms_and_no_other_gpu() -> None:
    settings = rented(("H100", "2"), ("L4", "1"), ("RTX A6000", "3"))
    assert usd(settings, "NVIDIA H100 NVL") == 2
    assert usd(settings, "NVIDIA L40S") == Decimal("1.55")
    assert usd(settings, "NVIDIA RTX A6000") == 3
    assert usd(settings, "NVIDIA RTX 6000 Ada Generation") == Decimal("0.83")


def test_a_full_name_prices_that_gpu_alone() -> None:
    settings = rented(("NVIDIA H100 PCIe", "2"))
    assert usd(settings, "NVIDIA H100 PCIe") == 2
    assert usd(settings, H100) == Decimal("2.95")


def test_a_mig_instance_costs_its_share_by_compute_slices() -> None:
    settings = rented((A100, "7"))
    assert usd(settings, f"{A100} MIG 3g.20gb", 20 * 2**30) == 3
    assert usd(settings, f"{A100} MIG 3g.20gb", 20 * 2**30, slices=2) == 2
    assert usd(settings, A100, None, slices=4) == 4
    assert usd(settings, A100, None, slices=0) == 0
    assert usd(settings, A100, None, slices=9) == 7
    assert "x 3/7 compute slices" in gpu_rate(settings, f"{A100} MIG 3g.20gb").lines[0]


def test_the_memory_of_a_mig_instance_does_not_say_which_gpu_it_is_of() -> None:
    assert gpu_rate(Settings(), "NVIDIA A100 MIG 3g.40gb", 40 * 2**30).key == "A100"


def test_a_price_for_a_mig_instance_by_its_own_name_is_not_shared_again() -> None:
    assert usd(rented((f"{A100} MIG 3g.20gb", "0.9"), (A100, "7")), f"{A100} MIG 3g.20gb") == Decimal("0.9")


@given(st.decimals("0.01", "100", places=4), st.integers(0, 7))
def test_instances_and_what_is_left_of_a_gpu_cost_the_whole_to_a_billionth(rate: Decimal, slices: int) -> None:
    settings = rented((A100, str(rate)))
    parts = [usd(settings, A100, None, slices), usd(settings, A100, None, 7 - slices)]
    assert abs(sum((part for part in parts if part is not None), Decimal(0)) - rate) < Decimal("1e-9")


def test_an_owned_gpu_is_paid_off_over_the_hours_it_is_powered_on() -> None:
    owned = Owned(Decimal(1899), Decimal(3), Decimal(300))
    assert amortised_usd(owned) == Decimal(1599) / 26280
    half = Owned(
        Decimal(1899), Decimal(3), Decimal(300), availability=Decimal("0.5"), overhead_usd_per_month=Decimal(73)
    )
    assert amortised_usd(half) == Decimal(1599) / 13140 + Decimal("0.1")


def test_an_owned_gpu_pays_for_its_energy_apart() -> None:
    gpu = "[gpu.RTX4090]\npurchase_usd = 1899\nlifetime_years = 3\nresidual_usd = 300\n"
    prices = book(gpu + "[energy]\nusd_per_kwh = 0.2\npue = 1.5\n")
    rate = prices.gpu_rate("NVIDIA GeForce RTX 4090", ts=NOW)
    assert rate.owned
    assert rate.price is not None
    assert rate.price.usd == Decimal("0.060844748858")
    assert rate.price.source == "pricing.toml:2"
    assert prices.energy_price(0.0).usd == Decimal("0.30")
    assert prices.explain_gpu("NVIDIA GeForce RTX 4090", None, None, 0.0) == (
        "$/hour = (1899 - 300) USD / (3 years x 8760 h x availability 1) (pricing.toml:2) = 0.060845 USD/h",
        "energy is priced apart",
        "energy = 0.2 USD/kWh (pricing.toml:6) x PUE 1.5 = 0.30 USD/kWh at the GPU",
    )


def test_the_host_has_a_price_only_where_somebody_set_one() -> None:
    assert PriceBook(Settings()).host_price(NOW) is None
    price = book("[host]\nusd_per_hour = 0.40\n").host_price(NOW)
    assert price is not None
    assert (price.usd, price.per, price.source) == (Decimal("0.4"), "host hour", "pricing.toml:2")
    owned = book("[host]\npurchase_usd = 8760\nlifetime_years = 1\n").host_price(NOW)
    assert owned is not None
    assert owned.usd == 1


def test_the_same_content_makes_the_same_book_and_the_same_prices() -> None:
    text = f'[gpu."{H100}"]\nusd_per_hour = 100\n'
    one, other = book(text), book(text)
    one.gpu_price(H100, ts=NOW)
    assert one == other
    assert hash(one) == hash(other)
    first, second = one.gpu_price(H100, ts=NOW), other.gpu_price(H100, ts=NOW)
    assert first is not None
    assert second is not None
    assert first.id == second.id
    assert str(first.usd) == "100"
    assert one != book(text.replace("100", "101"))
