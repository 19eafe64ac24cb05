"""What a poll of eight GPUs through NVML costs, beside the bindings' calls alone, and beside nvitop.

The library is the tests' stand-in, which answers at once: what is measured is Python. Each GPU has two processes;
infertop alone asks for GPM. CPU time of a poll, the median of rounds.

    python benchmarks/gpus.py [--nvitop PYTHON]      PYTHON is one that has nvitop; exits with 1 above the target
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import pynvml as nvml

from collectors import _nvml_gpm
from collectors._nvml_session import Session
from tests.nvml.standin import build, loaded

GPUS = 8
POLLS = 100
ROUNDS = 5
TARGET = 4.0
PER_GPU = """name=NVIDIA H100 80GB HBM3
uuid=GPU-{n}1111111-2222-3333-4444-555555555555
util=87
memutil=41
mem_total=85899345920
mem_used=76000000000
power_mw=512345
limit_mw=700000
energy_mj=123456789012@512345
temp=61
sm_clock=1980
mem_clock=2619
reasons=4
mig=0
procs={p}1:70000,{p}2:4000
putil={p}1:80,{p}2:3
gpm=1
gpm.1=86
gpm.2=83.5"""

# nvitop's own reading of what its screen shows of GPUs and their processes.
NVITOP = """
import statistics, time
from nvitop import Device, take_snapshots
devices = Device.all()
costs = []
for _ in range({rounds}):
    began = time.process_time()
    for _ in range({polls}):
        take_snapshots(devices)
    costs.append((time.process_time() - began) * 1000 / {polls})
print(statistics.median(costs))
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the costs; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nvitop", metavar="PYTHON", help="a Python that has nvitop")
    told = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        library, machine = build(Path(folder)), Path(folder) / "machine.txt"
        lines = (f"gpu.{n}.{line}" for n in range(GPUS) for line in PER_GPU.format(n=n, p=900_000 + n).split("\n"))
        machine.write_text("\n".join(("driver=570.133.20", f"count={GPUS}", *lines)) + "\n")
        with loaded(library, machine):
            session = Session()
            session.read(0.0)
            _nvml_gpm._LEAST_SECONDS = 0.0  # the stand-in needs no time between two samples
            rows = len(session.read(1.0).rows)
            ours = milliseconds(lambda at: session.read(float(at)))
            session.close()
            nvml.nvmlInit()
            handles = [nvml.nvmlDeviceGetHandleByIndex(n) for n in range(GPUS)]
            floor = milliseconds(lambda _: [bare(handle) for handle in handles])
        print(f"{'infertop, ' + str(rows) + ' readings':34} {ours:7.2f} ms")
        print(f"{'the bindings alone':34} {floor:7.2f} ms  {ours / floor:5.2f} of it")
        if told.nvitop:
            there = {"LD_LIBRARY_PATH": folder, "FAKE_NVML": str(machine)}
            code = NVITOP.format(rounds=ROUNDS, polls=POLLS // 4)
            said = subprocess.run([told.nvitop, "-c", code], env=os.environ | there, capture_output=True, check=True)
            theirs = float(said.stdout)
            print(f"{'nvitop, take_snapshots':34} {theirs:7.2f} ms  {ours / theirs:5.2f} of it")
    verdict = "ok" if ours / floor <= TARGET else "MISSED"
    print(f"nvml_of_bindings {ours / floor:.2f} {TARGET} {verdict}")
    return 0 if verdict == "ok" else 1


def bare(handle: Any) -> None:
    """Make the calls that a GPU without MIG is read by, and nothing of what they answer."""
    nvml.nvmlDeviceGetUUID(handle)
    nvml.nvmlDeviceGetName(handle)
    nvml.nvmlDeviceGetMigMode(handle)
    nvml.nvmlDeviceGetUtilizationRates(handle)
    nvml.nvmlDeviceGetMemoryInfo(handle, nvml.nvmlMemory_v2)
    nvml.nvmlDeviceGetPowerUsage(handle)
    nvml.nvmlDeviceGetEnforcedPowerLimit(handle)
    nvml.nvmlDeviceGetTotalEnergyConsumption(handle)
    nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)
    nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)
    nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_MEM)
    nvml.nvmlDeviceGetCurrentClocksEventReasons(handle)
    nvml.nvmlDeviceGetComputeRunningProcesses_v3(handle)
    nvml.nvmlDeviceGetProcessUtilization(handle, 0)
    for listed in (nvml.nvmlDeviceGetGraphicsRunningProcesses_v3, nvml.nvmlDeviceGetMPSComputeRunningProcesses_v3):
        with suppress(nvml.NVMLError):
            listed(handle)


def milliseconds(poll: Callable[[int], object]) -> float:
    """Return the CPU time of one poll: the median of rounds, of each the mean of its polls."""
    costs = []
    for each in range(ROUNDS):
        began = time.process_time()
        for at in range(POLLS):
            poll(each * POLLS + at)
        costs.append((time.process_time() - began) * 1000 / POLLS)
    return statistics.median(costs)


if __name__ == "__main__":
    sys.exit(main())
