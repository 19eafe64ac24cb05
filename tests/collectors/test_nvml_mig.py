"""The instances of a divided GPU, and what is left to the whole."""

import asyncio

import pytest

from tests.collectors.nvml_machine import A100, MIG_2G, MIG_3G, NOW, collector, read


async def test_mig_instances_are_gpus_with_parent_profile_slices_and_processes(machine):
    machine.become("a100mig.txt")
    async with collector() as nvml:
        batch = await nvml.collect(NOW)
    got = read(batch)
    infos = {each.label("gpu"): dict(each.labels) for each in batch.series if each.metric == "gpu_info"}
    assert infos[MIG_3G]["parent"] == A100
    assert infos[MIG_3G]["mig_profile"] == "3g.20gb"
    assert infos[MIG_2G]["mig_profile"] == "2g.10gb"  # from the attributes: its name does not say
    assert infos[MIG_2G]["index"] == "0:2"
    assert "parent" not in infos[A100]
    assert got["gpu_slices", MIG_3G, None] == 3
    assert got["gpu_slices", MIG_2G, None] == 2
    assert got["gpu_process_memory_bytes", MIG_3G, "6001"] == 14000 * 2**20
    assert got["gpu_process_info", MIG_2G, "6002"] == 1
    assert ("gpu_power_watts", MIG_3G, None) not in got
    assert ("gpu_utilization", MIG_3G, None) not in got


async def test_a_mig_parent_carries_what_no_instance_has(machine):
    machine.become("a100mig.txt")
    async with collector() as nvml:
        got = read(await nvml.collect(NOW))
    assert got["gpu_slices", A100, None] == 2
    assert got["gpu_power_watts", A100, None] == pytest.approx(180.0)
    for metric, whole in (("gpu_memory_total_bytes", 42949672960), ("gpu_memory_used_bytes", 20.6e9)):
        assert sum(got[metric, gpu, None] for gpu in (A100, MIG_3G, MIG_2G)) == whole
    assert not [pid for _, gpu, pid in got if gpu == A100 and pid]


async def test_mig_load_comes_from_gpm_and_processes_from_the_parents_list_where_the_instance_is_silent(machine):
    machine.become("h100mig.txt")
    instance = "MIG-34343434-0000-1111-2222-333333333333"
    async with collector() as nvml:
        await nvml.collect(NOW)
        await asyncio.sleep(0.11)
        got = read(await nvml.collect(NOW + 1))
    assert got["gpu_utilization", instance, None] == pytest.approx(0.64)
    assert got["gpu_sm_occupancy", instance, None] == pytest.approx(0.585)
    assert got["gpu_process_memory_bytes", instance, "6001"] == 38000 * 2**20
    assert got["gpu_slices", instance, None] == 1  # of 1c.3g.40gb
