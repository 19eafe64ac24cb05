"""Which source holds a GPU, by the processes on it."""

from dataclasses import replace

import pytest

from infertop.engine.placement import Holder
from tests.engine.placement.placing import GIB, LARGE, TINY, nvml_batch, placed


async def test_a_sources_workers_hold_their_gpus(placement):
    batch = nvml_batch(
        {
            "GPU-a": (70 * GIB, {12: (30 * GIB, 0.5), 21: (40 * GIB, 0.25)}),
            "GPU-b": (30 * GIB, {13: (30 * GIB, 0.75)}),
        }
    )
    assert placed(await placement.join(batch, [TINY, LARGE])) == {
        ("GPU-a", "tiny"): (1, 30 * GIB, 0.5),
        ("GPU-a", "large"): (1, 40 * GIB, 0.25),
        ("GPU-b", "tiny"): (1, 30 * GIB, 0.75),
    }


async def test_the_batch_itself_is_passed_on_unchanged(placement):
    batch = nvml_batch({"GPU-a": (GIB, {12: (GIB, 0.5)})})
    batch = replace(batch, notes=("a note",))
    joined = await placement.join(batch, [TINY])
    size = len(batch.series)
    assert (joined.series[:size], joined.values[:size]) == (batch.series, batch.values)
    assert (joined.source, joined.ts, joined.notes) == (batch.source, batch.ts, batch.notes)


async def test_several_processes_of_one_source_are_summed(placement):
    batch = nvml_batch({"GPU-a": (GIB, {11: (1.0, 0.4), 12: (2.0, 0.5), 13: (4.0, 0.3)})})
    assert placed(await placement.join(batch, [TINY])) == {("GPU-a", "tiny"): (3, 7.0, 1.0)}


async def test_a_process_that_leads_to_no_source_has_no_holder(placement):
    batch = nvml_batch({"GPU-a": (GIB, {90: (GIB, 0.9), 4242: (GIB, 0.9)})})
    assert placed(await placement.join(batch, [TINY, LARGE])) == {}


async def test_a_held_process_whose_memory_is_not_told_still_holds(placement):
    batch = nvml_batch({"GPU-a": (GIB, {12: (None, None)})})
    assert placed(await placement.join(batch, [TINY])) == {("GPU-a", "tiny"): (1, None, None)}


async def test_a_sum_with_an_unknown_part_is_unknown(placement):
    batch = nvml_batch({"GPU-a": (GIB, {12: (None, 0.5), 13: (GIB, 0.25)})})
    assert placed(await placement.join(batch, [TINY])) == {("GPU-a", "tiny"): (2, None, 0.75)}


async def test_an_orphaned_worker_has_no_holder(placement, world):
    world.start(12, "VLLM::Worker_TP0", parent=1)
    batch = nvml_batch({"GPU-a": (GIB, {12: (GIB, 0.5)})})
    assert placed(await placement.join(batch, [TINY])) == {}


async def test_siblings_of_the_process_that_listens_belong_to_it(placement, world):
    world.start(30, "vllm serve acme/wide --api-server-count 2 --port 8003")
    world.start(31, "VLLM::APIServer_0", parent=30, port=8003)
    world.start(32, "VLLM::EngineCore", parent=30)
    wide = Holder("wide", "vllm", "http://127.0.0.1:8003")
    batch = nvml_batch({"GPU-a": (GIB, {32: (GIB, 0.5)})})
    assert placed(await placement.join(batch, [TINY, wide])) == {("GPU-a", "wide"): (1, GIB, 0.5)}


async def test_a_server_that_forks_is_one_source(placement, world):
    command = "python -m vllm.entrypoints.openai.api_server --model acme/old --port 8003"
    world.start(30, command)
    world.start(31, command, parent=30, port=8003)
    world.start(32, "python -c from multiprocessing.spawn import spawn_main", parent=30)
    old = Holder("old", "vllm", "http://127.0.0.1:8003")
    batch = nvml_batch({"GPU-a": (GIB, {32: (GIB, 0.5)})})
    assert placed(await placement.join(batch, [old])) == {("GPU-a", "old"): (1, GIB, 0.5)}


async def test_a_server_without_a_known_command_that_forks_is_one_source(placement, world):
    world.start(30, "python serve.py")
    world.start(31, "python serve.py", parent=30, port=9000)
    world.start(32, "python worker.py", parent=30)
    batch = nvml_batch({"GPU-a": (GIB, {32: (GIB, 0.5)})})
    mine = Holder("mine", "openmetrics", "http://127.0.0.1:9000")
    assert placed(await placement.join(batch, [mine])) == {("GPU-a", "mine"): (1, GIB, 0.5)}


async def test_of_two_servers_above_a_process_the_nearer_holds(placement, world):
    world.start(15, "vllm serve acme/inner --port 8007", parent=10, port=8007)
    world.start(16, "VLLM::EngineCore", parent=15)
    inner = Holder("inner", "vllm", "http://127.0.0.1:8007")
    batch = nvml_batch({"GPU-a": (GIB, {16: (GIB, 0.5)})})
    assert placed(await placement.join(batch, [TINY, inner])) == {("GPU-a", "inner"): (1, GIB, 0.5)}


async def test_two_servers_started_by_one_shell_are_two_sources(placement, world):
    world.start(5, ["bash", "-c", "vllm serve a --port 8001 & vllm serve b --port 8002"])
    world.start(10, "vllm serve acme/tiny --port 8001", parent=5)
    world.start(20, "vllm serve acme/large --port 8002", parent=5)
    batch = nvml_batch({"GPU-a": (GIB, {12: (1.0, 0.1), 21: (2.0, 0.2)})})
    assert placed(await placement.join(batch, [TINY, LARGE])) == {
        ("GPU-a", "tiny"): (1, 1.0, 0.1),
        ("GPU-a", "large"): (1, 2.0, 0.2),
    }


async def test_a_server_of_a_kind_without_a_known_command_holds_by_its_port(placement, world):
    world.start(40, "python serve.py", port=9000)
    world.start(41, "python worker.py", parent=40)
    batch = nvml_batch({"GPU-a": (GIB, {40: (1.0, 0.1), 41: (2.0, 0.2)})})
    mine = Holder("mine", "openmetrics", "http://127.0.0.1:9000")
    (held,) = placed(await placement.join(batch, [mine])).values()
    assert held == (2, 3.0, pytest.approx(0.3))


async def test_the_server_that_discovery_found_holds_without_a_visible_port(placement, world):
    world.start(50, "vllm serve acme/boxed --port 8000")
    batch = nvml_batch({"GPU-a": (GIB, {50: (GIB, 0.5)})})
    boxed = Holder("boxed", "vllm", "http://127.0.0.1:18000", pids=(50,))
    assert placed(await placement.join(batch, [boxed])) == {("GPU-a", "boxed"): (1, GIB, 0.5)}


async def test_a_containers_server_is_known_by_its_command(placement, world):
    world.start(60, "/usr/bin/docker-proxy -host-port 8000", port=8000)
    world.start(50, "vllm serve acme/boxed")
    world.start(51, "VLLM::EngineCore", parent=50)
    batch = nvml_batch({"GPU-a": (GIB, {51: (GIB, 0.5)})})
    boxed = Holder("boxed", "vllm", "http://127.0.0.1:8000")
    assert placed(await placement.join(batch, [TINY, boxed])) == {("GPU-a", "boxed"): (1, GIB, 0.5)}


async def test_a_command_that_fits_two_sources_decides_for_neither(placement, world):
    world.start(50, "vllm serve acme/boxed")
    batch = nvml_batch({"GPU-a": (GIB, {50: (GIB, 0.5)})})
    two = [Holder("a", "vllm", "http://127.0.0.1:8000"), Holder("b", "vllm", "http://10.0.0.5:8000")]
    assert placed(await placement.join(batch, two)) == {}


async def test_a_source_on_another_machine_never_holds_by_its_port(placement):
    batch = nvml_batch({"GPU-a": (GIB, {12: (GIB, 0.5)})})
    assert placed(await placement.join(batch, [Holder("far", "vllm", "http://10.9.9.9:8001")])) == {}


async def test_a_mig_instance_is_held_by_its_process(placement):
    batch = nvml_batch({"GPU-a": (0.0, {}), "MIG-b": (GIB, {12: (GIB, None)})})
    assert placed(await placement.join(batch, [TINY])) == {("MIG-b", "tiny"): (1, GIB, None)}
