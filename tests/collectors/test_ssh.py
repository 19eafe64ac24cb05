"""The GPUs of a machine that is reached by ssh, read by nvidia-smi or by infertop there."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from collectors._ssh_reader import shape_line, values_line
from collectors.ssh import KIND, Ssh
from infertop.engine.clock import SystemClock
from infertop.engine.collector import SourceConfig, Unavailable
from infertop.readings.model import Batch, Series
from tests import fake_smi
from tests.collectors.ssh_lines import SHAPE
from tests.fake_ssh import FakeSsh


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
