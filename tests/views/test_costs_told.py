"""What an hour costs where a price, a share or a reading is missing, is owned, or comes from several meters."""

from __future__ import annotations

from decimal import Decimal

import pytest

from infertop.money.rates import PriceBook
from infertop.money.settings import HourlyRate, Settings
from infertop.views.costs import UNKNOWN_MODEL
from tests.money.tape import LLAMA, START, VLLM, Gpu, book, engine, nvml, owned_book
from tests.views.costs_world import PART
from tests.views.world import World


def test_a_gpu_without_a_price_costs_an_unknown_amount_and_is_counted() -> None:
    world = World(book("2.49"))
    held = Gpu("GPU-1", 0.5, {VLLM: (None, None)}, "Graphics Device")
    for second in range(5):
        world.poll(nvml(START + second, Gpu("GPU-0", 0.5), held), engine(START + second, requests=second))
    found = world.costs()
    assert (found.gpu, found.unheld, found.idle, found.unpriced_gpus) == (2.49, 2.49, pytest.approx(1.245), 1)
    assert found.models[VLLM, LLAMA].all_in is None
    assert found.models[VLLM, LLAMA].usage is None
    assert found.models[VLLM, LLAMA].gpus == ["GPU-1"]


def test_an_instance_of_unknown_slices_has_no_price_and_neither_has_the_rest() -> None:
    world = World(book("2.49"))
    for second in range(5):
        part = Gpu("MIG-0", None, {VLLM: (None, None)}, "MIG device", "GPU-0")
        world.poll(nvml(START + second, Gpu("GPU-0", None), part))
    found = world.costs()
    assert (found.gpu, found.unpriced_gpus) == (None, 2)
    assert all("compute slices" in each.rate.lines[0] for each in found.gpus)


def test_an_instance_costs_its_slices() -> None:
    world = World(book("3.50"))
    for second in range(5):
        part = Gpu("MIG-0", None, {VLLM: (None, None)}, PART, "GPU-0", 2)
        world.poll(nvml(START + second, Gpu("GPU-0", None, slices=5), part), engine(START + second, requests=0))
    found = world.costs()
    assert found.models[VLLM, LLAMA].all_in == pytest.approx(1.0)
    assert (found.gpu, found.unheld) == (pytest.approx(3.5), pytest.approx(2.5))
    assert found.idle == pytest.approx(2.5)


def test_without_utilisation_the_use_and_the_idle_time_are_unknown_and_the_cost_is_not() -> None:
    world = World(book("2.49"))
    for second in range(5):
        gpus = Gpu("GPU-0", None, {VLLM: (None, None)}), Gpu("GPU-1", 0.5, {VLLM: (None, None)})
        world.poll(nvml(START + second, *gpus), engine(START + second, requests=0))
    found = world.costs()
    (model,) = found.models.values()
    assert (model.all_in, model.usage) == (pytest.approx(4.98), None)
    assert found.idle == pytest.approx(1.245)


def test_an_owned_gpus_energy_is_that_of_its_counter() -> None:
    world = World(owned_book())
    for second in range(61):
        world.poll(nvml(START + second, Gpu("GPU-0", 1.0, joules=500.0 * second, watts=9.0)))
    (gpu,) = world.costs().gpus
    assert gpu.energy_usd_per_hour == pytest.approx(0.5 * 0.15 * 1.3)
    assert gpu.usd_per_hour == pytest.approx(0.73 + gpu.energy_usd_per_hour)


def test_a_rented_gpus_energy_is_in_its_price() -> None:
    world = World(book("2.49"))
    for second in range(5):
        world.poll(nvml(START + second, Gpu("GPU-0", 1.0, watts=500.0)))
    assert world.costs().gpu == 2.49


def test_gpus_that_are_no_longer_read_cost_an_unknown_amount() -> None:
    world = World(book("2.49"))
    for second in range(5):
        world.poll(nvml(START + second, Gpu("GPU-0", 1.0)))
    world.now += 30
    found = world.costs()
    assert (found.gpu, found.idle, found.unheld, found.total, found.gpus) == (None, None, None, None, ())


def test_the_gpus_of_several_meters_are_in_the_hour_together() -> None:
    world = World(book("2.49"))
    for second in range(5):
        world.poll(nvml(START + second, Gpu("GPU-0", 1.0)), nvml(START + second, Gpu("GPU-1", 0.5), source="far"))
    found = world.costs()
    assert {each.at.gpu: each.meter for each in found.gpus} == {"GPU-0": "nvml", "GPU-1": "far"}
    assert found.gpu == pytest.approx(2 * 2.49)
    assert found.idle == pytest.approx(0.5 * 2.49)


def test_a_default_price_is_counted_as_one() -> None:
    prices = PriceBook(Settings(gpus=(HourlyRate("A100", "pricing.toml:1", Decimal(1)),)))
    world = World(prices)
    for second in range(3):
        world.poll(nvml(START + second, Gpu("GPU-0", 0.1), Gpu("GPU-1", 0.1, name="NVIDIA A100-SXM4-80GB")))
    assert world.costs().default_gpus == 1


def test_a_model_on_an_engine_that_is_still_loading_has_a_name_of_its_own() -> None:
    world = World(book("2.49"))
    for second in range(3):
        world.poll(nvml(START + second, Gpu("GPU-0", 0.1, {"vllm@127.0.0.1:9": (1e9, 0.1)})))
    assert list(world.costs().models) == [("vllm@127.0.0.1:9", UNKNOWN_MODEL)]
