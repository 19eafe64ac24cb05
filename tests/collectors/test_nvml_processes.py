"""Which processes are on a GPU, what they hold and how much of it they used."""

import os

import pytest

from tests.collectors.nvml_machine import H100, NOW, collector, read


async def test_processes_of_all_lists_are_merged_by_pid(machine):
    machine.become("rtx4090.txt")
    machine.set(gpu__0__mpsprocs="900:-,77:100")
    async with collector() as nvml:
        got = read(await nvml.collect(NOW))
    held = {pid: value for (metric, _, pid), value in got.items() if metric == "gpu_process_memory_bytes"}
    assert held == {"5151": 8192 * 2**20, "900": 40 * 2**20, "77": 100 * 2**20}


async def test_a_process_whose_memory_is_not_told_is_there_without_memory(machine):
    async with collector() as nvml:
        got = read(await nvml.collect(NOW))
    assert got["gpu_process_info", H100, "4243"] == 1.0
    assert ("gpu_process_memory_bytes", H100, "4243") not in got
    assert got["gpu_process_memory_bytes", H100, "4242"] == 70000 * 2**20


async def test_process_utilization_is_the_mean_of_the_samples_since_the_last_look(machine):
    def stamp(second):
        return int((NOW + second) * 1e6)

    machine.set(
        gpu__0__putil=f"4242:90:{stamp(-60)},4242:40:{stamp(-1)},4242:60:{stamp(-0.5)},4242:20:0,4243:255:{stamp(-0.5)}"
    )
    async with collector() as nvml:
        first = read(await nvml.collect(NOW))
        machine.set(gpu__0__putil=f"4242:40:{stamp(-1)},4242:10:{stamp(4)},4243:30:{stamp(1)},4243:50:{stamp(9)}")
        second = read(await nvml.collect(NOW + 10))
    assert first["gpu_process_utilization", H100, "4242"] == pytest.approx(0.5)
    assert first["gpu_process_utilization", H100, "4243"] == 0.0
    assert second["gpu_process_utilization", H100, "4242"] == pytest.approx(0.1)
    assert second["gpu_process_utilization", H100, "4243"] == pytest.approx(0.4)


async def test_a_process_without_samples_on_an_idle_gpu_did_nothing(machine):
    machine.set(gpu__0__putil="", gpu__0__util=0)
    async with collector() as nvml:
        assert read(await nvml.collect(NOW))["gpu_process_utilization", H100, "4242"] == 0.0


async def test_process_utilization_is_unknown_where_the_gpu_worked_and_nobody_has_samples(machine):
    machine.set(gpu__0__putil="")
    async with collector() as nvml:
        assert ("gpu_process_utilization", H100, "4242") not in read(await nvml.collect(NOW))


async def test_process_utilization_is_unknown_where_it_is_not_supported(machine):
    machine.set(gpu__0__putil="!3")
    async with collector() as nvml:
        got = read(await nvml.collect(NOW))
    assert ("gpu_process_utilization", H100, "4242") not in got
    assert got["gpu_process_info", H100, "4242"] == 1.0


async def test_a_process_of_this_machine_has_its_name_and_user_and_another_has_neither(machine, monkeypatch):
    monkeypatch.setattr("collectors._process_names.is_boxed", lambda: False)
    machine.set(gpu__0__procs=f"{os.getpid()}:100,4190000:100")
    async with collector() as nvml:
        infos = [each for each in (await nvml.collect(NOW)).series if each.metric == "gpu_process_info"]
    own, gone = sorted(infos, key=lambda each: int(each.label("pid")))
    assert own.label("name")
    assert own.label("user")
    assert (gone.label("name"), gone.label("user")) == (None, None)
