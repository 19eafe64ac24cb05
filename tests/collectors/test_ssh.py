"""The GPUs of a machine that is reached by ssh: nvidia-smi's CSV, infertop's own reader, and what follows them."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import _ssh_smi as smi
from collectors._ssh_reader import Reader, shape_line, values_line
from collectors.ssh import KIND, Ssh
from infertop.engine.clock import SystemClock
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.model import Batch, Series
from tests import fake_smi
from tests.fake_ssh import FakeSsh

FIELDS = (
    *("index", "uuid", "name", "utilization.gpu", "utilization.memory", "memory.used", "memory.total", "power.draw"),
    *("enforced.power.limit", "temperature.gpu", "clocks.sm", "clocks.mem", "clocks_event_reasons.active"),
    "mig.mode.current",
)
H100 = fake_smi.GPUS[0].replace("GPU-0a", "GPU-8f3c")


def index(own: str) -> str:
    return f"gpubox:{own}"


def read(*lines: str, fields: tuple[str, ...] = FIELDS, listed: str = "") -> dict[tuple[str, str], float | str]:
    """Return what lines of one reading become, by metric and GPU; of gpu_info its labels."""
    gpus = smi.Gpus(fields)
    gpus.list(listed.splitlines())
    for line in lines:
        assert gpus.take(line) is None
    found: dict[tuple[str, str], float | str] = {}
    for series, value in smi.rows(gpus.end(), gpus, index, "gpubox").items():
        labels = " ".join(f"{name}={text}" for name, text in series.labels if name != "gpu")
        found[series.metric, series.label("gpu") or ""] = labels if series.metric == "gpu_info" else value
    return found


def test_a_line_is_a_gpu_in_the_words_and_units_of_nvml() -> None:
    assert read(H100) == {
        ("gpu_info", "GPU-8f3c"): "host=gpubox index=gpubox:0 name=NVIDIA H100 80GB HBM3",
        ("gpu_utilization", "GPU-8f3c"): 0.83,
        ("gpu_memory_utilization", "GPU-8f3c"): 0.41,
        ("gpu_memory_used_bytes", "GPU-8f3c"): 72000 * 2**20,
        ("gpu_memory_total_bytes", "GPU-8f3c"): 81559 * 2**20,
        ("gpu_power_watts", "GPU-8f3c"): 512.31,
        ("gpu_power_limit_watts", "GPU-8f3c"): 700,
        ("gpu_temperature_celsius", "GPU-8f3c"): 61,
        ("gpu_sm_clock_hertz", "GPU-8f3c"): 1980e6,
        ("gpu_memory_clock_hertz", "GPU-8f3c"): 2619e6,
        ("gpu_throttle_reasons", "GPU-8f3c"): 4,
    }


@pytest.mark.parametrize(
    "unknown", ["[N/A]", "N/A", "[Not Supported]", "[Unknown Error]", "ERR!", "[GPU is lost]", "", "-1", "1e9"]
)
def test_what_has_no_value_is_unknown_and_never_zero(unknown: str) -> None:
    fields = ("index", "uuid", *FIELDS[3:13])
    assert set(read(", ".join(["0", "GPU-8f3c", *[unknown] * 10]), fields=fields)) - {
        ("gpu_temperature_celsius", "GPU-8f3c")
    } == {("gpu_info", "GPU-8f3c")}


def test_units_that_stand_behind_a_number_all_the_same_are_left_out() -> None:
    fields = ("index", "uuid", "utilization.gpu", "memory.used", "power.draw", "clocks.sm", "temperature.gpu")
    found = read("3, GPU-8f3c, 83 %, 72000 MiB, 512.31 W, 1980 MHz, -5", fields=fields)
    assert found["gpu_utilization", "GPU-8f3c"] == 0.83
    assert found["gpu_memory_used_bytes", "GPU-8f3c"] == 72000 * 2**20
    assert found["gpu_power_watts", "GPU-8f3c"] == 512.31
    assert found["gpu_sm_clock_hertz", "GPU-8f3c"] == 1980e6
    assert found["gpu_temperature_celsius", "GPU-8f3c"] == -5


def test_a_gpu_in_mig_mode_has_its_instances_and_keeps_what_only_a_whole_gpu_measures() -> None:
    line = H100.replace("Disabled", "Enabled").replace(" 83,", " [N/A],")
    listed = (
        "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-8f3c)\n"
        "  MIG 3g.40gb     Device  0: (UUID: MIG-1111)\n"
        "  MIG 1g.10gb     Device  1: (UUID: MIG-2222)\n"
        "GPU 1: NVIDIA H100 80GB HBM3 (UUID: GPU-other)\n"
        "  MIG 1g.10gb     Device  0: (UUID: MIG-3333)\n"
    )
    found = read(line, listed=listed)
    assert found["gpu_info", "MIG-1111"] == (
        "host=gpubox index=gpubox:0:0 mig_profile=3g.40gb name=NVIDIA H100 80GB HBM3 MIG 3g.40gb parent=GPU-8f3c"
    )
    slices = {gpu: value for (metric, gpu), value in found.items() if metric == "gpu_slices"}
    assert slices == {"MIG-1111": 3, "MIG-2222": 1, "GPU-8f3c": 3}
    assert found["gpu_power_watts", "GPU-8f3c"] == 512.31
    # It is the GPU's and the instances', in parts that are not told.
    assert ("gpu_memory_used_bytes", "GPU-8f3c") not in found


def test_a_reading_is_whole_when_all_have_spoken_and_also_when_one_is_gone() -> None:
    gpus = smi.Gpus(("index", "uuid"))
    assert gpus.take("0, GPU-0a") is None
    assert gpus.take("1, GPU-0b") is None
    assert list(gpus.end()) == ["GPU-0a", "GPU-0b"]
    assert gpus.take("0, GPU-0a") is None
    assert list(gpus.take("1, GPU-0b") or ()) == ["GPU-0a", "GPU-0b"]
    assert gpus.take("0, GPU-0a") is None
    assert list(gpus.take("0, GPU-0a") or ()) == ["GPU-0a"]  # the other has fallen off the bus
    assert list(gpus.take("0, GPU-0a") or ()) == ["GPU-0a"]


def test_processes_are_there_until_they_were_not_told_of_for_a_while() -> None:
    apps = smi.Apps(2.0)
    apps.take("GPU-0a, 4200, 71000", 0.0)
    apps.take("GPU-0a, 4300, [N/A]", 4.0)
    apps.take("GPU-xx, 4400, 5", 4.0)
    here = frozenset({"GPU-0a"})
    known = {("gpu_process_info", "4200"), ("gpu_process_memory_bytes", "4200"), ("gpu_process_info", "4300")}
    assert {(each.metric, each.label("pid")) for each in apps.rows(5.0, here)} == known
    assert apps.rows(5.0, here)[Series.of("gpu_process_memory_bytes", gpu="GPU-0a", pid="4200")] == 71000 * 2**20
    assert {each.label("pid") for each in apps.rows(7.0, here)} == {"4300"}
    assert apps.rows(20.0, here) == {}


@given(st.text(max_size=200) | st.lists(st.text(max_size=12), max_size=16).map(", ".join))
def test_whatever_a_line_says_it_is_read_or_refused(line: str) -> None:
    for fields in (FIELDS, ("index", "uuid")):
        gpus, apps = smi.Gpus(fields), smi.Apps(1.0)
        with suppress(ValueError):
            gpus.take(line)
        for series, value in smi.rows(gpus.end(), gpus, index, "gpubox").items():
            assert series.label("gpu")
            assert value == value
        with suppress(ValueError):
            apps.take(line, 0.0)


SHAPE = (
    Series.of("gpu_info", gpu="GPU-0a", name="NVIDIA H100", index="0"),
    Series.of("gpu_utilization", gpu="GPU-0a"),
)


def test_the_readers_lines_are_read_back_with_the_machines_name_on_them() -> None:
    reader = Reader(index, "gpubox")
    assert reader.take('{"reader": 1}') is None
    assert reader.take(shape_line(SHAPE)) is None
    assert reader.take(values_line((1.0, 0.83))) == {
        Series.of("gpu_info", gpu="GPU-0a", name="NVIDIA H100", index="gpubox:0", host="gpubox"): 1.0,
        Series.of("gpu_utilization", gpu="GPU-0a"): 0.83,
    }
    assert reader.take('{"problem": "a GPU is lost", "absent": false}') is None
    assert (reader.problem, reader.absent) == ("a GPU is lost", False)
    assert reader.take(values_line((1.0, 0.5)))
    assert reader.problem == ""


@pytest.mark.parametrize(
    "series",
    [
        ["output_tokens", {"gpu": "GPU-0a"}],  # a machine's reader tells of GPUs, and of nobody's tokens
        ["gpu_power_watts", {"gpu": "GPU-0a", "holder": "vllm"}],
        ["gpu_power_watts", {"gpu": "x" * 600}],
        ["gpu_power_watts", {"gpu": 7}],
        ["gpu_power_watts", {}],
        ["gpu_power_watts"],
        "gpu_power_watts",
    ],
)
def test_what_a_reader_should_not_say_is_left_out(series: object) -> None:
    reader = Reader(index, "gpubox")
    reader.take(json.dumps({"shape": [series, ["gpu_utilization", {"gpu": "GPU-0a"}]]}))
    assert reader.take('{"values": [5, 0.5]}') == {Series.of("gpu_utilization", gpu="GPU-0a"): 0.5}
    assert reader.take('{"values": [5, NaN]}') == {}
    assert reader.take('{"values": [5, "0.5"]}') == {}
    with suppress(ValueError):
        pytest.fail(str(reader.take('{"values": [5]}')))


@given(
    st.text(max_size=100)
    | st.recursive(st.none() | st.text(max_size=5), lambda some: st.lists(some, max_size=3)).map(str)
)
def test_no_line_of_a_reader_does_harm(line: str) -> None:
    reader = Reader(index, "gpubox")
    with suppress(ValueError):
        reader.take(line)


@pytest.fixture
async def meter() -> AsyncIterator[Ssh]:
    made = KIND.make(SourceConfig("ssh", "gpubox", "ssh://gpubox", interval_seconds=0.1), None, SystemClock())
    assert isinstance(made, Ssh)
    yield made
    await made.close()


def value(batch: Batch, metric: str, **labels: str) -> object:
    return dict(zip(batch.series, batch.values, strict=True)).get(Series.of(metric, **labels))


async def until(meter: Ssh, metric: str, wanted: object, **labels: str) -> Batch:
    """Poll until a reading is as it should be."""
    async with asyncio.timeout(20):
        while value(batch := await meter.collect(1.0), metric, **labels) != wanted:
            pass
    return batch


async def failing(meter: Ssh) -> Unavailable:
    """Poll until that fails, and return why."""
    async with asyncio.timeout(20):
        while True:
            try:
                await meter.collect(1.0)
            except Unavailable as failure:
                return failure


async def test_gpus_and_their_processes_are_read_by_nvidia_smi_there(ssh: FakeSsh, meter: Ssh) -> None:
    ssh.put("nvidia-smi", fake_smi.script(ssh.there, apps=("GPU-0a, 4200, 71000",)))
    first = await meter.collect(1.0)
    assert first.ts == 1.0
    assert value(first, "gpu_utilization", gpu="GPU-0a") == 0.83
    assert value(first, "gpu_power_watts", gpu="GPU-0b") is None
    batch = await until(meter, "gpu_process_memory_bytes", 71000 * 2**20, gpu="GPU-0a", pid="4200")
    again = await until(meter, "gpu_process_memory_bytes", 71000 * 2**20, gpu="GPU-0a", pid="4200")
    assert again.series is batch.series
    # One connection, one session for the GPUs, one for their processes, however often it is asked.
    assert len(ssh.calls) == 3


async def test_each_reading_is_handed_over_once(ssh: FakeSsh, meter: Ssh) -> None:
    ssh.put("nvidia-smi", fake_smi.script(ssh.there))
    await meter.collect(1.0)
    (ssh.there / "gpus").write_text(fake_smi.GPUS[0].replace(" 83,", " 12,") + "\n" + fake_smi.GPUS[1] + "\n")
    await until(meter, "gpu_utilization", 0.12, gpu="GPU-0a")


async def test_a_machine_without_gpus_is_read_and_says_so(ssh: FakeSsh, meter: Ssh) -> None:
    for _ in range(2):
        batch = await meter.collect(1.0)
        assert batch.series == ()
        assert batch.notes == ("gpubox has neither nvidia-smi nor infertop in its path: no GPUs are read there",)
    assert len(ssh.calls) == 2


async def test_what_nvidia_smi_says_instead_of_gpus_is_told(ssh: FakeSsh, meter: Ssh) -> None:
    ssh.put("nvidia-smi", "#!/bin/sh\necho 'Failed to initialize NVML: Driver/library version mismatch'; exit 18")
    with pytest.raises(Unavailable, match=r"nvidia-smi on gpubox .*Driver/library version mismatch"):
        await meter.collect(1.0)


async def test_nvidia_smi_is_started_again_when_it_has_ended(ssh: FakeSsh, meter: Ssh) -> None:
    ssh.put("nvidia-smi", fake_smi.script(ssh.there))
    await meter.collect(1.0)
    (ssh.there / "gpus").unlink()  # it fails from now on
    ssh.put("nvidia-smi", "#!/bin/sh\nexit 9")
    assert "nvidia-smi on gpubox ended" in (await failing(meter)).sentence
    ssh.put("nvidia-smi", fake_smi.script(ssh.there))
    assert value(await meter.collect(1.0), "gpu_utilization", gpu="GPU-0a") == 0.83


async def test_infertops_own_reader_is_preferred_where_it_is_installed(ssh: FakeSsh, meter: Ssh) -> None:
    lines = "\n".join(['{"reader":1}', shape_line(SHAPE), values_line((1.0, 0.5))])
    ssh.put(
        "infertop", f"#!/bin/sh\n[ \"$*\" = 'reader --interval 0.5' ] || exit 2\ncat <<'EOF'\n{lines}\nEOF\nread -r _"
    )
    ssh.put("nvidia-smi", fake_smi.script(ssh.there))
    batch = await meter.collect(1.0)
    assert value(batch, "gpu_utilization", gpu="GPU-0a") == 0.5
    assert value(batch, "gpu_info", gpu="GPU-0a", host="gpubox", index="gpubox:0", name="NVIDIA H100") == 1.0


async def test_an_infertop_there_that_cannot_do_that_yet_is_passed_over(ssh: FakeSsh, meter: Ssh) -> None:
    ssh.put("infertop", "#!/bin/sh\necho 'invalid choice: reader' >&2\nexit 2")
    ssh.put("nvidia-smi", fake_smi.script(ssh.there))
    assert value(await meter.collect(1.0), "gpu_utilization", gpu="GPU-0a") == 0.83


async def test_a_lost_connection_is_said_and_made_again(ssh: FakeSsh, meter: Ssh) -> None:
    ssh.put("nvidia-smi", fake_smi.script(ssh.there))
    await meter.collect(1.0)
    (master,) = ssh.masters()
    ssh.refuse("ssh: connect to host gpubox port 22: Connection refused")
    os.kill(master, signal.SIGKILL)
    await failing(meter)
    with pytest.raises(Unavailable, match="gpubox refuses ssh on port 22"):
        await meter.collect(1.0)
    ssh.refuse("")
    assert value(await meter.collect(1.0), "gpu_utilization", gpu="GPU-0a") == 0.83


async def test_nothing_is_left_over_there_when_it_is_closed(ssh: FakeSsh, meter: Ssh) -> None:
    ssh.put("nvidia-smi", fake_smi.script(ssh.there) + f"\necho ended > {ssh.there}/ended")
    ssh.put("sleep", f'#!/bin/sh\necho $PPID > {ssh.there}/pid\nexec /bin/sleep "$@"')
    await until(meter, "gpu_utilization", 0.83, gpu="GPU-0a")
    async with asyncio.timeout(20):
        while not (ssh.there / "pid").exists():
            await meter.collect(1.0)
    pid = int((ssh.there / "pid").read_text())
    await meter.close()
    async with asyncio.timeout(20):
        while Path(f"/proc/{pid}").exists():  # noqa: ASYNC110 - what is waited for is the end of a process
            await asyncio.sleep(0.01)
    assert ssh.masters() == []


def test_a_file_that_may_be_anybodys_starts_no_ssh() -> None:
    config = SourceConfig("ssh", "x", "ssh://gpubox", trusted=False)
    with pytest.raises(ValueError, match="ssh is not started for a file that may be anybody's"):
        KIND.make(config, None, SystemClock())
