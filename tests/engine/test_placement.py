import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from collectors import KINDS
from collectors.nvml import Nvml
from infertop.engine.collector import SourceConfig
from infertop.engine.placement import Holder, Placed, Placement, gpu_processes
from infertop.readings.model import Batch, Series
from infertop.readings.registry import METRICS
from tests.engine.trees import running, vllm_command
from tests.engine.worlds import World
from tests.nvml.standin import MACHINES, NoCompilerError, build, loaded

PATTERNS = [kind.server for kind in KINDS.values() if kind.server]
GIB = float(2**30)
TINY = Holder("tiny", "vllm", "http://127.0.0.1:8001")
LARGE = Holder("large", "vllm", "http://localhost:8002")


def nvml_batch(gpus, ts=100.0):
    """Make a batch of {uuid: (used bytes, {pid: (memory, utilisation)})}, None where a reading is missing."""
    rows = []
    for index, (uuid, (used, processes)) in enumerate(gpus.items()):
        rows.append((Series.of("gpu_info", gpu=uuid, name="GPU", index=str(index)), 1.0))
        if used is not None:
            rows.append((Series.of("gpu_memory_used_bytes", gpu=uuid), used))
        for pid, (memory, utilization) in processes.items():
            rows.append((Series.of("gpu_process_info", gpu=uuid, pid=str(pid)), 1.0))
            if memory is not None:
                rows.append((Series.of("gpu_process_memory_bytes", gpu=uuid, pid=str(pid)), memory))
            if utilization is not None:
                rows.append((Series.of("gpu_process_utilization", gpu=uuid, pid=str(pid)), utilization))
    return Batch("nvml", ts, tuple(row[0] for row in rows), tuple(row[1] for row in rows))


def placed(batch):
    """Return {(gpu, holder): (processes, memory, utilisation)}."""
    found = {}
    for series, value in zip(batch.series, batch.values, strict=True):
        if series.metric.startswith("placement_"):
            assert {label for label, _ in series.labels} == set(METRICS[series.metric].labels)
            place = found.setdefault((series.label("gpu"), series.label("holder")), {})
            place[series.metric.removeprefix("placement_")] = value
    return {key: (each["processes"], each.get("memory_bytes"), each.get("utilization")) for key, each in found.items()}


@pytest.fixture
def world():
    made = World()
    made.start(10, "vllm serve acme/tiny --port 8001", port=8001)
    made.start(11, "VLLM::EngineCore", parent=10)
    made.start(12, "VLLM::Worker_TP0", parent=11)
    made.start(13, "VLLM::Worker_TP1", parent=11)
    made.start(20, "vllm serve acme/large --port 8002", port=8002)
    made.start(21, "VLLM::EngineCore", parent=20)
    made.start(90, "python train.py")
    return made


@pytest.fixture
def placement(world):
    made = Placement(PATTERNS, look=world.scan)
    yield made
    made.close()


CONTAINED = Holder("triton", "triton", "http://10.0.0.5:8002", named=("GPU-a",))


async def test_an_engine_none_of_whose_processes_can_be_found_is_on_the_gpus_that_it_names_itself(placement):
    batch = nvml_batch({"GPU-a": (40 * GIB, {}), "GPU-b": (30 * GIB, {})})
    assert placed(await placement.join(batch, [CONTAINED])) == {("GPU-a", "triton"): (0, 40 * GIB, None)}


async def test_what_an_engine_names_itself_does_not_stand_against_its_processes_or_its_configuration(placement):
    batch = nvml_batch({"GPU-a": (40 * GIB, {}), "GPU-b": (30 * GIB, {12: (30 * GIB, 0.5)})})
    for holder in (replace(TINY, named=("GPU-a",)), replace(CONTAINED, gpus=("GPU-b",))):
        assert {gpu for gpu, _ in placed(await placement.join(batch, [holder]))} == {"GPU-b"}


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


async def test_configured_gpus_are_held_with_the_memory_of_unattributed_processes(placement):
    batch = nvml_batch(
        {
            "GPU-aaaa-1": (50 * GIB, {90: (10 * GIB, 0.5), 12: (30 * GIB, 0.25)}),
            "GPU-bbbb-2": (7 * GIB, {}),
            "GPU-cccc-3": (9 * GIB, {90: (9 * GIB, 0.5)}),
        }
    )
    far = Holder("far", "vllm", "http://10.9.9.9:8001", gpus=("GPU-aaaa…", "1"))
    assert placed(await placement.join(batch, [TINY, far])) == {
        ("GPU-aaaa-1", "far"): (1, 10 * GIB, 0.5),
        ("GPU-aaaa-1", "tiny"): (1, 30 * GIB, 0.25),
        ("GPU-bbbb-2", "far"): (0, 7 * GIB, None),
    }


async def test_configured_gpus_take_the_rest_of_the_used_memory_where_processes_do_not_tell(placement):
    batch = nvml_batch({"GPU-aaaa-1": (50 * GIB, {90: (None, None), 12: (30 * GIB, 0.25)})})
    far = Holder("far", gpus=("GPU-aaaa-1",))
    assert placed(await placement.join(batch, [TINY, far]))["GPU-aaaa-1", "far"] == (1, 20 * GIB, None)


async def test_sources_configured_for_one_gpu_share_what_is_on_it(placement):
    batch = nvml_batch({"GPU-aaaa-1": (8 * GIB, {90: (8 * GIB, 0.5)})})
    both = [Holder("a", gpus=("0",)), Holder("b", gpus=("0",))]
    assert placed(await placement.join(batch, both)) == {
        ("GPU-aaaa-1", "a"): (0.5, 4 * GIB, 0.25),
        ("GPU-aaaa-1", "b"): (0.5, 4 * GIB, 0.25),
    }


async def test_a_source_configured_for_other_gpus_does_not_hold_by_its_processes(placement):
    batch = nvml_batch({"GPU-aaaa-1": (GIB, {12: (GIB, 0.5)}), "GPU-bbbb-2": (GIB, {})})
    told = replace(TINY, gpus=("GPU-bbbb-2",))
    assert set(placed(await placement.join(batch, [told]))) == {("GPU-bbbb-2", "tiny")}


async def test_a_mig_instance_is_held_by_its_process(placement):
    batch = nvml_batch({"GPU-a": (0.0, {}), "MIG-b": (GIB, {12: (GIB, None)})})
    assert placed(await placement.join(batch, [TINY])) == {("MIG-b", "tiny"): (1, GIB, None)}


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
    import threading

    release = threading.Event()
    hang = False

    def look():
        if hang:
            release.wait(30)
        return world.scan()

    placement = Placement(PATTERNS, look=look)
    gpus = {"GPU-a": (GIB, {12: (GIB, 0.5)})}
    await placement.join(nvml_batch(gpus), [TINY])
    hang = True
    monkeypatch.setattr("infertop.engine.placement._DEADLINE_SECONDS", 0.05)
    gpus["GPU-b"] = (GIB, {21: (GIB, 0.5)})
    assert set(placed(await placement.join(nvml_batch(gpus), [TINY, LARGE]))) == {("GPU-a", "tiny")}
    release.set()
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
