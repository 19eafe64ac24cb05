"""`infertop reader`: this machine's GPUs for an infertop elsewhere, line by line until nobody listens."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from collectors.ssh import KIND
from infertop.commands.reader import Said
from infertop.engine.clock import SystemClock
from infertop.engine.collector import SourceConfig, State, Unavailable
from infertop.readings.model import Batch, Series
from tests.fake_ssh import FakeSsh
from tests.nvml.standin import MACHINES, NoCompilerError, build

ROOT = Path(__file__).parents[2]
H100 = "GPU-11111111-2222-3333-4444-555555555555"


def said(said: Said, *read: Batch | Unavailable) -> list[Any]:
    return [json.loads(line) for line in said.lines(read)]


def test_what_series_there_are_is_said_when_that_changes_and_else_their_values() -> None:
    one = (Series.of("gpu_info", gpu="GPU-0a", name="x"), Series.of("gpu_power_watts", gpu="GPU-0a"))
    lines = Said()
    assert said(lines, Batch("nvml", 1.0, one, (1.0, 512.3456789))) == [
        {"shape": [["gpu_info", {"gpu": "GPU-0a", "name": "x"}], ["gpu_power_watts", {"gpu": "GPU-0a"}]]},
        {"values": [1.0, 512.345679]},
    ]
    assert said(lines, Batch("nvml", 2.0, one, (1.0, 500.0))) == [{"values": [1.0, 500.0]}]
    assert "shape" in said(lines, Batch("nvml", 3.0, one[:1], (1.0,)))[0]


def test_why_there_is_nothing_is_a_sentence_and_whether_it_was_to_be_expected() -> None:
    absent = Unavailable("no NVIDIA driver on this machine", state=State.ABSENT)
    assert said(Said(), absent) == [{"problem": "no NVIDIA driver on this machine", "absent": True}]
    assert said(Said(), absent, Unavailable("a GPU is lost")) == [{"problem": "a GPU is lost", "absent": False}]


@pytest.fixture
def command(tmp_path: Path) -> str:
    """What runs infertop on a machine with GPUs."""
    try:
        library = build(tmp_path / "nvml")
    except NoCompilerError as missing:
        pytest.skip(str(missing))
    words = f"LD_LIBRARY_PATH={library.parent} FAKE_NVML={MACHINES}/h100x2.txt PYTHONPATH={ROOT}"
    return f"{words} exec {sys.executable} -m infertop.cli"


def test_it_ends_when_its_input_does(command: str) -> None:
    words = ["/bin/sh", "-c", f"{command} reader --interval 60"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"reader": 1}
        shape = json.loads(process.stdout.readline())["shape"]
        values = json.loads(process.stdout.readline())["values"]
        process.stdin.close()
        assert process.wait(20) == 0
    found = {(metric, labels["gpu"]): value for (metric, labels), value in zip(shape, values, strict=True)}
    assert found["gpu_power_watts", H100] == 512.345
    assert ("gpu_energy_joules", H100) in found


async def test_an_infertop_elsewhere_reads_what_nvml_says_here(ssh: FakeSsh, command: str) -> None:
    ssh.put("infertop", f'#!/bin/sh\n{command} "$@"')
    meter = KIND.make(SourceConfig("ssh", "gpubox", "ssh://gpubox", interval_seconds=0.5), None, SystemClock())
    batch = await meter.collect(1.0)
    await meter.close()
    values = dict(zip(batch.series, batch.values, strict=True))
    assert values[Series.of("gpu_power_watts", gpu=H100)] == 512.345
    info = {each.label("index"): each for each in batch.series if each.metric == "gpu_info"}
    assert info["gpubox:0"].label("host") == "gpubox"
    assert info["gpubox:0"].label("name") == "NVIDIA H100 80GB HBM3"
