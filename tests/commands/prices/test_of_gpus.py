"""What `infertop prices` says of a GPU, a slice of one and energy."""

from __future__ import annotations

import json

from tests.commands.prices.asking import OWN, Run, only


def test_a_gpu_has_formula_source_range_and_what_to_paste(prices: Run) -> None:
    status, out, _ = prices("NVIDIA", "H100", "80GB", "HBM3")
    assert status == 0
    assert out.startswith("NVIDIA H100 80GB HBM3  GPU H100  2.95 USD/h")
    for told in ("on offer from 2.29 to 4.29 USD/h", "board power 700 W", "1/7 of the compute = 0.421429 USD/h"):
        assert told in " ".join(out.split())
    assert '    [gpu."NVIDIA H100 80GB HBM3"]\n    usd_per_hour = 2.95' in out


def test_a_slice_is_priced_of_every_gpu_that_can_be_divided_and_of_no_other(prices: Run) -> None:
    _, out, _ = prices("RTXPRO5000", own="[gpu.RTXPRO5000]\nusd_per_hour = 1.5\n")
    assert "a MIG slice: 1/2 of the compute = 0.75 USD/h" in out
    (whole, undivided) = (only(prices(name, "--json"))["gpus"][0]["compute_slices"] for name in ("H100", "T4"))
    assert (whole, undivided) == (7, None)
    assert "MIG" not in prices("T4")[1]


def test_an_owned_gpu_has_its_amortisation_and_energy(prices: Run) -> None:
    _, out, _ = prices("H100", own=OWN)
    told = " ".join(out.split())
    assert "(25000 - 2000) USD / (4 years x 8760 h x availability 1)" in told
    assert "0.2 USD/kWh (pricing.toml:19) x PUE 1.3 = 0.26 USD/kWh" in told
    assert "put what you pay" not in told
    (gpu,) = only(prices("H100", "--json", own=OWN))["gpus"]
    assert (gpu["usd_per_hour"], gpu["owned"], gpu["default"]) == ("0.656392694064", True, False)


def test_a_gpu_of_no_known_kind_is_a_gpu_all_the_same(prices: Run) -> None:
    status, out, _ = prices("NVIDIA Foo 9000")
    assert status == 1
    assert '[gpu."NVIDIA Foo 9000"]' in out
    assert "[model" not in out
    status, out, _ = prices("NVIDIA", "Foo", "9000", own='[gpu."NVIDIA Foo 9000"]\nusd_per_hour = 4\n')
    assert (status, out.splitlines()[0]) == (0, "NVIDIA Foo 9000  GPU of an unknown kind  4 USD/h")
    each = [part["name"] for part in json.loads(prices("NVIDIA Foo 9000", "H100", "gpt-4o", "--json")[1])["names"]]
    assert each == ["NVIDIA Foo 9000", "H100", "gpt-4o"]
    assert prices("the rack", own='[gpu."the rack"]\nusd_per_hour = 4\n')[1].splitlines()[1] == "  pricing.toml:2"


def test_energy_is_told_with_its_hours_and_date(prices: Run) -> None:
    own = "[energy]\nusd_per_kwh = 0.2\npue = 1.3\nfrom = 2026-10-26\n"
    own += '[[energy.tariff]]\nfrom = "22:00"\nto = "06:00"\nusd_per_kwh = 0.09\n'
    said = " ".join(prices(own=own)[1].split())
    assert "energy 0.2 USD/kWh, 22:00-06:00 0.09 x PUE 1.3 from 2026-10-26" in said


def test_a_part_of_a_name_lists_the_gpus_that_have_it(prices: Run) -> None:
    assert [each["name"] for each in only(prices("A100", "--json"))["gpus"]] == ["A100", "A100-80GB", "A100-40GB"]
    _, out, _ = prices("RTX")
    assert "RTX4090" in out
    assert "0.34 to 0.74" in out
