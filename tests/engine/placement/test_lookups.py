"""When processes are looked up, and how long that is waited for."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from collectors.nvml import Nvml
from infertop.engine.collector import SourceConfig
from infertop.engine.placement import Holder, Placed, Placement, gpu_processes
from tests.engine.placement.placing import GIB, LARGE, PATTERNS, TINY, nvml_batch, placed
from tests.engine.trees import running, vllm_command
from tests.engine.worlds import Stuck
from tests.nvml.standin import MACHINES, NoCompilerError, build, loaded


async def test_processes_are_looked_up_once_while_nothing_changes(placement, world):
    batch = nvml_batch({"GPU-a": (GIB, {12: (GIB, 0.5)})})
    first = await placement.join(batch, [TINY])
    again = replace(batch, ts=200.0, values=tuple(value + 1 for value in batch.values))
    second = await placement.join(again, [TINY])
    assert world.scans == 1
    assert second.series is first.series
    assert placed(second) == {("GPU-a", "tiny"): (1, GIB + 1, 1.0)}
    other = nvml_batch({"GPU-a": (GIB, {12: (GIB, 0.5), 21: (GIB, 0.5)})}, ts=201.0)
    third = await placement.join(other, [TINY, LARGE])
    assert world.scans == 2
    assert third.series is not first.series


async def test_no_process_is_looked_up_on_idle_gpus_or_without_sources(placement, world):
    await placement.join(nvml_batch({"GPU-a": (GIB, {})}), [TINY])
    await placement.join(nvml_batch({"GPU-a": (GIB, {12: (GIB, 0.5)})}), [])
    assert world.scans == 0


async def test_a_server_that_opens_its_port_later_is_placed_within_ten_seconds(placement, world):
    world.start(30, "python serve.py")
    late = Holder("late", "vllm", "http://127.0.0.1:8005")
    batch = nvml_batch({"GPU-a": (GIB, {30: (GIB, 0.5)})}, ts=100.0)
    assert placed(await placement.join(batch, [late])) == {}
    world.listen(8005, 30)
    assert placed(await placement.join(replace(batch, ts=105.0), [late])) == {}
    assert placed(await placement.join(replace(batch, ts=110.0), [late])) == {("GPU-a", "late"): (1, GIB, 0.5)}


async def test_a_process_list_that_hangs_keeps_what_was_known(world, monkeypatch):
    look = Stuck(world)
    placement = Placement(PATTERNS, look=look)
    gpus = {"GPU-a": (GIB, {12: (GIB, 0.5)})}
    await placement.join(nvml_batch(gpus), [TINY])
    look.hangs = True
    monkeypatch.setattr("infertop.engine.placement._DEADLINE_SECONDS", 0.05)
    gpus["GPU-b"] = (GIB, {21: (GIB, 0.5)})
    assert set(placed(await placement.join(nvml_batch(gpus), [TINY, LARGE]))) == {("GPU-a", "tiny")}
    look.released.set()
    placement.close()


def test_the_gpus_of_each_process_are_read_from_a_batch():
    batch = nvml_batch({"GPU-a": (GIB, {12: (GIB, 0.5), 13: (None, None)}), "GPU-b": (GIB, {13: (GIB, 0.5)})})
    assert gpu_processes(batch) == {12: ("GPU-a",), 13: ("GPU-a", "GPU-b")}


def rename(machine, pid, real):
    machine.write_text(machine.read_text().replace(pid, real))


async def test_a_real_tree_of_processes_is_placed_by_the_nvml_collector(tmp_path):
    try:
        library = build(tmp_path / "library")
    except NoCompilerError as missing:
        pytest.skip(str(missing))
    machine = Path(shutil.copy(MACHINES / "h100x2.txt", tmp_path / "machine.txt"))
    with running(vllm_command(tmp_path), title="VLLM::EngineCore") as tree, loaded(library, machine):
        rename(machine, "4242:", f"{tree.worker}:")
        holders = [Holder("tiny", "vllm", f"http://127.0.0.1:{tree.port}")]
        gpus = Placed(Nvml(SourceConfig("nvml", "nvml")), Placement(PATTERNS), lambda: holders)
        batch = await gpus.collect(1_800_000_000.0)
        await gpus.close()
    assert placed(batch) == {
        ("GPU-11111111-2222-3333-4444-555555555555", "tiny"): (1, 70000 * 2.0**20, pytest.approx(0.8))
    }
