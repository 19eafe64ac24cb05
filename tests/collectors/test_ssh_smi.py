"""What nvidia-smi's lines on another machine say, in the words and units of NVML."""

from __future__ import annotations

import math
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from collectors import _ssh_smi as smi
from infertop.readings.model import Series
from tests import fake_smi
from tests.collectors.ssh_lines import index

FIELDS = (
    *("index", "uuid", "name", "utilization.gpu", "utilization.memory", "memory.used", "memory.total", "power.draw"),
    *("enforced.power.limit", "temperature.gpu", "clocks.sm", "clocks.mem", "clocks_event_reasons.active"),
    "mig.mode.current",
)
H100 = fake_smi.GPUS[0].replace("GPU-0a", "GPU-8f3c")


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


said = st.sampled_from(["83", "nan", "-inf", "1e308", "-1", "0x4", "[N/A]", "9" * 40]) | st.text(max_size=12)
of_a_gpu = st.lists(said, min_size=len(FIELDS) - 2, max_size=len(FIELDS) - 2).map(
    lambda rest: ", ".join(["0", "GPU-8f3c", *(text.replace(",", ";") for text in rest)])
)


@given(of_a_gpu | st.text(max_size=200) | st.lists(st.text(max_size=12), max_size=16).map(", ".join))
@example("0, GPU-8f3c")
def test_whatever_a_line_says_it_is_read_or_refused(line: str) -> None:
    for fields in (FIELDS, ("index", "uuid")):
        gpus, apps = smi.Gpus(fields), smi.Apps(1.0)
        with suppress(ValueError):
            gpus.take(line)
        for series, value in smi.rows(gpus.end(), gpus, index, "gpubox").items():
            assert series.label("gpu")
            assert math.isfinite(value)
        with suppress(ValueError):
            apps.take(line, 0.0)
