from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infertop.money.gpu_rates import (
    default_rates,
    divided_into,
    families,
    gpu_key,
    mig_slices,
    whole_slices,
    without_mig,
)

GIB = 2**30

NAMES = [
    ("NVIDIA GB300", None, "GB300"),
    ("NVIDIA GB200", None, "GB200"),
    ("NVIDIA GH200 480GB", None, "GH200"),
    ("NVIDIA GH200 480GB", 97 * GIB, "GH200"),
    ("NVIDIA GH200 144G HBM3e", None, "GH200"),
    ("NVIDIA B300 SXM6 AC", None, "B300"),
    ("NVIDIA B200", None, "B200"),
    ("NVIDIA H200", None, "H200"),
    ("NVIDIA H200 NVL", None, "H200-NVL"),
    ("NVIDIA H100 80GB HBM3", None, "H100"),
    ("AMD Instinct MI300X", None, "MI300X"),
    ("AMD INSTINCT MI300X OAM", 192 * GIB, "MI300X"),
    ("AMD Instinct MI210", None, "MI210"),
    ("NVIDIA H100 PCIe", None, "H100"),
    ("NVIDIA H100 SXM5 80GB", None, "H100"),
    ("NVIDIA H100 NVL", None, "H100-NVL"),
    ("NVIDIA H100 80GB HBM3 MIG 1g.10gb", 10 * GIB, "H100"),
    ("NVIDIA H100 80GB HBM3 MIG 1g.10gb+me", 10 * GIB, "H100"),
    ("NVIDIA H800", None, "H800"),
    ("NVIDIA H20", None, "H20"),
    ("NVIDIA A100-SXM4-40GB", None, "A100-40GB"),
    ("NVIDIA A100-SXM4-80GB", None, "A100-80GB"),
    ("NVIDIA A100 80GB PCIe", None, "A100-80GB"),
    ("NVIDIA A100-PCIE-40GB", None, "A100-40GB"),
    ("NVIDIA A100-SXM4-40GB MIG 3g.20gb", 20 * GIB, "A100-40GB"),
    ("A100-SXM4-80GB MIG 1c.3g.40gb", 40 * GIB, "A100-80GB"),
    ("NVIDIA A100", 80 * GIB, "A100-80GB"),
    ("NVIDIA A100", 42949672960, "A100-40GB"),
    ("NVIDIA A100", None, "A100"),
    ("NVIDIA A800-SXM4-80GB", None, "A800-80GB"),
    ("NVIDIA L40S", None, "L40S"),
    ("NVIDIA L40", None, "L40"),
    ("NVIDIA L4", None, "L4"),
    ("NVIDIA A10G", None, "A10G"),
    ("NVIDIA A10", None, "A10"),
    ("NVIDIA A16", None, "A16"),
    ("NVIDIA A30", None, "A30"),
    ("NVIDIA A40", None, "A40"),
    ("NVIDIA A2", None, "A2"),
    ("Tesla T4", None, "T4"),
    ("Tesla V100-SXM2-16GB", None, "V100-16GB"),
    ("Tesla V100-SXM2-32GB", None, "V100-32GB"),
    ("Tesla V100-PCIE-16GB", 16160 * 2**20, "V100-16GB"),
    ("Tesla V100-DGXS-32GB", None, "V100-32GB"),
    ("Tesla P100-PCIE-16GB", None, "P100"),
    ("NVIDIA RTX A6000", None, "RTXA6000"),
    ("NVIDIA RTX 6000 Ada Generation", None, "RTX6000-Ada"),
    ("Quadro RTX 6000", None, "RTX6000"),
    ("NVIDIA RTX PRO 6000 Blackwell Server Edition", None, "RTXPRO6000"),
    ("NVIDIA RTX PRO 6000 Blackwell Workstation Edition", None, "RTXPRO6000"),
    ("NVIDIA GeForce RTX 5090", None, "RTX5090"),
    ("NVIDIA GeForce RTX 4090", None, "RTX4090"),
    ("NVIDIA GeForce RTX 4090 D", None, "RTX4090-D"),
    ("NVIDIA GeForce RTX 4070 Ti SUPER", None, "RTX4070-Ti-Super"),
    ("NVIDIA GeForce RTX 3090", None, "RTX3090"),
    ("NVIDIA GeForce RTX 3090 Ti", None, "RTX3090-Ti"),
    ("NVIDIA GeForce GTX 1080 Ti", None, "GTX1080-Ti"),
    ("GeForce GTX 1660 SUPER", None, "GTX1660-Super"),
]


@pytest.mark.parametrize(("name", "memory", "key"), NAMES)
def test_a_name_of_nvml_means_one_gpu(name: str, memory: int | None, key: str) -> None:
    assert gpu_key(name, memory) == key


@pytest.mark.parametrize(
    "name",
    [
        "NVIDIA GeForce RTX 4090 Laptop GPU",
        "NVIDIA GeForce RTX 3080 Laptop GPU",
        "GRID A100-10C",
        "NVIDIA A10-24Q",
        "NVIDIA Graphics Device",
        "AMD Instinct MI300X VF",
        "AMD Instinct MI250X / MI250",
        "NVIDIA GeForce RTX 4070 Laptop GPU",
        "NVIDIA RTX 5000 Ada Generation Laptop GPU",
        "NVIDIA GeForce RTX 2080 with Max-Q Design",
        "NVIDIA RTX 4000 SFF Ada Generation",
        "GRID T4-16Q",
        "GRID V100D-32Q",
        "NVIDIA A40-48Q",
        "NVIDIA L40S-48Q",
        "NVIDIA H100L-94C",
        "NVIDIA A100-1-5C",
        "NVIDIA A100-PG509-200",
        "NVIDIA A800 40GB Active",
        "NVIDIA T400 4GB",
        "NVIDIA L400",
        "NVIDIA H1000",
        "",
    ],
)
def test_a_laptop_a_virtual_gpu_and_a_stranger_are_nobody_elses_neighbour(name: str) -> None:
    assert gpu_key(name) is None


@pytest.mark.parametrize("key", [*default_rates(), "A100", "V100", "H200-NVL"])
def test_a_key_means_itself(key: str) -> None:
    assert gpu_key(key) == key


@given(st.text(max_size=400), st.none() | st.integers(0, 2**60))
def test_no_name_breaks_the_match(name: str, memory: int | None) -> None:
    key = gpu_key(name, memory)
    assert key is None or len(key) < 40


def test_the_memory_of_an_odd_size_is_not_rounded_to_a_gpu_that_costs_something_else() -> None:
    assert gpu_key("NVIDIA A100", 20 * GIB) == "A100"
    assert gpu_key("NVIDIA A100-SXM-64GB") == "A100-64GB"


def test_a_mig_instance_names_its_slices_and_its_gpu() -> None:
    assert mig_slices("NVIDIA A100-SXM4-40GB MIG 3g.20gb") == 3
    assert mig_slices("NVIDIA A100-SXM4-80GB MIG 1c.3g.40gb") == 1
    assert mig_slices("NVIDIA A100-SXM4-80GB") is None
    assert without_mig("NVIDIA H100 80GB HBM3 MIG 1g.10gb+me") == "NVIDIA H100 80GB HBM3"
    assert (whole_slices("H100"), whole_slices("A30"), whole_slices(None)) == (7, 4, 7)


@pytest.mark.parametrize(
    ("name", "slices"),
    [
        ("NVIDIA A30 MIG 2g.12gb", 4),
        ("NVIDIA RTX PRO 6000 Blackwell Server Edition MIG 1g.24gb", 4),
        ("NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition MIG 1g.24gb", 4),
        ("NVIDIA RTX PRO 5000 Blackwell MIG 1g.24gb", 2),
        ("NVIDIA RTX PRO 4500 Blackwell MIG 1g.16gb", 2),
        ("NVIDIA B200 MIG 1g.23gb", 7),
        ("NVIDIA GH200 480GB MIG 1g.12gb", 7),
    ],
)
def test_a_gpu_has_as_many_slices_as_it_can_be_cut_into(name: str, slices: int) -> None:
    assert whole_slices(gpu_key(name)) == slices


def test_a_gpu_that_cannot_be_divided_has_no_slices() -> None:
    assert [divided_into(gpu_key(name)) for name in ("NVIDIA L4", "Tesla T4", "NVIDIA GeForce RTX 4090")] == [None] * 3
    assert [divided_into(key) for key in ("H100-NVL", "A100-80GB", "RTXPRO5000", None)] == [7, 7, 2, None]


def test_a_family_is_what_a_key_is_a_kind_of() -> None:
    assert list(families("A100-80GB")) == ["A100-80GB", "A100"]
    assert list(families("H100-NVL")) == ["H100-NVL", "H100"]
    assert list(families("RTX6000-Ada")) == ["RTX6000-Ada"]


def test_every_default_rate_has_a_date_and_says_where_it_is_from() -> None:
    rates = default_rates()
    assert len(rates) == 23
    for rate in rates.values():
        assert rate.date == "2026-11-22"
        assert rate.note
        assert rate.tdp_watts > 0
        if rate.low is not None and rate.high is not None and rate.usd_per_hour is not None:
            assert rate.low <= rate.usd_per_hour <= rate.high
    assert rates["H100"].usd_per_hour == Decimal("2.95")


def test_what_has_no_public_price_has_none_and_what_was_not_verified_says_so() -> None:
    rates = default_rates()
    assert [key for key, rate in rates.items() if rate.usd_per_hour is None] == ["GB200"]
    assert {key for key, rate in rates.items() if "NOT verified" in rate.note} == {"A10G", "A40", "T4"}
