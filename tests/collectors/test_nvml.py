import asyncio
import os
import shutil
import subprocess
import sys
import threading
from contextlib import asynccontextmanager
from pathlib import Path

import pynvml
import pytest

from collectors.nvml import Nvml
from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.readings.registry import METRICS
from tests.nvml.standin import MACHINES, NoCompilerError, build, loaded

H100 = "GPU-11111111-2222-3333-4444-555555555555"
SECOND = "GPU-66666666-7777-8888-9999-000000000000"
A100 = "GPU-99999999-0000-1111-2222-333333333333"
MIG_3G = "MIG-77777777-0000-1111-2222-333333333333"
MIG_2G = "MIG-88888888-0000-1111-2222-333333333333"
RTX = "GPU-aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"
NOW = 1_800_000_000.0


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    try:
        return build(tmp_path_factory.mktemp("nvml"))
    except NoCompilerError as missing:
        pytest.skip(str(missing))


class Machine:
    """The text file behind the stand-in."""

    def __init__(self, path):
        self.path = path

    def become(self, name):
        self.write((MACHINES / name).read_text())

    def write(self, text):
        new = self.path.with_suffix(".new")
        new.write_text(text)
        new.rename(self.path)

    def set(self, **changes):
        """Change keys; `__` stands for a dot, None takes the key away."""
        wanted = {key.replace("__", "."): value for key, value in changes.items()}
        kept = [line for line in self.path.read_text().splitlines() if line.split("=")[0] not in wanted]
        self.write("\n".join(kept + [f"{key}={value}" for key, value in wanted.items() if value is not None]) + "\n")


@pytest.fixture
def machine(built, tmp_path):
    library = shutil.copy(built, tmp_path / built.name)
    machine = Machine(tmp_path / "machine.txt")
    machine.become("h100x2.txt")
    with loaded(Path(library), machine.path):
        yield machine
        machine.write("# whatever hangs may go on\n")


@asynccontextmanager
async def collector(deadline=3.0):
    made = Nvml(SourceConfig(kind="nvml", name="nvml"), deadline=deadline)
    try:
        yield made
    finally:
        await made.close()


def read(batch):
    pairs = zip(batch.series, batch.values, strict=True)
    return {(series.metric, series.label("gpu"), series.label("pid")): value for series, value in pairs}


def gpus(batch):
    return {series.label("gpu") for series in batch.series}


async def test_reads_every_meter_of_a_gpu_in_base_units(machine):
    machine.set(gpu__0__energy_mj="123456789012")
    async with collector() as nvml:
        batch = await nvml.collect(NOW)
    got = {metric: value for (metric, gpu, pid), value in read(batch).items() if gpu == H100 and pid is None}
    assert got == pytest.approx(
        {
            "gpu_info": 1.0,
            "gpu_utilization": 0.87,
            "gpu_memory_utilization": 0.41,
            "gpu_memory_used_bytes": 76e9,
            "gpu_memory_total_bytes": 85899345920.0,
            "gpu_power_watts": 512.345,
            "gpu_power_limit_watts": 700.0,
            "gpu_energy_joules": 123456789.012,
            "gpu_temperature_celsius": 61.0,
            "gpu_sm_clock_hertz": 1980e6,
            "gpu_memory_clock_hertz": 2619e6,
            "gpu_throttle_reasons": 4.0,
        }
    )
    assert batch.source == "nvml"
    assert batch.ts == NOW
    assert batch.notes == ()


async def test_every_series_is_of_the_registry_with_its_labels(machine):
    async with collector() as nvml:
        for name in ("h100x2.txt", "rtx4090.txt", "a100mig.txt", "h100mig.txt"):
            machine.become(name)
            for series in (await nvml.collect(NOW)).series:
                assert {label for label, _ in series.labels} <= set(METRICS[series.metric].labels), series


async def test_a_gpu_says_its_name_and_index(machine):
    async with collector() as nvml:
        infos = [each for each in (await nvml.collect(NOW)).series if each.metric == "gpu_info"]
    assert [(each.label("gpu"), each.label("index"), each.label("name")) for each in infos] == [
        (H100, "0", "NVIDIA H100 80GB HBM3"),
        (SECOND, "1", "NVIDIA H100 80GB HBM3"),
    ]


async def test_the_series_are_the_same_object_until_the_shape_changes(machine):
    async with collector() as nvml:
        await nvml.collect(NOW)
        await asyncio.sleep(0.11)  # GPM wants its samples that far apart
        first = await nvml.collect(NOW + 1)
        machine.set(gpu__0__power_mw=400000)
        second = await nvml.collect(NOW + 2)
        machine.set(gpu__0__power_mw="!3")
        third = await nvml.collect(NOW + 3)
    assert second.series is first.series
    assert second.values != first.values
    assert third.series is not first.series
    assert ("gpu_power_watts", H100, None) not in read(third)


async def test_what_is_not_supported_is_absent_and_never_0(machine):
    keys = "util mem_total mem_used power_mw limit_mw energy_mj temp sm_clock mem_clock reasons procs putil gpm mig"
    machine.set(**{f"gpu__{n}__{key}": "!3" for n in (0, 1) for key in (*keys.split(), "gprocs", "mpsprocs")})
    async with collector() as nvml:
        batch = await nvml.collect(NOW)
    assert {series.metric for series in batch.series} == {"gpu_info"}
    assert gpus(batch) == {H100, SECOND}


@pytest.mark.parametrize("code", [3, 4, 10, 13, 999])
async def test_an_error_of_one_call_leaves_the_others(machine, code):
    machine.set(gpu__0__power_mw=f"!{code}", gpu__0__util=f"!{code}")
    async with collector() as nvml:
        got = read(await nvml.collect(NOW))
    assert ("gpu_power_watts", H100, None) not in got
    assert ("gpu_utilization", H100, None) not in got
    assert got["gpu_temperature_celsius", H100, None] == 61.0


async def test_power_and_energy_come_from_field_values_where_the_calls_fail(machine):
    machine.set(gpu__0__power_mw=None, gpu__0__energy_mj=None, gpu__0__field__186=510000, gpu__0__field__83=7000)
    async with collector() as nvml:
        got = read(await nvml.collect(NOW))
    assert got["gpu_power_watts", H100, None] == pytest.approx(510.0)
    assert got["gpu_energy_joules", H100, None] == pytest.approx(7.0)


async def test_what_drivers_answer_instead_of_an_error_is_absent(machine):
    machine.set(gpu__0__power_mw=2**32 - 1, gpu__0__util=4294967295)
    async with collector() as nvml:
        got = read(await nvml.collect(NOW))
    assert ("gpu_power_watts", H100, None) not in got
    assert ("gpu_utilization", H100, None) not in got


async def test_memory_is_read_by_the_old_call_where_the_new_one_is_missing(machine):
    machine.set(gpu__0__mem_v2="!13")
    async with collector() as nvml:
        got = read(await nvml.collect(NOW))
    assert got["gpu_memory_used_bytes", H100, None] == 76.6e9


async def test_a_gpu_without_memory_of_its_own_has_no_memory_series(machine):
    machine.set(gpu__0__mem_total=0, gpu__0__mem_used=0)
    async with collector() as nvml:
        got = read(await nvml.collect(NOW))
    assert ("gpu_memory_total_bytes", H100, None) not in got
    assert ("gpu_memory_used_bytes", H100, None) not in got


async def test_a_power_reading_of_0_is_a_reading(machine):
    machine.set(gpu__0__power_mw=0)
    async with collector() as nvml:
        assert read(await nvml.collect(NOW))["gpu_power_watts", H100, None] == 0.0


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


async def test_gpm_says_the_share_of_busy_multiprocessors_from_the_second_poll_on(machine):
    async with collector() as nvml:
        first = read(await nvml.collect(NOW))
        await asyncio.sleep(0.11)
        second = read(await nvml.collect(NOW + 1))
        machine.set(gpu__0__gpm__2="1.0")
        third = read(await nvml.collect(NOW + 1))  # too soon for another sample
    assert ("gpu_sm_occupancy", H100, None) not in first
    assert second["gpu_sm_occupancy", H100, None] == pytest.approx(0.835)
    assert second["gpu_utilization", H100, None] == pytest.approx(0.87)
    assert third["gpu_sm_occupancy", H100, None] == second["gpu_sm_occupancy", H100, None]


async def test_gpm_stands_in_where_utilization_is_not_supported(machine):
    machine.set(gpu__0__util="!3")
    async with collector() as nvml:
        await nvml.collect(NOW)
        await asyncio.sleep(0.11)
        got = read(await nvml.collect(NOW + 1))
    assert got["gpu_utilization", H100, None] == pytest.approx(0.86)


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


async def test_a_gpu_that_is_lost_leaves_the_others_and_comes_back(machine):
    async with collector() as nvml:
        assert gpus(await nvml.collect(NOW)) == {H100, SECOND}
        machine.set(gpu__0__handle="!15")
        lost = await nvml.collect(NOW + 1)
        machine.set(gpu__0__handle=None)
        back = await nvml.collect(NOW + 2)
    assert gpus(lost) == {SECOND}
    assert lost.notes == ("GPU 0 cannot be read: GPU is lost",)
    assert gpus(back) == {H100, SECOND}
    assert back.notes == ()


async def test_a_gpu_lost_between_two_calls_hands_over_no_half_reading(machine):
    machine.set(gpu__0__temp="!15")
    async with collector() as nvml:
        batch = await nvml.collect(NOW)
    assert gpus(batch) == {SECOND}


async def test_all_gpus_lost_is_a_sentence(machine):
    machine.set(gpu__0__handle="!15", gpu__1__handle="!15")
    async with collector() as nvml:
        with pytest.raises(Unavailable, match="fallen off the bus") as caught:
            await nvml.collect(NOW)
    assert caught.value.state is State.DOWN


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


async def test_a_changed_order_moves_nothing(machine):
    async with collector() as nvml:
        before = read(await nvml.collect(NOW))
        text = machine.path.read_text()
        machine.write(text.replace("gpu.0.", "gpu.x.").replace("gpu.1.", "gpu.0.").replace("gpu.x.", "gpu.1."))
        after = read(await nvml.collect(NOW + 1))
    for metric in ("gpu_power_watts", "gpu_temperature_celsius", "gpu_utilization"):
        assert after[metric, H100, None] == before[metric, H100, None]
        assert after[metric, SECOND, None] == before[metric, SECOND, None]


async def test_a_changed_count_is_followed(machine):
    async with collector() as nvml:
        machine.set(count=1)
        assert gpus(await nvml.collect(NOW)) == {H100}
        machine.set(count=2)
        assert gpus(await nvml.collect(NOW + 1)) == {H100, SECOND}


async def test_gpus_that_may_not_be_seen_are_named_together(machine):
    machine.set(count=4, gpu__2__handle="!4", gpu__3__handle="!4")
    async with collector() as nvml:
        assert (await nvml.collect(NOW)).notes == ("GPU 2, 3 cannot be read: Insufficient Permissions",)


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


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr("collectors._nvml_session._SLOW_SECONDS", 0.1)


async def test_a_gpu_that_is_slow_to_wake_is_read_again(machine, impatient):
    machine.set(gpu__1__power_mw="~0.2:71000")
    async with collector() as nvml:
        await nvml.collect(NOW)
        assert gpus(await nvml.collect(NOW + 1)) == {H100, SECOND}


async def test_a_gpu_that_is_slow_and_alone_is_read_all_the_same(machine, impatient):
    machine.set(count=1, gpu__0__power_mw="~0.2:71000")
    async with collector() as nvml:
        for second in range(3):
            assert gpus(await nvml.collect(NOW + second)) == {H100}


async def test_a_slow_gpu_is_left_alone_for_a_minute_and_the_others_go_on(machine, impatient):
    async with collector() as nvml:
        await nvml.collect(NOW)
        machine.set(gpu__1__power_mw="~0.2:71000")
        assert gpus(await nvml.collect(NOW + 1)) == {H100, SECOND}
        rested = await nvml.collect(NOW + 2)
        assert gpus(rested) == {H100}
        assert rested.notes == ("GPU 1 is slow to answer and is read once a minute",)
        machine.set(gpu__1__power_mw="71000")
        assert gpus(await nvml.collect(NOW + 63)) == {H100, SECOND}


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


async def test_a_process_of_this_machine_has_its_name_and_user_and_another_has_neither(machine, monkeypatch):
    monkeypatch.setattr("collectors._process_names.is_boxed", lambda: False)
    machine.set(gpu__0__procs=f"{os.getpid()}:100,4190000:100")
    async with collector() as nvml:
        infos = [each for each in (await nvml.collect(NOW)).series if each.metric == "gpu_process_info"]
    own, gone = sorted(infos, key=lambda each: int(each.label("pid")))
    assert own.label("name")
    assert own.label("user")
    assert (gone.label("name"), gone.label("user")) == (None, None)
