"""How NVML is opened, waited for and closed."""

import asyncio
import os
import subprocess
import sys
import threading

import pynvml
import pytest

from infertop.engine.collector import State, Unavailable
from tests.collectors.nvml_machine import H100, NOW, SECOND, collector, gpus, read
from tests.nvml.standin import MACHINES


async def test_nvml_is_opened_again_after_a_driver_reload(machine):
    async with collector() as nvml:
        await nvml.collect(NOW)
        machine.set(count="!9", init="!9")
        with pytest.raises(Unavailable, match="driver is not loaded") as caught:
            await nvml.collect(NOW + 1)
        assert caught.value.state is State.DOWN  # there were GPUs a moment ago
        assert pynvml.nvmlLib.standin_initialised() == 0
        machine.become("h100x2.txt")
        assert gpus(await nvml.collect(NOW + 2)) == {H100, SECOND}


@pytest.mark.parametrize(
    ("code", "words", "state"),
    [
        (9, "driver is not loaded", State.ABSENT),
        (18, "differ in version", State.DOWN),
        (4, "may not be used by this user", State.DOWN),
        (999, "Unknown Error", State.DOWN),
    ],
)
async def test_each_way_of_not_starting_has_its_sentence(machine, code, words, state):
    machine.set(init=f"!{code}")
    async with collector() as nvml:
        with pytest.raises(Unavailable, match=words) as caught:
            await nvml.collect(NOW)
    assert caught.value.state is state


async def test_no_gpu_is_absent(machine):
    machine.set(count=0)
    async with collector() as nvml:
        with pytest.raises(Unavailable, match="no GPU") as caught:
            await nvml.collect(NOW)
    assert caught.value.state is State.ABSENT


def nvml_threads():
    return sum(thread.name == "nvml" for thread in threading.enumerate())


async def test_a_call_that_hangs_is_reported_and_never_stacks_threads(machine):
    before = nvml_threads()
    async with collector(deadline=0.05) as nvml:
        await asyncio.sleep(0)
        machine.set(gpu__1__power_mw="~60")
        with pytest.raises(Unavailable, match=r"has not answered for 0 s \(GPU 1\)"):
            await nvml.collect(NOW)
        for _ in range(5):
            with pytest.raises(Unavailable, match="has not answered"):
                await nvml.collect(NOW)
        assert nvml_threads() - before == 1
        machine.set(gpu__1__power_mw="71000")
        for _ in range(200):
            try:
                got = await nvml.collect(NOW + 3)
                break
            except Unavailable:
                await asyncio.sleep(0.02)
        assert read(got)["gpu_power_watts", SECOND, None] == pytest.approx(71.0)


async def test_nvml_is_shut_down_with_the_collector(machine):
    async with collector() as nvml:
        await nvml.collect(NOW)
        assert pynvml.nvmlLib.standin_initialised() == 1
    assert pynvml.nvmlLib.standin_initialised() == 0


def test_without_the_library_the_source_is_absent():
    code = (
        "import asyncio, sys; from collectors.nvml import Nvml; assert 'pynvml' not in sys.modules\n"
        "from infertop.engine.collector import SourceConfig, Unavailable\n"
        "async def main():\n"
        "    try: await Nvml(SourceConfig(kind='nvml', name='nvml')).collect(1.0)\n"
        "    except Unavailable as why: print(why.state, why.sentence)\n"
        "asyncio.run(main())"
    )
    environ = {**os.environ, "LD_LIBRARY_PATH": ""}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=True)
    if "up" in done.stdout.split()[:1] or not done.stdout:
        pytest.skip("this machine has NVIDIA's library")
    assert done.stdout.strip() == "absent NVML library not found: no NVIDIA driver on this machine"


def test_the_stand_in_serves_a_process_that_is_started_with_it(built, tmp_path):
    code = "import pynvml as n; n.nvmlInit(); print(n.nvmlDeviceGetName(n.nvmlDeviceGetHandleByIndex(0)))"
    environ = {**os.environ, "LD_LIBRARY_PATH": str(built.parent), "FAKE_NVML": str(MACHINES / "rtx4090.txt")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environ, check=True)
    assert done.stdout.strip() == "NVIDIA GeForce RTX 4090"
