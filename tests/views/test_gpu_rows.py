"""The row of a GPU: what it does, what it costs, whose it is."""

from __future__ import annotations

import pytest

from infertop.engine.collector import Health
from infertop.engine.collector import State as SourceState
from infertop.readings.model import Batch, Series
from infertop.views.gpu_rows import gpu_rows
from infertop.views.shapes import ProcessRow
from tests.money.tape import H100, LLAMA, START, VLLM, Gpu, book, engine, nvml, owned_book
from tests.views.explaining import explain
from tests.views.world import World

MORE = {
    "gpu_memory_used_bytes": 70e9,
    "gpu_memory_total_bytes": 80e9,
    "gpu_power_limit_watts": 700.0,
    "gpu_temperature_celsius": 61.0,
    "gpu_sm_clock_hertz": 1.98e9,
}


def told(ts: float, gpu: Gpu, **more: float) -> Batch:
    """A poll of NVML with more said of the GPU."""
    made = nvml(ts, gpu)
    series = tuple(Series.of(name, gpu=gpu.uuid) for name in more)
    return Batch("nvml", ts, made.series + series, made.values + tuple(more.values()))


def test_what_a_gpu_does_and_costs() -> None:
    world = World()
    gpu = Gpu("GPU-0", 0.75, {VLLM: (60e9, 0.7)}, watts=512.0)
    for second in range(5):
        world.poll(told(START + second, gpu, **MORE), engine(START + second, requests=second))
    world.now += 2
    (row,) = gpu_rows(world.facts())
    assert (row.uuid, row.index, row.name, row.state, row.age_seconds) == ("GPU-0", "0", H100, "up", 2.0)
    assert (row.utilization, row.memory_used_bytes, row.memory_total_bytes) == (0.75, 70e9, 80e9)
    assert (row.power_watts, row.power_limit_watts, row.temperature_celsius) == (512.0, 700.0, 61.0)
    assert row.sm_clock_hertz == 1.98e9
    assert (row.usd_per_hour, row.idle_usd_per_hour) == (2.49, pytest.approx(0.6225))
    assert (row.price_source, row.price_default, row.price_note) == ("pricing.toml:2", False, "")
    assert row.models == (LLAMA,)
    assert row.throttled == ""


def test_what_is_not_supported_is_unknown_and_not_0() -> None:
    world = World()
    for second in range(3):
        world.poll(nvml(START + second, Gpu("GPU-0", None)))
    (row,) = gpu_rows(world.facts())
    unknown = (row.utilization, row.memory_used_bytes, row.memory_total_bytes, row.power_watts, row.idle_usd_per_hour)
    assert unknown == (None,) * 5
    assert (row.temperature_celsius, row.sm_clock_hertz, row.throttled) == (None, None, "")
    assert row.usd_per_hour == 2.49


@pytest.mark.parametrize(
    ("reasons", "words"), [(0.0, ""), (1.0, ""), (4.0, "power cap"), (0x60, "sw thermal, hw thermal"), (256.0, "")]
)
def test_what_holds_a_busy_gpu_back_is_said_in_words(reasons: float, words: str) -> None:
    world = World()
    world.poll(told(START, Gpu(), gpu_throttle_reasons=reasons))
    assert gpu_rows(world.facts())[0].throttled == words


def test_a_default_price_and_a_missing_one_say_so() -> None:
    world = World(book(None))
    world.poll(nvml(START, Gpu("GPU-0"), Gpu("GPU-1", name='Odd "Card"\x1b[2J')))
    default, missing = sorted(gpu_rows(world.facts()), key=lambda row: row.uuid)
    assert (default.price_default, default.price_note) == (True, "")
    assert default.price_source.startswith("default")
    assert (missing.usd_per_hour, missing.idle_usd_per_hour, missing.price_source) == (None, None, "")
    assert '[gpu."Odd \\"Card\\"' in missing.price_note
    assert "\x1b" not in missing.price_note


def test_the_price_of_an_owned_gpu_has_its_energy_in_it() -> None:
    world = World(owned_book())
    for second in range(3):
        world.poll(nvml(START + second, Gpu(watts=1000.0)))
    assert gpu_rows(world.facts())[0].usd_per_hour == pytest.approx(0.73 + 0.195)


def test_rows_are_in_the_order_of_their_indices_and_instances_follow_their_gpu() -> None:
    indices = {"GPU-10": "10", "GPU-2": "2", "MIG-b": "2:1", "MIG-a": "2:0", "far": "node1:10", "near": "node1:2"}
    series = tuple(
        Series.of("gpu_info", gpu=gpu, name=H100, index=index, **({"parent": "GPU-2"} if ":" in index else {}))
        for gpu, index in indices.items()
    )
    world = World()
    world.poll(Batch("nvml", START, series, (1.0,) * len(series)))
    assert [row.index for row in gpu_rows(world.facts())] == ["2", "2:0", "2:1", "10", "node1:2", "node1:10"]


def test_a_model_on_two_holders_is_named_once_and_what_is_loading_is_unknown() -> None:
    world = World()
    other = "vllm@127.0.0.1:8001"
    gpu = Gpu("GPU-0", 0.5, {VLLM: (1e9, 0.1), other: (1e9, 0.1), "loading@x": (1e9, 0.1)})
    for second in range(3):
        world.poll(
            nvml(START + second, gpu),
            engine(START + second, requests=1),
            engine(START + second, source=other, requests=1),
        )
    assert sorted(gpu_rows(world.facts())[0].models) == ["(unknown)", LLAMA]


def test_an_unheld_gpu_has_no_models() -> None:
    world = World()
    world.poll(nvml(START, Gpu()))
    assert gpu_rows(world.facts())[0].models == ()


def test_an_instance_has_its_part_of_the_power_and_what_its_chip_has() -> None:
    world = World()
    name = "NVIDIA A100-SXM4-40GB"
    made = nvml(
        START,
        Gpu("GPU-0", None, name=name, slices=2, watts=210.0),
        Gpu("MIG-0", 0.5, name=f"{name} MIG 3g.20gb", parent="GPU-0", slices=3),
        Gpu("MIG-1", None, name=f"{name} MIG 2g.10gb", parent="GPU-0", slices=2),
    )
    more = tuple(Series.of(each, gpu="GPU-0") for each in ("gpu_temperature_celsius", "gpu_throttle_reasons"))
    world.poll(Batch("nvml", START, made.series + more, (*made.values, 71.0, 4.0)))
    rows = {row.uuid: row for row in gpu_rows(world.facts())}
    assert [rows[each].power_share_watts for each in ("MIG-0", "MIG-1", "GPU-0")] == [
        pytest.approx(90.0),
        pytest.approx(60.0),
        None,
    ]
    assert (rows["GPU-0"].power_watts, rows["MIG-0"].power_watts) == (210.0, None)
    assert (rows["MIG-0"].slices, rows["MIG-0"].parent, rows["GPU-0"].instances) == ((3, 7), "GPU-0", 2)
    assert {row.temperature_celsius for row in rows.values()} == {71.0}
    assert {row.throttled for row in rows.values()} == {"power cap"}
    said = explain(world.facts(), "gpus", "MIG-0", "power_watts").lines
    assert said[1] == "  = 210 x 3 / 7 = 90"


def test_processes_are_told_with_most_memory_first_and_what_is_not_known_of_them_is_unknown() -> None:
    world = World()
    made = nvml(START, Gpu())
    series = (
        Series.of("gpu_process_info", gpu="GPU-0", pid="7"),
        Series.of("gpu_process_info", gpu="GPU-0", pid="8", name="vllm", user="serve"),
        Series.of("gpu_process_memory_bytes", gpu="GPU-0", pid="8"),
        Series.of("gpu_process_utilization", gpu="GPU-0", pid="8"),
        Series.of("gpu_process_info", gpu="GPU-0", pid="x"),
    )
    world.poll(Batch("nvml", START, made.series + series, (*made.values, 1.0, 1.0, 60e9, 0.7, 1.0)))
    (row,) = gpu_rows(world.facts())
    assert row.processes == (ProcessRow(8, "vllm", "serve", 60e9, 0.7), ProcessRow(7))
    said = explain(world.facts(), "gpus", "GPU-0", "processes").lines
    assert said[1:] == ("  8  serve  vllm  55.879 GiB  SM 0.7", "  7  memory not told")


@pytest.mark.parametrize(
    ("kind", "name"), [("nvml", "NVML"), ("amd", "amdsmi"), ("dcgm", "DCGM"), ("ssh", "nvidia-smi"), ("odd", "odd")]
)
def test_an_explanation_names_the_meter_whose_counter_it_is(kind: str, name: str) -> None:
    world = World(owned_book())
    for second in range(3):
        world.poll(nvml(START + second, Gpu(joules=400.0 * second), source="far"))
    world.state.apply_health(Health("far", kind, SourceState.UP, world.now, world.now))
    facts = world.facts()
    assert gpu_rows(facts)[0].meter == name
    said = "\n".join(explain(facts, "gpus", "GPU-0", "usd_per_hour").lines)
    assert f"mean of the last 2 s by {name}'s energy counter" in said
    unknown, *what_to_do = explain(facts, "gpus", "GPU-0", "throttled").lines
    assert unknown == f"unknown: {name} does not tell why the clock of this GPU is as it is"
    assert ("DCGM_FI_DEV_CLOCKS_EVENT_REASONS" in "".join(what_to_do)) is (kind == "dcgm")


def test_what_the_clock_is_held_by_is_explained_in_words() -> None:
    world = World()
    world.poll(told(START, Gpu(), gpu_throttle_reasons=4.0))
    assert explain(world.facts(), "gpus", "GPU-0", "throttled").lines == (
        "power cap: what NVML says of the clock",
        "  power cap: it draws what its power limit allows",
    )
