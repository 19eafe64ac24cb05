"""What the live state says over the window is what the ledger books of the same polls."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infertop.money.split import PhaseSeconds
from infertop.readings.model import Series
from tests.money.tape import LLAMA, START, VLLM, Gpu, batch, nvml, owned_book
from tests.views.world import World


def powered(*watts: float | None, step: float = 1.0) -> World:
    """A GPU with these readings of power, one a poll."""
    world = World(owned_book())
    for at, each in enumerate(watts):
        world.poll(nvml(START + at * step, Gpu("GPU-0", 1.0, watts=each)))
    world.state.tick(world.now)
    return world


def even_mean(world: World, window: float = 60.0) -> float | None:
    return world.meters(window).even_mean("nvml", "gpu_power_watts", gpu="GPU-0")


def test_power_is_averaged_as_if_it_changed_evenly_from_poll_to_poll() -> None:
    # (100 + 300) / 2 and (300 + 200) / 2, a second each; a plain mean of readings would be 250 or 200.
    assert even_mean(powered(100.0, 300.0, 200.0)) == pytest.approx(225.0)


def test_the_window_begins_at_its_first_poll() -> None:
    assert even_mean(powered(*[900.0] * 10, 100.0, 100.0, 200.0), window=2.0) == pytest.approx(125.0)


def test_one_reading_is_all_that_is_known() -> None:
    assert even_mean(powered(77.0)) == 77.0
    assert even_mean(powered()) is None
    assert even_mean(powered(None, None)) is None


def test_time_in_which_nobody_polled_counts_for_nothing() -> None:
    world = powered(100.0, 100.0)
    for ts, watts in ((START + 40, 500.0), (START + 41, 500.0)):
        world.poll(nvml(ts, Gpu("GPU-0", 1.0, watts=watts)))
    assert even_mean(world) == pytest.approx(300.0)
    assert world.meters().covered("nvml", "gpu_info") == 2.0


@settings(deadline=None, max_examples=100)
@given(st.lists(st.none() | st.floats(0, 1000), min_size=2, max_size=12))
@example([100.0, None, None, 300.0, 200.0])
@example([None, 50.0, 60.0])
def test_the_mean_power_is_the_energy_that_the_ledger_books(watts: list[float | None]) -> None:
    world = powered(*watts)
    known = sum(one is not None or other is not None for one, other in pairwise(watts))
    booked = sum(each.quantity for each in world.deriver.open_lines() if each.resource == "gpu_energy")
    mean = even_mean(world)
    if mean is not None and known:
        assert mean * known * 1000 == pytest.approx(booked, abs=2.0)


def test_the_gpu_time_of_both_phases_is_told_or_none() -> None:
    world = World()
    for second in range(4):
        said = [(Series.of("prefill_gpu_seconds_total", model=LLAMA), 0.5 * second)]
        said.append((Series.of("running", model=LLAMA), 1.0))
        world.poll(batch(VLLM, START + second, said, started=1.0))
    assert world.meters().phases(VLLM, LLAMA) is None
    world = World()
    for second in range(4):
        names = {"prefill_gpu_seconds_total": 0.5, "decode_gpu_seconds_total": 0.25}
        each = [(Series.of(name, model=LLAMA), share * second) for name, share in names.items()]
        world.poll(batch(VLLM, START + second, each, started=1.0))
    assert world.meters().phases(VLLM, LLAMA) == PhaseSeconds(1.5, 0.75)


def test_a_model_that_is_only_known_to_be_loaded_is_one_until_it_is_unloaded() -> None:
    world = World()
    loaded = [(Series.of("model_memory_bytes", model=name), 5e9) for name in ("a", "b")]
    for second in range(12):
        world.poll(batch("ollama", START + second, loaded if second < 3 else loaded[:1]))
        world.state.tick(world.now)
        if second == 2:
            assert world.meters().models("ollama") == ("a", "b")
    assert world.meters().models("ollama") == ("a",)
